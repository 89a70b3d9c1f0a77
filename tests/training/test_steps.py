"""A gradient step: who learns from whom, and on which images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.core.data import IGNORED
from dynas.core.design import DesignVariable
from dynas.core.space import Architecture, SearchSpace
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.training.muon import alike
from dynas.training.sandwich import step_genotypes
from dynas.training.steps import distance, make_optimizers, parts_of, step
from tests.helpers.training import SPACE, Elastic, recipe


def test_in_a_sandwich_the_largest_teaches_under_uniform_sampling_the_labels_do() -> None:
    torch.manual_seed(0)
    net = nn.Linear(3, 4)

    def gradient(labels: torch.Tensor, *, distil: bool) -> torch.Tensor:
        net.zero_grad()
        space = SearchSpace([DesignVariable("d", (1, 2))])
        step(lambda inputs, architecture: net(inputs) / architecture["d"], space, rows, (inputs, labels), distil=distil)
        assert net.weight.grad is not None
        return net.weight.grad.clone()

    rows, inputs = np.array([[1], [0]]), torch.rand(5, 3)
    labels = torch.tensor([0, 1, 2, 3, 0])
    first = F.cross_entropy(net(inputs) / 2, labels)
    taught = F.cross_entropy(net(inputs), (net(inputs) / 2).softmax(1).detach())
    expected = torch.autograd.grad(first + taught, net.weight)[0]
    torch.testing.assert_close(gradient(labels, distil=True), expected)
    both = F.cross_entropy(net(inputs) / 2, labels) + F.cross_entropy(net(inputs), labels)
    torch.testing.assert_close(gradient(labels, distil=False), torch.autograd.grad(both, net.weight)[0])


def test_every_sub_network_of_a_step_sees_the_same_images_in_its_own_size() -> None:
    supernet = MobileNetV3Supernet("random", 0.125, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2), resolutions=[20, 24, 28])
    net, space = supernet.elastic.train(), supernet.space
    rows = step_genotypes(space, np.ones(space.n_genes, dtype=bool), recipe(), 0, np.random.default_rng(0))
    seen: list[torch.Tensor] = []
    net.first_conv.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    images = torch.rand(4, 1, 28, 56, generator=torch.Generator().manual_seed(0))
    step(net, space, rows, (images, torch.zeros(4, dtype=torch.int64)), distil=True)
    heights = [space.decode(row)["r"] for row in rows]
    assert heights[:2] == [28, 20]
    assert [tuple(one.shape[2:]) for one in seen] == [(height, 2 * height) for height in heights]
    assert torch.equal(seen[0], images)
    torch.testing.assert_close(seen[1].mean((2, 3)), images.mean((2, 3)), atol=0.02, rtol=0)


class Showing(Elastic):
    """An `Elastic` that tells what its last layer sees, and whose outputs say nothing, so that only this is learned."""

    def __init__(self) -> None:
        super().__init__()
        nn.init.constant_(self.first.bias, 2)  # all units answer
        nn.init.zeros_(self.last.weight)
        self.last.requires_grad_(False)

    def with_states(self, x: Tensor, architecture: Architecture) -> tuple[Tensor, Tensor]:
        seen: list[Tensor] = []
        handle = self.last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        logits = self(x, architecture)
        handle.remove()
        return logits, seen[0]


def test_smaller_sub_networks_learn_the_teachers_hidden_states_where_they_are_asked_to() -> None:
    torch.manual_seed(0)
    net = Showing()
    genotypes = np.stack([SPACE.largest(), [1, 0]])
    batch = (torch.randn(8, 3), torch.zeros(8, dtype=torch.long))
    with torch.no_grad():
        (_, taught), (_, own) = (net.with_states(batch[0], SPACE.decode(genotype)) for genotype in genotypes)
    apart = float(1 - torch.cosine_similarity(own, taught).mean())
    assert apart > 0.01
    assert float(distance(own, taught)) == pytest.approx(apart)
    step(net, SPACE, genotypes, batch, distil=True)
    assert net.first.weight.grad is None or not net.first.weight.grad.any()
    step(net, SPACE, genotypes, batch, distil=True, states=0.5)
    once = net.first.weight.grad.clone()
    assert once.any()
    net.zero_grad()
    step(net, SPACE, genotypes, batch, distil=True, states=1.0)
    torch.testing.assert_close(net.first.weight.grad, 2 * once)


def test_an_original_teaches_its_own_hidden_states() -> None:
    torch.manual_seed(0)
    net, other = Showing(), Showing()

    class Original(nn.Module):
        def with_states(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return other.with_states(x, SPACE.decode(SPACE.largest()))

    batch = (torch.randn(8, 3), torch.zeros(8, dtype=torch.long))
    genotypes = np.stack([SPACE.largest(), SPACE.largest()])
    step(net, SPACE, genotypes, batch, distil=True, states=1.0)
    assert float(net.first.weight.grad.abs().max()) < 1e-6, "it teaches itself, and is no further from itself than 0"
    step(net, SPACE, genotypes, batch, distil=True, states=1.0, original=Original())
    assert float(net.first.weight.grad.abs().max()) > 1e-3
    assert other.first.weight.grad is None


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_a_batch_in_parts_gives_the_gradients_of_all_of_it(count: int) -> None:
    torch.manual_seed(0)
    net, space = nn.Linear(3, 4), SearchSpace([DesignVariable("d", (1, 2))])
    inputs, labels = torch.rand(5, 6, 3), torch.randint(4, (5, 6))
    labels[0, 2:] = labels[3] = IGNORED

    def gradients(parts: int) -> tuple[torch.Tensor, float]:
        net.zero_grad()
        loss = sum(
            step(lambda x, architecture: net(x) / architecture["d"], space, rows, part, distil=True, share=share)
            for part, share in parts_of((inputs, labels), parts)
        )
        assert net.weight.grad is not None
        return net.weight.grad.clone(), loss

    rows = np.array([[1], [0]])
    (whole, loss), (found, same) = gradients(1), gradients(count)
    torch.testing.assert_close(found, whole)
    assert same == pytest.approx(loss)
    counts = labels != IGNORED
    assert loss == pytest.approx(float(F.cross_entropy(net(inputs)[counts] / 2, labels[counts]).detach()))


def test_muon_makes_singular_values_alike() -> None:
    torch.manual_seed(0)
    for shape in ((8, 8), (5, 20), (20, 5)):
        matrix = torch.randn(shape)
        found = alike(matrix)
        values = torch.linalg.svdvals(found)
        assert 0.6 < float(values.min()) <= float(values.max()) < 1.3
        left, _, right = torch.linalg.svd(matrix, full_matrices=False)
        off = left.T @ found @ right.T
        assert float((off - off.diagonal().diag()).abs().max()) < 1e-4, "the singular vectors stay"


def test_muon_moves_matrices_and_leaves_tables_and_norms_to_adamw() -> None:
    net = nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 5), nn.LayerNorm(5))
    muon, adamw = make_optimizers(net, recipe(optimizer="muon", learning_rate=0.1))
    assert [one.shape for group in muon.param_groups for one in group["params"]] == [(5, 4)]
    shapes = sorted(tuple(one.shape) for group in adamw.param_groups for one in group["params"])
    assert shapes == [(5,), (5,), (5,), (7, 4)]
    target, losses = torch.rand(7, 5), []
    for _ in range(40):
        loss = F.mse_loss(net(torch.arange(7)), target)
        losses.append(float(loss))
        net.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in (muon, adamw):
            optimizer.step()
    assert losses[-1] < 0.5 * losses[0]
