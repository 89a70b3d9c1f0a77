"""The embedded examples: what their cards say, and that they can be pruned without a setting."""

from __future__ import annotations

import pytest
import torch
from hydra import compose, initialize_config_dir

from dynas.compose.frames import register
from dynas.compose.parts import build_parts
from dynas.data.fashion_mnist import FashionMNIST
from dynas.metrics.accuracy import top1
from dynas.supernets.examples import basic_resnet, mobilenet_v2
from dynas.supernets.prune import PruneSupernet
from dynas.system.folders import CONFIGS
from tests.helpers.embedded import on_card

EXAMPLES = {"basic_resnet": basic_resnet, "mobilenet_v2": mobilenet_v2}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_card_says_what_is_measured(name: str) -> None:
    data = FashionMNIST("embedded", 2, 2500, 1)
    assert top1(EXAMPLES[name](), data.validation_batches()) == pytest.approx(on_card(name, "largest"), abs=0.3)


@pytest.mark.parametrize("name", EXAMPLES)
def test_they_take_images_of_other_sizes_and_classes_without_their_weights(name: str) -> None:
    assert EXAMPLES[name](embedded=False, classes=7)(torch.zeros(2, 1, 40, 24)).shape == (2, 7)


@pytest.mark.parametrize(("name", "groups"), [("basic_resnet", 12), ("mobilenet_v2", 13)])
def test_a_network_takes_the_size_of_the_data_where_none_is_given(name: str, groups: int) -> None:
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        model = f"supernet.model=dynas.supernets.examples:{name}"
        config = compose("search", overrides=["supernet=prune", model, "data.garments=2"])
        _, supernet = build_parts(config)
    assert isinstance(supernet, PruneSupernet)
    assert supernet.inferred == {"resolution": [28, 56], "channels": 1}
    assert config.supernet.resolution is None, "a run's config stays as it was given"
    choices = supernet.elastic.choices
    assert (len(choices.groups), len(choices.blocks)) == (groups, 5)
