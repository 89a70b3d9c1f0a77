"""A run goes on with the defaults that it began with, whatever they are today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from dynas.compose.begun import keep_defaults
from tests.helpers.cli import QUICK, dynas, read_rows

NOW = {
    "seed": 0,
    "data": {"path": None, "validation": None},
    "hardware": {"_target_": "dynas.hardware.cpu.TorchCpuMeter", "min_repeats": 5, "command": "now"},
    "mode": {"choice": "expected", "optimism": 0.5},
    "predictor": {"processes": ["shared", "options"]},
}
BEGAN = {
    "seed": 3,
    "gone": 1,
    "data": {"path": "/images", "validation": "package.module:function"},
    "hardware": {"_target_": "os.system", "min_repeats": 8, "command": "rm -r x", "old": 2},
    "mode": {"choice": "hypervolume", "optimism": 1.0},
    "predictor": {"processes": ["shared"]},
}


def test_what_nobody_gave_is_what_it_was_and_nothing_that_can_run_is_taken() -> None:
    config = OmegaConf.create(NOW)
    kept = keep_defaults(config, BEGAN, ["seed=0", "+mode.optimism=0.5"])
    assert kept == {
        "data.path": "/images",
        "hardware.min_repeats": 8,
        "mode.choice": "hypervolume",
        "predictor.processes": ["shared"],
    }
    expected = {
        "seed": 0,
        "data": {"path": "/images", "validation": None},
        "hardware": NOW["hardware"] | {"min_repeats": 8},  # type: ignore[operator]
        "mode": {"choice": "hypervolume", "optimism": 0.5},
        "predictor": {"processes": ["shared"]},
    }
    assert OmegaConf.to_container(config) == expected


def test_an_option_that_is_chosen_now_brings_its_own_values() -> None:
    config = OmegaConf.create(NOW)
    assert not {key for key in keep_defaults(config, BEGAN, ["hardware=openvino"]) if key.startswith("hardware")}


@pytest.mark.slow
def test_runs_that_began_with_other_defaults_go_on_and_are_exported(tmp_path: Path) -> None:
    begun = {"hardware": {"warmup": 9, "min_repeats": 4}, "data": {"calibration_size": 90}}
    explicit = [f"{part}.{key}={value}" for part, values in begun.items() for key, value in values.items()]
    given = [one for one in QUICK if not one.startswith("data.calibration_size")]
    done = dynas("search", *given, *explicit, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "run" / "run.json"
    facts = json.loads(path.read_text())
    facts["overrides"] = [one for one in facts["overrides"] if one not in explicit]  # as if those were the defaults
    path.write_text(json.dumps(facts))
    more = len(read_rows(tmp_path / "run")) + 2
    done = dynas("search", "resume=run", f"budget={more}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "goes on as it began" in done.stderr
    assert len(read_rows(tmp_path / "run")) == more
    after = json.loads(path.read_text())["config"]
    assert all(after[part][key] == value for part, values in begun.items() for key, value in values.items())
    done = dynas("export", "run", "--best", "top1", "--formats", "pytorch", "--to", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = dynas("search", "resume=run", "hardware.warmup=7", cwd=tmp_path)
    assert done.returncode == 1
    assert "was started with hardware.warmup=9 (now 7)" in done.stderr
