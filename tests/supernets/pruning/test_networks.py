"""Sub-networks of any network compute what the original computes without the same channels and blocks."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dynas import DynasError
from dynas.supernets.prune import PruneSupernet
from tests.helpers.networks import NETWORKS, Attending, Residual, network, pruned


@pytest.fixture(scope="module", params=NETWORKS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def supernet(kind: str) -> PruneSupernet:
    return pruned(kind)


GROUPS = {  # units of each group that may shrink: channels, offsets in grouped convolutions, heads
    "residual": [8, 8, 16, 16, 16],
    "mobile": [16, 24, 8, 32, 8],
    "joined": [6, 16, 3, 2, 8],
    "shuffled": [16, 16, 16],
    "attending": [3, 3, 48, 48],
}
BLOCKS = {"residual": 2, "mobile": 2, "joined": 0, "shuffled": 0, "attending": 4}


def test_what_must_be_cut_together_is_a_group(kind: str, supernet: PruneSupernet) -> None:
    structure = supernet.elastic.structure
    free = [len(group.units) for group in structure.groups if not group.through_norm]
    assert sorted(free) == sorted(GROUPS[kind])
    assert len(supernet.elastic.choices.blocks) == BLOCKS[kind]
    assert not structure.unknown
    assert len({group.name for group in structure.groups}) == len(structure.groups)


def test_the_largest_is_the_original_exactly(kind: str, supernet: PruneSupernet) -> None:
    images = supernet.example_inputs(3)
    with torch.inference_mode():
        largest = supernet.subnet(supernet.space.decode(supernet.space.largest()))
        assert torch.equal(largest(*images), network(kind)(*images))


def without(original: nn.Module, supernet: PruneSupernet, architecture: Any) -> nn.Module:
    """Return the original with the dropped channels' weights at zero."""
    cut = supernet.elastic._cut(architecture)
    copy = deepcopy(original)
    with torch.no_grad():
        for name, value in (*copy.named_parameters(), *copy.named_buffers()):
            value.copy_(cut.zeroed(name, value))
    return copy


def close(some: Tensor, others: Tensor) -> bool:
    return bool((some - others).abs().max() <= 1e-5 * others.abs().max())


def test_a_smaller_one_is_the_original_without_the_same_channels(kind: str, supernet: PruneSupernet) -> None:
    images, space = supernet.example_inputs(3), supernet.space
    differ = 0
    for genotype in (space.smallest(), *space.sample(6, np.random.default_rng(0))):
        architecture = space.decode(genotype) | ({"b": [1] * BLOCKS[kind]} if BLOCKS[kind] else {})
        with torch.inference_mode():
            outputs = supernet.subnet(architecture)(*images)
            assert close(outputs, without(network(kind), supernet, architecture)(*images))
            differ += not close(outputs, network(kind)(*images))
    assert differ


@pytest.mark.parametrize(("kind", "last"), [("residual", "second.1"), ("mobile", "project.1")])
def test_a_skipped_block_adds_nothing(kind: str, last: str) -> None:
    supernet, original = pruned(kind), network(kind)
    images, largest = supernet.example_inputs(3), supernet.space.decode(supernet.space.largest())
    for number, block in enumerate(supernet.elastic.choices.blocks):
        kept = [int(other != number) for other in range(BLOCKS[kind])]
        norm = original.get_submodule(f"{block.name}.{last}")
        silent = deepcopy(norm.state_dict())
        with torch.inference_mode():
            nn.init.zeros_(norm.weight)  # type: ignore[arg-type]
            nn.init.zeros_(norm.bias)  # type: ignore[arg-type]
            subnet = supernet.subnet(largest | {"b": kept})
            assert close(subnet(*images), original(*images))
            assert not any(name.startswith(f"{block.name}.") for name in subnet.state_dict())
            norm.load_state_dict(silent)


def test_shared_weights_run_as_cut_ones_do_and_learn(kind: str, supernet: PruneSupernet) -> None:
    net, images = deepcopy(supernet.elastic), supernet.example_inputs(4)
    for genotype in supernet.space.sample(3, np.random.default_rng(1)):
        architecture = supernet.space.decode(genotype)
        with torch.no_grad():
            assert close(net(*images, architecture), supernet.subnet(architecture)(*images))
    net.train()
    net(*images, architecture).sum().backward()
    learned = [value for value in net.original.parameters() if value.grad is not None and value.grad.any()]
    assert learned
    assert all(value.grad is None for value in supernet.elastic.parameters())


def test_importance_decides_what_stays() -> None:
    model = network("residual")
    with torch.no_grad():
        model.get_submodule("1.first.0").weight[3] *= 100  # type: ignore[index, operator]
    supernet = PruneSupernet(model, None, (28, 56), 1, (0.125, 1.0), 1)
    smallest = supernet.subnet(supernet.space.decode(supernet.space.smallest()) | {"b": [1, 1]})
    kept = smallest.get_submodule("1.first.0").weight
    assert kept.shape[0] == 1
    assert kept.abs().sum() > 50 * network("residual").get_submodule("1.first.0").weight[3].abs().sum() / 8  # type: ignore[index, operator]


def test_names_and_types_of_modules_stay() -> None:
    supernet = pruned("residual")
    subnet = supernet.subnet(supernet.space.decode(supernet.space.smallest()) | {"b": [1, 1]})
    assert type(subnet) is Residual
    assert subnet.state_dict().keys() == network("residual").state_dict().keys()


@pytest.mark.parametrize(
    ("shares", "divisor", "channels"), [((0.3, 1.0), 8, [8, 16, 16, 8]), ((0.3, 0.5, 1.0), 2, [2, 4, 8, 4, 8, 16])]
)
def test_kept_channels_are_multiples_of_the_divisor(shares: Any, divisor: int, channels: list[int]) -> None:
    choices = pruned("residual", shares=shares, divisor=divisor).elastic.choices
    found = {int(count) for row in choices.counts for count in row}
    assert found == set(channels)


def test_frozen_weights_can_be_pruned() -> None:
    model = network("residual").requires_grad_(False)
    assert len(PruneSupernet(model, None, (28, 56), 1, (0.5, 1.0), 4).elastic.choices.groups) == 5


class Cumulative(nn.Module):
    """Has an operator that mixes channels in an order."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 16, 3), nn.Conv2d(16, 16, 3)
        self.third, self.head = nn.Conv2d(16, 16, 3), nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.first(x)).cumsum(1)
        return self.head(self.third(x).mean((2, 3)))


def test_an_unknown_operator_keeps_what_it_touches_and_is_named() -> None:
    elastic = PruneSupernet(Cumulative().eval(), None, (28, 56), 1, (0.5, 1.0), 4).elastic
    assert dict(elastic.structure.unknown) == {"cumsum": [""]}
    assert [group.name for group in elastic.structure.groups] == ["first", "third"]


class Branching(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) if x.sum() > 0 else -x.flatten(1)


class Several(Residual):
    def forward(self, x: Tensor) -> Any:
        return super().forward(x), x


class Raising(Residual):
    def forward(self, x: Tensor) -> Tensor:
        raise ValueError("no such thing")


class Sorted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(28 * 56, 16), nn.Linear(16, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.first(x.flatten(1)).sort(1)[0])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Branching(), "branches on the values of tensors"),
        (Several(), "returns (2, 100) and (2, 1, 28, 56) in a tuple, but logits of shape (samples, classes)"),
        (Raising(), "no such thing"),
        (nn.Sequential(nn.Flatten(), nn.Linear(28 * 56, 5)), "no layer whose outputs another layer reads"),
        (nn.Sequential(nn.Conv2d(1, 8, 3)), "returns (2, 8, 26, 54)"),
        (Sorted(), "these operators are not known and keep what they touch: sort"),
    ],
)
def test_what_cannot_be_pruned_is_refused_in_a_sentence(model: nn.Module, message: str) -> None:
    with pytest.raises(DynasError) as refused:
        PruneSupernet(model.eval(), None, (28, 56), 1)
    assert message in str(refused.value)


class Counting(Attending):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.view(len(x), 1, 28, 56))


def test_code_that_fixes_the_number_of_samples_is_refused() -> None:
    with pytest.raises(DynasError, match=r"the number of samples for a constant.*write x\.shape\[0\]"):
        PruneSupernet(Counting().eval(), None, (28, 56), 1)


def test_a_line_that_branches_is_named() -> None:
    with pytest.raises(DynasError, match=r"line \d+ of .*test_networks\.py, in forward"):
        PruneSupernet(Branching(), None, (28, 56), 1)
