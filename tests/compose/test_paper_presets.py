"""The presets `experiment=paper/...` hold the paper's numbers (Cummings et al. 2022, Tables 4 and 5, Appendix H.2)."""

from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from dynas.paper.cells import TABLES, Cell, held
from dynas.paper.parts import composed
from dynas.system.folders import CONFIGS

LINAS = {  # the paper's LINAS knows neither of our starts, features, optimism and choice
    "mode.start": "uniform", "mode.start_size": None, "mode.features": "one_hot", "mode.optimism": 0,
    "mode.choice": "spread",
}  # fmt: skip
GENES = {"algo.draw": "genes"}
FIFTY = {"algo.population": 50, "algo.crossover": 0.9, "algo.mutation": 0.02}
NUMBERS: dict[str, dict[str, Any]] = {  # besides the cells of Tables 4 and 5
    "linas": LINAS,
    "oneshot": {"mode.training": 1000, "mode.predicted_evaluations": 20_000, "algo.population": 50},
    "constrained": {"mode.training": 1000, "algo.population": 50, "algo.crossover": 0.9, "algo.mutation": 0.02},
    "resnet50_linas": {**FIFTY, "mode.population": 50, **LINAS},
    "resnet50_nsga2": FIFTY,
    "resnet50_random": GENES,
    "transformer_linas": {**LINAS, "objectives.latency.predictor": None},
    "transformer_nsga2": FIFTY,
    "transformer_random": GENES,
    "ncf_linas": {**LINAS, "objectives.latency.predictor": None},
    "ncf_nsga2": {"algo.population": 10, "algo.crossover": 0.1, "algo.mutation": 0.02},
    "ncf_random": GENES,
    "bnas_linas": {
        "budget": 100, "algo.population": 20, "algo.crossover": 0.9, "algo.mutation": 0.02,
        "mode.population": 20, "mode.predicted_evaluations": 20_000,
        "predictor._target_": "dynas.predictors.ridge.Ridge",
    },
    "bnas_nsga2": {"budget": 100, "algo.population": 20, "algo.crossover": 0.9, "algo.mutation": 0.02},
    "bnas_random": {"budget": 100, "algo.population": 20, **GENES},
}  # fmt: skip
CELLS = [cell for cells in TABLES.values() for cell in cells]
PRESETS = sorted({*NUMBERS, *(cell.preset for cell in CELLS)})
CHOICES = {
    "linas": ("nsga2", "Linas"), "oneshot": ("nsga2", "OneShot"), "constrained": ("ga", "OneShot"),
    "resnet50_linas": ("nsga2", "Linas"), "resnet50_nsga2": ("nsga2", "Validation"),
    "resnet50_random": ("random", "Validation"),
    "transformer_linas": ("nsga2", "Linas"), "transformer_nsga2": ("nsga2", "Validation"),
    "transformer_random": ("random", "Validation"), "ncf_linas": ("nsga2", "Linas"),
    "ncf_nsga2": ("nsga2", "Validation"), "ncf_random": ("random", "Validation"),
    "bnas_linas": ("nsga2", "Linas"), "bnas_nsga2": ("nsga2", "Validation"), "bnas_random": ("random", "Validation"),
}  # fmt: skip


def test_every_preset_is_pinned() -> None:
    assert sorted(path.stem for path in (CONFIGS / "experiment" / "paper").glob("*.yaml")) == PRESETS


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.preset}-{cell.key}-{cell.row}")
def test_a_preset_has_the_number_of_the_papers_cell(cell: Cell) -> None:
    assert held(cell) == cell.value


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_the_papers_where_the_text_says_how(preset: str) -> None:
    config, numbers = composed(f"experiment=paper/{preset}"), NUMBERS.get(preset, {})
    assert {key: OmegaConf.select(config, key) for key in numbers} == numbers
    algo, mode = CHOICES.get(preset, (preset, "Validation"))
    assert algo in config.algo._target_.lower()
    assert config.mode._target_.endswith(mode)
    if preset.startswith("resnet50_"):
        assert config.supernet._target_.endswith("ResNet50Supernet")
    if preset.startswith("transformer_"):
        assert config.supernet._target_.endswith("TransformerSupernet")
        assert config.data._target_.endswith("phrases")
        assert list(config.objectives) == ["bleu", "latency"]
        assert config.supernet.latency_batch == 1
    if preset.startswith("ncf_"):
        assert config.supernet._target_.endswith("NcfSupernet")
        assert config.data._target_.endswith("simulated_choices")
        assert list(config.objectives) == ["hr10", "latency"]
    if preset.startswith("bnas_"):
        assert config.supernet._target_.endswith("BootstrapResNet50Supernet")
        assert config.hardware._target_.endswith("OpenVinoMeter")
        assert config.precision == "int8"
        assert list(config.objectives) == ["top1", "latency"]
