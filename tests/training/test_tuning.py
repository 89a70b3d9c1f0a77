"""Fine-tuning of single sub-networks, of every family of supernets."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dynas.core.data import IGNORED
from dynas.errors import DynasError
from dynas.metrics.calibration import sized
from dynas.training.steps import task_loss
from dynas.training.tuning import Tuner
from tests.helpers.networks import pruned
from tests.helpers.own.mine import Perceptrons
from tests.helpers.supernets import moved
from tests.helpers.training import OneBatch, recipe

FAMILIES = ("mbv3", "elastic resnet50", "bootstrapped", "transformer", "ncf", "vit", "bert", "decoder")


def known(supernet: Any) -> Any:
    """Return an untrained supernet that passes for a trained one."""
    supernet.weights_digest = "known"
    return supernet


def made(family: str) -> Any:
    return (
        pruned("residual")
        if family == "prune"
        else known(moved(f"narrow {family}".replace("narrow elastic", "elastic")))
    )


def loss_of(subnet: nn.Module, data: OneBatch) -> float:
    own, learned = sized(data, subnet), data.labels != IGNORED
    assert isinstance(own, OneBatch)
    with torch.inference_mode():
        return float(task_loss(subnet(*own.inputs)[learned], own.labels[learned]))


def weights(net: nn.Module) -> Tensor:
    return torch.cat([one.detach().flatten() for one in net.parameters()])


@pytest.mark.parametrize("family", [*FAMILIES, "prune"])
def test_a_sub_network_of_any_family_learns_and_leaves_its_supernet_as_it_is(family: str) -> None:
    supernet = made(family)
    data, before = OneBatch(supernet), weights(supernet.elastic).clone()
    architecture = supernet.space.decode(supernet.space.smallest())
    tuner = Tuner(supernet, data, recipe(learning_rate=0.05), 15)
    tuned = tuner.tuned(architecture)
    untouched = Tuner(supernet, data, recipe(learning_rate=0.0), 1).tuned(architecture)
    assert loss_of(tuned, data) < 0.99 * loss_of(untouched, data)
    assert not any(module.training for module in tuned.modules())
    assert torch.equal(weights(untouched), weights(supernet.subnet(architecture)))
    assert torch.equal(weights(supernet.elastic), before)


def test_the_same_seed_gives_the_same_weights_and_parts_of_a_batch_the_same_step() -> None:
    supernet = made("decoder")
    data, architecture = OneBatch(supernet), supernet.space.decode(supernet.space.smallest())
    first, again, parts = (
        weights(Tuner(supernet, data, recipe(learning_rate=0.05, accumulate=some), 4).tuned(architecture))
        for some in (1, 1, 4)
    )
    assert torch.equal(first, again)
    torch.testing.assert_close(first, parts, atol=1e-4, rtol=0)


def test_half_is_learned_of_the_labels_and_half_of_the_network_that_all_are_made_from() -> None:
    supernet = made("vit")
    data = OneBatch(supernet)
    tuner = Tuner(supernet, data, recipe(), 1)
    assert torch.equal(
        weights(tuner.teacher), weights(supernet.subnet(supernet.space.decode(supernet.space.largest())))
    )
    subnet = supernet.subnet(supernet.space.decode(supernet.space.smallest()))
    learned = data.labels != IGNORED
    own, taught = subnet(*data.inputs)[learned], tuner.teacher(*data.inputs)[learned].softmax(1)
    expected = (task_loss(own, data.labels[learned]) + task_loss(own, taught)) / 2
    assert tuner._learn(subnet, (*data.inputs, data.labels), 1.0, (0, 0)) == pytest.approx(float(expected.detach()))


def test_what_cannot_be_tuned_is_refused() -> None:
    supernet = made("vit")
    data = OneBatch(supernet)
    for steps in (0, 1.5, True):
        with pytest.raises(DynasError, match=rf"tune={steps}: give a number of steps of 1 or more, or null"):
            Tuner(supernet, data, recipe(), steps)  # type: ignore[arg-type]
    with pytest.raises(DynasError, match=r"recipe\.batch_size=9 is larger than the whole training set"):
        Tuner(supernet, data, recipe(batch_size=9), 1)
    with pytest.raises(DynasError, match="Perceptrons is not made for training"):
        Tuner(Perceptrons(), data, recipe(), 1)
    supernet.weights_digest = "random"
    with pytest.raises(DynasError, match="the weights of supernet 'vit' are random: train them by dynas train"):
        Tuner(supernet, data, recipe(), 1)
