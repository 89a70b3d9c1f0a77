"""The presets `experiment=paper/...` hold the paper's numbers (Cummings et al. 2022, Tables 4 and 5, Appendix H.2)."""

from __future__ import annotations

from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from dynas.compose.frames import register
from dynas.system.folders import CONFIGS

LINAS = {  # the paper's LINAS knows neither of our starts, features, optimism and choice
    "mode.start": "uniform", "mode.start_size": None, "mode.features": "one_hot", "mode.optimism": 0,
    "mode.choice": "spread",
}  # fmt: skip
NUMBERS: dict[str, dict[str, Any]] = {
    "nsga2": {"algo.population": 50, "algo.crossover": 0.9, "algo.mutation": 0.02},
    "agemoea": {"algo.population": 50, "algo.crossover": 0.9, "algo.mutation": 0.02},
    "unsga3": {"algo.population": 50, "algo.partitions": 20},
    "ctaea": {"algo.population": 21, "algo.crossover": 1.0, "algo.mutation": 0.05},
    "moead": {"algo.population": 21, "algo.neighbours": 20, "algo.neighbour_mating": 0.9},
    "motpe": {"algo.prior_weight": 1.0, "algo.ei_candidates": 24},
    "linas": {
        "algo.population": 50, "algo.crossover": 0.9, "algo.mutation": 0.02,
        "mode.population": 50, "mode.predicted_evaluations": 20_000, **LINAS,
        "predictor._target_": "dynas.predictors.ridge.Ridge",
    },
    "oneshot": {"mode.training": 1000, "mode.predicted_evaluations": 20_000, "algo.population": 50},
    "constrained": {"mode.training": 1000, "algo.population": 50, "algo.crossover": 0.9, "algo.mutation": 0.02},
    "transformer_linas": {
        "algo.population": 50, "algo.crossover": 0.9, "algo.mutation": 0.02,
        "mode.population": 50, "mode.predicted_evaluations": 20_000, **LINAS,
        "objectives.bleu.predictor": "svr_rbf", "objectives.latency.predictor": None,
        "predictor._target_": "dynas.predictors.ridge.Ridge",
    },
    "transformer_nsga2": {"algo.population": 50, "algo.crossover": 0.9, "algo.mutation": 0.02},
    "transformer_random": {"algo.population": 50},
    "ncf_linas": {
        "algo.population": 10, "algo.crossover": 0.1, "algo.mutation": 0.02,
        "mode.population": 10, "mode.predicted_evaluations": 2000, **LINAS,
        "objectives.hr10.predictor": "svr_rbf", "objectives.latency.predictor": None,
        "predictor._target_": "dynas.predictors.svr.SvrLinear",
    },
    "ncf_nsga2": {"algo.population": 10, "algo.crossover": 0.1, "algo.mutation": 0.02},
    "ncf_random": {"algo.population": 10},
    "bnas_linas": {
        "budget": 100, "algo.population": 20, "algo.crossover": 0.9, "algo.mutation": 0.02,
        "mode.population": 20, "mode.predicted_evaluations": 20_000,
        "predictor._target_": "dynas.predictors.ridge.Ridge",
    },
    "bnas_nsga2": {"budget": 100, "algo.population": 20, "algo.crossover": 0.9, "algo.mutation": 0.02},
    "bnas_random": {"budget": 100, "algo.population": 20},
}  # fmt: skip
CHOICES = {
    "linas": ("nsga2", "Linas"), "oneshot": ("nsga2", "OneShot"), "constrained": ("ga", "OneShot"),
    "transformer_linas": ("nsga2", "Linas"), "transformer_nsga2": ("nsga2", "Validation"),
    "transformer_random": ("random", "Validation"), "ncf_linas": ("nsga2", "Linas"),
    "ncf_nsga2": ("nsga2", "Validation"), "ncf_random": ("random", "Validation"),
    "bnas_linas": ("nsga2", "Linas"), "bnas_nsga2": ("nsga2", "Validation"), "bnas_random": ("random", "Validation"),
}  # fmt: skip


def test_every_preset_is_pinned() -> None:
    assert sorted(NUMBERS) == sorted(path.stem for path in (CONFIGS / "experiment" / "paper").glob("*.yaml"))


@pytest.mark.parametrize("preset", NUMBERS)
def test_a_preset_has_the_numbers_of_the_paper(preset: str) -> None:
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("search", overrides=[f"experiment=paper/{preset}"])
    assert {key: OmegaConf.select(config, key) for key in NUMBERS[preset]} == NUMBERS[preset]
    algo, mode = CHOICES.get(preset, (preset, "Validation"))
    assert algo in config.algo._target_.lower()
    assert config.mode._target_.endswith(mode)
    if preset.startswith("transformer_"):
        assert config.supernet._target_.endswith("TransformerSupernet")
        assert config.data._target_.endswith("phrases")
        assert list(config.objectives) == ["bleu", "latency"]
        assert config.supernet.latency_batch == 1
    if preset.startswith("ncf_"):
        assert config.supernet._target_.endswith("NcfSupernet")
        assert config.data._target_.endswith("movielens")
        assert list(config.objectives) == ["hr10", "latency"]
    if preset.startswith("bnas_"):
        assert config.supernet._target_.endswith("BootstrapResNet50Supernet")
        assert config.hardware._target_.endswith("OpenVinoMeter")
        assert config.precision == "int8"
        assert list(config.objectives) == ["top1", "latency"]
