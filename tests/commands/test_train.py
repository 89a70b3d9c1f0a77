"""Training: it learns, it resumes to the same weights, and the search takes what it made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F

from dynas.core.design import DesignVariable
from dynas.core.space import SearchSpace
from dynas.errors import DynasError
from dynas.supernets.mbv3 import MobileNetV3Supernet, search_space
from dynas.training.sandwich import Recipe, elastic_genes, learning_rate, step, step_genotypes
from tests.helpers.cli import QUICK, dynas, killed, read_rows
from tests.helpers.garments import write_garments

pytestmark = pytest.mark.slow

# one garment on tiny inputs is learnt within seconds
NETWORK = ("data.garments=1", "data.source=garments", "supernet.classes=10", "supernet.resolution=[14,14]")
SMALL = (
    *NETWORK,
    "data.validation_size=500",
    "data.calibration_size=200",
    "recipe.epochs=2",
    "recipe.batch_size=64",
    "recipe.learning_rate=0.01",
    "recipe.random_subnets=1",
    "recipe.largest_epochs=1",
    "threads=1",
)


def recipe(**changes: object) -> Recipe:
    settings = {
        "epochs": 6, "batch_size": 8, "learning_rate": 1.0, "weight_decay": 0.0, "warmup": 0.1, "largest_epochs": 0,
        "rule": "sandwich", "random_subnets": 2,
    }  # fmt: skip
    return Recipe(**(settings | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cwd = tmp_path_factory.mktemp("train")
    write_garments(cwd / "garments", 2000, 500)
    done = dynas("train", *SMALL, "hydra.run.dir=run", cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert "quality on the validation samples" in done.stdout
    assert "dynas search supernet=mbv3 supernet.weights=" in done.stdout
    return cwd / "run"


def test_training_learns_and_says_how_well(trained: Path) -> None:
    rows = json.loads((trained / "run.json").read_text())["qualities"]
    assert rows[0]["sub-network"] == "smallest"
    assert rows[-1]["sub-network"] == "largest"
    assert all(row["top1 [%]"] > 30 for row in rows), "chance is 10 %"
    card = (trained / "model_card.md").read_text()
    assert "dynas train data.garments=1" in card
    assert f"| largest | {rows[-1]['top1 [%]']} |" in card


def test_the_search_measures_what_training_reported(trained: Path) -> None:
    done = dynas(
        "search", *QUICK, *NETWORK, "data.validation_size=500", "data.calibration_size=200",
        f"supernet.weights={trained / 'weights.safetensors'}", "hydra.run.dir=search", cwd=trained.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert all(float(row["top1 [%]"]) > 30 for row in read_rows(trained.parent / "search"))


def test_a_killed_training_resumes_to_the_same_weights(trained: Path) -> None:
    folder = trained.parent / "killed"
    killed("train", *SMALL, "hydra.run.dir=killed", cwd=folder.parent, once=folder / "checkpoint.pt")
    assert not (folder / "weights.safetensors").exists(), "the training must be killed half-way"
    resumed = dynas("train", "resume=killed", cwd=folder.parent)
    assert resumed.returncode == 0, resumed.stderr
    expected, found = (load_file(where / "weights.safetensors") for where in (trained, folder))
    assert all(bool((expected[key] == found[key]).all()) for key in expected)


def test_a_sandwich_holds_the_largest_the_smallest_and_random_ones() -> None:
    space = search_space()
    everything = np.ones(space.n_genes, dtype=bool)
    rows = step_genotypes(space, everything, recipe(), np.random.default_rng(0))
    assert (rows[0] == space.largest()).all()
    assert (rows[1] == space.smallest()).all()
    assert len({row.tobytes() for row in rows}) == 4


def test_uniform_sampling_draws_random_ones_only() -> None:
    space = search_space()
    everything = np.ones(space.n_genes, dtype=bool)
    rows = step_genotypes(space, everything, recipe(rule="uniform"), np.random.default_rng(0))
    assert (rows == space.canonical(space.random_genes(2, np.random.default_rng(0)))).all()


@pytest.mark.parametrize("changes", [{"rule": "sandwhich"}, {"rule": "uniform", "random_subnets": 0}])
def test_a_rule_that_trains_nothing_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(DynasError, match=r"recipe\.rule=\w+ with recipe\.random_subnets=\d: give sandwich, or uniform"):
        recipe(**changes)


def test_a_teacher_whom_nobody_hears_is_refused() -> None:
    with pytest.raises(DynasError, match=r"recipe\.teacher=original teaches nothing under recipe\.rule=uniform"):
        recipe(rule="uniform", teacher="original")


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
    rows = step_genotypes(space, np.ones(space.n_genes, dtype=bool), recipe(), np.random.default_rng(0))
    seen: list[torch.Tensor] = []
    net.first_conv.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    images = torch.rand(4, 1, 28, 56, generator=torch.Generator().manual_seed(0))
    step(net, space, rows, (images, torch.zeros(4, dtype=torch.int64)), distil=True)
    heights = [space.decode(row)["r"] for row in rows]
    assert heights[:2] == [28, 20]
    assert [tuple(one.shape[2:]) for one in seen] == [(height, 2 * height) for height in heights]
    assert torch.equal(seen[0], images)
    torch.testing.assert_close(seen[1].mean((2, 3)), images.mean((2, 3)), atol=0.02, rtol=0)


def test_progressive_shrinking_opens_one_variable_after_the_other() -> None:
    space = search_space()
    steps = recipe(progressive=("ks", "d", "e"))
    names = np.concatenate([[variable.name] * variable.length for variable in space.variables])
    opened = [sorted(set(names[elastic_genes(space, steps, epoch)])) for epoch in (0, 1, 2, 3, 4, 5)]
    assert opened == [["ks"], ["ks"], ["d", "ks"], ["d", "ks"], ["d", "e", "ks"], ["d", "e", "ks"]]
    rows = step_genotypes(space, elastic_genes(space, steps, 0), steps, np.random.default_rng(0))
    assert all(space.decode(row)["d"] == [4] * 5 and space.decode(row)["e"] == [6] * 20 for row in rows)


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    rates = [learning_rate(recipe(), step, 100) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] < 0.001


def test_a_recipe_for_a_variable_that_the_space_lacks_is_refused() -> None:
    space: SearchSpace = search_space()
    with pytest.raises(DynasError, match=r"recipe\.progressive names 'w'"):
        elastic_genes(space, recipe(progressive=("w",)), 0)
