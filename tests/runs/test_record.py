"""run.json has a format: today's is written, older ones are read in today's words, newer ones are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dynas import DynasError
from dynas.runs.lines import complete_lines, complete_text
from dynas.runs.record import FORMAT, read_run, write_run
from dynas.runs.upgrade import searched, upgraded
from tests.helpers.cli import ROOT, dynas

OLD = ROOT / "tests" / "runs" / "old_runs"


def write(folder: Path, facts: Any) -> Path:
    (folder / "run.json").write_text(json.dumps(facts))
    return folder


def test_the_format_comes_first_and_is_read_back(tmp_path: Path) -> None:
    write_run(tmp_path, {"status": "running"})
    assert (tmp_path / "run.json").read_text().startswith('{\n  "format": 1,')
    assert read_run(tmp_path) == {"format": FORMAT, "status": "running"}


def test_a_newer_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=r"format 2, which a newer dynas wrote: .* up to 1, update it"):
        read_run(write(tmp_path, {"format": 2}))
    refused = dynas("report", str(tmp_path), cwd=tmp_path)
    assert refused.returncode == 1


@pytest.mark.parametrize("form", ["1", -1, 1.5, None, True, [1]])
def test_a_format_that_is_no_number_is_refused(form: object, tmp_path: Path) -> None:
    with pytest.raises(DynasError, match="expected a number up to 1"):
        read_run(write(tmp_path, {"format": form}))


def test_old_words_become_todays() -> None:
    facts = read_run(OLD / "old_keys")
    assert "together=3" in facts["overrides"]
    assert "hardware.tolerance=0.05" in facts["overrides"]
    assert facts["config"]["together"] == 3
    assert facts["config"]["hardware"]["tolerance"] == 0.05
    assert facts["config"]["hardware"]["batch_size"] is None, "the supernet's own, as today's default"
    assert not {"group", "hardware_for", "shape"} & {*facts["config"], *facts["choices"]}
    assert facts["config"]["precision"] == "fp32", "what sub-networks are computed in keeps its name"


def test_what_groups_that_are_no_more_had_set_is_kept() -> None:
    transformer, ncf, modelled = (read_run(OLD / name) for name in ("transformer", "ncf", "note10"))
    assert {"min_repeats": 5, "max_repeats": 10}.items() < transformer["config"]["hardware"].items()
    assert transformer["config"]["supernet"]["latency_batch"] == 1
    assert ncf["config"]["supernet"]["latency_batch"] == 100
    assert modelled["config"]["data"]["shape"]["width"] == 1.0


def test_a_batch_size_of_ones_own_stays() -> None:
    facts = read_run(OLD / "transfer")
    assert "hardware.batch_size=1" in facts["overrides"]
    assert facts["config"]["hardware"]["batch_size"] == 1


@pytest.mark.parametrize("part", ["config", "overrides", "choices"])
@pytest.mark.parametrize("value", [None, 7, "text", [1], {"hardware": 3, "supernet": [], "data": {"_target_": 5}}])
def test_facts_that_make_no_sense_stay_as_they_are_for_others_to_refuse(part: str, value: object) -> None:
    assert part in upgraded({part: value})


HEADER, ROW = "index,architecture\n", '1,"{""d"":1}"\n'


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", 0),
        (HEADER[:7], 0),
        (HEADER, 1),
        (HEADER + ROW, 2),
        (HEADER + ROW[:-1], 2),
        (HEADER + ROW + ROW[:-2], 2),
        (HEADER + ROW + ROW[:3], 2),
        (HEADER + ROW + "2", 2),
        (HEADER + ROW + "\n", 2),
        (HEADER + "\n" + ROW, 2),
    ],
)
def test_a_torn_row_is_left_out_of_lines_and_text_alike(text: str, rows: int) -> None:
    assert len(complete_lines(text)) == rows
    whole = complete_text(text)
    assert complete_lines(whole) == complete_lines(text)
    assert whole == "" or whole.endswith("\n")
    assert complete_text(whole) == whole


def test_the_one_gaussian_process_of_earlier_searches_is_told_in_todays_words() -> None:
    gp = {"_target_": "dynas.predictors.gp.GaussianProcess", "iterations": 40}
    facts = {"overrides": ["budget=30"], "config": {"warm_start": None, "predictor": gp}}
    told = searched(facts)
    assert told["overrides"] == facts["overrides"]
    assert told["config"]["predictor"] == gp | {
        "_target_": "dynas.predictors.gp_average.GaussianProcessAverage",
        "processes": ["shared"],
    }
    assert told["config"]["known"] is None
    assert searched(told) == told, "later runs stay as they are"
