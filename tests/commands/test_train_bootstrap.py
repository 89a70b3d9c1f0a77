"""Fine-tuning a supernet made from a trained ResNet: it learns from the original network, and resumes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from dynas.supernets.bootstrap_resnet50 import BootstrapResNet50Supernet
from dynas.training.steps import step
from tests.helpers.cli import dynas, killed
from tests.helpers.garments import write_garments
from tests.helpers.resnets import OPTIONS, random_state

pytestmark = pytest.mark.slow

SMALL = (
    *("supernet=bootstrap_resnet50", "start=resnet.safetensors", "supernet.resolution=[28,28]"),
    *("data.garments=1", "data.source=garments"),
    *("data.validation_size=500", "data.calibration_size=200", "recipe.epochs=3", "recipe.batch_size=100", "threads=1"),
)


def write_small(folder: Path) -> Path:
    """Write an ordinary ResNet with random weights for ten classes of 28x28 images."""
    state = random_state(1, 10, 7, 8, (32, 64), (2, 2))
    save_file(state, folder / "resnet.safetensors")
    return folder / "resnet.safetensors"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cwd = tmp_path_factory.mktemp("train")
    write_garments(cwd / "garments", 2000, 500)
    write_small(cwd)
    done = dynas("train", *SMALL, "hydra.run.dir=run", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return cwd / "run"


def test_fine_tuning_makes_a_supernet_of_an_ordinary_resnet(trained: Path) -> None:
    largest = json.loads((trained / "run.json").read_text())["qualities"][-1]
    assert largest["sub-network"] == "largest"
    assert largest["top1 [%]"] > 30, "chance is 10 %"
    assert "in a sandwich the original network teaches the smaller ones" in (trained / "model_card.md").read_text()
    supernet = BootstrapResNet50Supernet(str(trained / "weights.safetensors"), **(OPTIONS | {"resolution": (28, 28)}))
    assert supernet.params(supernet.space.largest()[None]).tolist() == [largest["params [parameters]"]]


def test_a_killed_fine_tuning_resumes_with_the_same_teacher(trained: Path) -> None:
    folder = trained.parent / "killed"
    killed("train", *SMALL, "hydra.run.dir=killed", cwd=folder.parent, once=folder / "checkpoint.pt")
    assert not (folder / "weights.safetensors").exists(), "the training must be killed half-way"
    resumed = dynas("train", "resume=killed", cwd=folder.parent)
    assert resumed.returncode == 0, resumed.stderr
    expected, found = (load_file(where / "weights.safetensors") for where in (trained, folder))
    assert all(bool((expected[key] == found[key]).all()) for key in expected)


def test_smaller_sub_networks_learn_what_the_original_says(tmp_path: Path) -> None:
    supernet = BootstrapResNet50Supernet(str(write_small(tmp_path)), **OPTIONS)
    net, space = supernet.elastic, supernet.space
    largest, smallest = space.largest(), space.smallest()
    original = supernet.subnet(space.decode(largest))
    images = torch.randn(16, 1, 28, 56, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(16) % 10

    def gradient() -> torch.Tensor:
        found = net.largest.layer1[0].conv1.weight.grad.clone()
        net.zero_grad()
        return found

    net.train()
    step(net, space, np.stack([largest, smallest]), (images, labels), True, original)
    found = gradient()
    F.cross_entropy(net(images, space.decode(largest)), labels).backward()
    with torch.no_grad():
        said = original(images).softmax(dim=1)
    F.cross_entropy(net(images, space.decode(smallest)), said).backward()
    torch.testing.assert_close(found, gradient())
    step(net, space, np.stack([largest, smallest]), (images, labels), True)
    assert not torch.allclose(found, gradient()), "by default the largest teaches as it is by now"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("supernet=bootstrap_resnet50",), "is made from a trained ResNet: give the path of its weights"),
        (
            ("recipe.teacher=original",),
            "recipe.teacher=original needs a trained network to learn from, with its classifier: give start=",
        ),
        (("recipe.teacher=best",), "recipe.teacher=best: give largest or original"),
        (
            ("supernet=bootstrap_resnet50", "start=resnet.safetensors"),
            "the network of supernet.weights=resnet.safetensors has 10 classes but the data have 100",
        ),
    ],
)
def test_bad_settings_get_one_sentence(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    write_small(tmp_path)
    done = dynas("train", "data=fashion_mnist", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
