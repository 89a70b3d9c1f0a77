"""A run goes on with the defaults that it began with, whatever they are today."""

from __future__ import annotations

import json
import re
import shutil
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
    began = {"config": BEGAN, "overrides": ["data=x", "seed=0"]}
    kept = keep_defaults(config, began, ["data=x", "seed=0", "+mode.optimism=0.5"])
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
    kept = keep_defaults(config, {"config": BEGAN}, ["hardware=openvino"])
    assert "mode.choice" in kept
    assert not [key for key in kept if key.startswith("hardware")]
    assert keep_defaults(OmegaConf.create(NOW), {"config": BEGAN}, ["experiment=own"]) == {}, "it may be about any key"


def test_what_is_measured_again_elsewhere_has_the_runs_own_data_and_not_its_meter() -> None:
    config = OmegaConf.create(NOW)
    assert keep_defaults(config, {"config": BEGAN}, [], ("supernet", "data")) == {"data.path": "/images"}


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
    assert "goes on with data.calibration_size=90, hardware.warmup=9, hardware.min_repeats=4, as '" in done.stderr
    assert len(read_rows(tmp_path / "run")) == more
    after = json.loads(path.read_text())["config"]
    assert all(after[part][key] == value for part, values in begun.items() for key, value in values.items())
    done = dynas("export", "run", "--best", "top1", "--formats", "pytorch", "--to", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = dynas("search", "resume=run", "hardware.warmup=7", cwd=tmp_path)
    assert done.returncode == 1
    assert "was started with hardware.warmup=9 (now 7)" in done.stderr


@pytest.mark.slow
def test_all_runs_of_a_sweep_have_the_defaults_that_it_began_with(tmp_path: Path) -> None:
    given = [one for one in QUICK if not one.startswith("data.calibration_size")]
    sweep = ("-m", "seed=1,2", *given, "hydra.sweep.dir=sweep")
    done = dynas("search", *sweep, "data.calibration_size=90", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(tmp_path / "sweep" / "1")  # as if it had been killed before
    for path in (tmp_path / "sweep" / "multirun.yaml", tmp_path / "sweep" / "0" / "run.json"):
        path.write_text(
            re.sub(r'(,?\s*"|\s+- )data.calibration_size=90"?', "", path.read_text())
        )  # as if it was the default
    done = dynas("search", "resume=sweep", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    configs = [json.loads((tmp_path / "sweep" / job / "run.json").read_text())["config"] for job in "01"]
    assert [one["data"]["calibration_size"] for one in configs] == [90, 90]
    assert [one["seed"] for one in configs] == [1, 2]
    done = dynas("report", "sweep", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
