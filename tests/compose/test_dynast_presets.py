"""The predecessor's searches: LINAS as the paper has it, on its own supernets, in its own batches."""

from __future__ import annotations

import pytest
from hydra import compose, initialize_config_dir

from dynas.compose.frames import register
from dynas.system.folders import CONFIGS

PRESETS = {
    "bert_sst2": ("dynas.supernets.bert.BertSupernet", ["accuracy", "latency"], 4),
    "vit_b": ("dynas.supernets.vit.VitSupernet", ["top1", "latency"], 128),
}


def test_every_preset_is_pinned() -> None:
    assert {path.stem for path in (CONFIGS / "experiment" / "dynast").glob("*.yaml")} == PRESETS.keys()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_that_of_the_predecessor(name: str) -> None:
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("search", overrides=[f"experiment=dynast/{name}"])
    supernet, objectives, batch = PRESETS[name]
    assert (config.supernet._target_, list(config.objectives), config.hardware.batch_size) == (
        supernet,
        objectives,
        batch,
    )
    assert (config.mode.predicted_evaluations, config.mode.population, config.algo.population) == (20000, 50, 50)
    assert config.predictor._target_ == "dynas.predictors.ridge.Ridge"
