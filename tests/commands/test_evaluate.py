"""``dynas evaluate``: what is named is measured, once each, beside what was measured before."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynas.commands.report import main as report
from dynas.core.objectives import Objective
from dynas.core.space import SearchSpace
from dynas.errors import DynasError
from dynas.runs.architectures import read_architectures
from dynas.runs.record import write_run
from dynas.runs.store import RunStore
from tests.helpers.cli import BRIEF, QUICK, ROOT, dynas, read_rows

pytestmark = pytest.mark.slow

SAME = (QUICK[0], *QUICK[-2:])  # objectives and data of a quick search
COUNTED = "objectives=[macs,params]"  # nothing is extracted
TOP1, MACS = Objective("top1", "max", "%"), Objective("macs", "min", "MAC", exact=True)


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished quick search."""
    cwd = tmp_path_factory.mktemp("search")
    done = dynas("search", *QUICK, "hydra.run.dir=run", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return cwd / "run"


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def architecture(space: SearchSpace, **changes: Any) -> dict[str, Any]:
    return space.decode(space.smallest()) | changes


def test_the_front_of_a_search_is_measured_again_beside_its_earlier_values(
    search: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = dynas("evaluate", f"architectures={search}", *SAME, "hydra.run.dir=again", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    front, again = read(search / "front.csv"), read_rows(tmp_path / "again")
    for column in ("key", "top1 [%]", "macs [MAC]", "architecture"):
        assert [row[column] for row in again] == [row[column] for row in front]
    assert f"row {front[0]['index']}" in done.stdout
    assert "top1 earlier" in done.stdout
    assert "macs earlier" not in done.stdout, "an exact value cannot change"
    assert "top1: +0.00 % against the earlier values" in done.stdout
    assert "was measured with" not in done.stdout
    earlier = read(tmp_path / "again" / "earlier.csv")
    assert [row["top1 earlier [%]"] for row in earlier] == [row["top1 [%]"] for row in front]
    facts = json.loads((tmp_path / "again" / "run.json").read_text())
    assert (facts["status"], facts["evaluations"], facts["budget"]) == ("finished", len(front), len(front))
    assert report([str(tmp_path / "again")]) == 0
    assert f"front: {len(front)} of {len(front)} sub-networks" in capsys.readouterr().out
    before = (tmp_path / "again" / "results.csv").read_bytes()
    resumed = dynas("evaluate", "resume=again", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert (tmp_path / "again" / "results.csv").read_bytes() == before


def test_rows_are_chosen_and_other_conditions_are_said(search: Path, tmp_path: Path) -> None:
    chosen = (f"architectures={search}/results.csv", "rows=[7,2]", *SAME, "data.validation_size=50")
    done = dynas("evaluate", *chosen, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = {row["index"]: row["key"] for row in read_rows(search)}
    assert [row["key"] for row in read_rows(tmp_path / "run")] == [rows["7"], rows["2"]]
    assert "was measured with data.validation_size=100 (now 50)" in done.stdout


def test_words_mappings_and_files_are_measured_and_each_sub_network_once(
    mbv3_space: SearchSpace, tmp_path: Path
) -> None:
    inactive = architecture(mbv3_space, ks=[3, 3, 3, 7, *[3] * 16])  # of a block beyond the depth of two
    (tmp_path / "mine.json").write_text(json.dumps([inactive, architecture(mbv3_space, d=[4, 2, 2, 2, 2])]))
    mapping = "{" + ", ".join(f"{key}: {value}" for key, value in architecture(mbv3_space).items()) + "}"
    done = dynas(
        "evaluate", f"architectures=[smallest,largest,mine.json,{mapping}]", "objectives=[latency,macs]", *BRIEF,
        "hydra.run.dir=run", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "5 architectures given, 3 distinct sub-networks: each measured once" in done.stdout
    assert "smallest, mine.json #1, given" in done.stdout
    smallest, largest, deeper = read_rows(tmp_path / "run")
    assert json.loads(largest["architecture"]) == mbv3_space.decode(mbv3_space.largest())
    assert int(smallest["macs [MAC]"]) < int(deeper["macs [MAC]"]) < int(largest["macs [MAC]"])
    assert all(float(row["latency [ms]"]) > 0 for row in (smallest, largest, deeper))


def test_a_run_does_not_go_on_with_other_architectures(mbv3_space: SearchSpace, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(architecture(mbv3_space)))
    done = dynas("evaluate", "architectures=mine.json", COUNTED, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "mine.json").write_text(json.dumps(architecture(mbv3_space, d=[3] * 5)))
    refused = dynas("evaluate", "resume=run", cwd=tmp_path)
    assert refused.returncode == 1
    assert "no longer names" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_what_fails_is_named_and_a_run_of_failures_is_a_failure(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "tests" / "helpers" / "own", tmp_path / "own"))
    broken = "broken:\n  direction: max\n  unit: points\n  metric: {_target_: broken.Broken}\n"
    (folder / "configs" / "objectives" / "broken.yaml").write_text(broken)
    (folder / "broken.py").write_text(
        "from dynas.core.metric import MeasuredMetric\n"
        "class Broken(MeasuredMetric):\n"
        "    def measure(self, subnets, bench):\n"
        "        raise ValueError('no points')\n"
    )
    own = ("--config-dir", "configs", "supernet=perceptrons", "objectives=[broken,macs]")
    done = dynas("evaluate", *own, "architectures={width: [8, 16]}", "hydra.run.dir=run", cwd=folder)
    assert done.returncode == 1
    assert "given failed: ValueError: no points" in done.stdout
    assert read_rows(folder / "run")[0]["error"] == "ValueError: no points"


def test_nothing_named_is_refused_in_one_sentence(tmp_path: Path) -> None:
    refused = dynas("evaluate", cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith("dynas: no architectures named: give smallest, largest,")
    assert len(refused.stderr.strip().splitlines()) == 1


def test_help_and_config_are_shown(tmp_path: Path) -> None:
    assert "dynas evaluate measures given architectures" in dynas("evaluate", "--help", cwd=tmp_path).stdout
    assert "architectures: null" in dynas("evaluate", "--cfg", "job", cwd=tmp_path).stdout


def test_a_space_is_read_from_json_text_and_from_other_peoples_tables(tiny_space: SearchSpace, tmp_path: Path) -> None:
    table = tmp_path / "theirs.csv"
    table.write_text("d,ks,top1\n2,5,71.5\n1,3,\n")
    candidates = read_architectures(['{"d": 2, "ks": 3}', str(table)], None, tiny_space, [TOP1, MACS])
    assert [tiny_space.decode(one.genotype) for one in candidates] == [
        {"d": 2, "ks": 3},
        {"d": 2, "ks": 5},
        {"d": 1, "ks": 3},
    ]
    assert [one.name for one in candidates] == ["given", "row 1", "row 2"]
    assert candidates[1].earlier == {"top1": 71.5}
    assert np.isnan(candidates[2].earlier["top1"])
    (second,) = read_architectures(str(table), 2, tiny_space, [TOP1])
    assert tiny_space.decode(second.genotype) == {"d": 1, "ks": 3}


@pytest.fixture
def folder(tiny_space: SearchSpace, tmp_path: Path) -> Path:
    """A folder with files that are wrong in one way each."""
    files = {
        "text.json": "no json",
        "none.json": "[]",
        "other.json": '{"ks": [3, 5]}',
        "second.json": '[{"d": 1, "ks": 3}, {"d": 1, "ks": 9}]',
        "number.json": "3",
        "rows.csv": "index,d,ks\n4,1,3\n9,2,5\n",
        "words.csv": "d,ks,top1\n1,3,good\n",
        "empty.csv": "d,ks\n",
        "columns.csv": "d,top1\n1,70\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "nothing").mkdir()
    RunStore(tmp_path / "started", tiny_space, [TOP1]).close()
    objective = {"name": "top1", "direction": "max", "unit": "%"}
    write_run(tmp_path / "started", {"status": "x", "choices": {}, "seed": 0, "budget": 1, "objectives": [objective]})
    return tmp_path


REFUSED: list[tuple[Any, Any, str]] = [
    ([], None, "no architectures named"),
    (7, None, "architectures=7 names none"),
    ([["smallest"]], None, "names none"),
    ("biggest", None, "architectures=biggest: there is no such file; give smallest, largest"),
    ("none.json", None, "is an empty list"),
    ("text.json", None, "text.json' is not JSON"),
    ("other.json", None, "other.json' is no sub-network of this space"),
    ("second.json", None, "second.json #2' is no sub-network of this space: 'ks' cannot be 9"),
    ("number.json", None, "is no sub-network of this space"),
    ("nothing", None, "is not a run folder: it has no run.json"),
    ("started", None, "has no front"),
    ("started", "all", "has no rows yet"),
    ("gone.csv", None, "gone.csv' does not exist"),
    ("empty.csv", None, "has no rows yet"),
    ("columns.csv", None, "'ks' is missing"),
    ("words.csv", None, "line 2 has 'good' as top1"),
    ("rows.csv", [4, 5], "rows.csv' has no row 5: give indices from 4 to 9"),
    ("rows.csv", "some", "rows=some: give indices of rows such as rows=[3,17], or rows=all"),
    ("rows.csv", [], "give indices of rows"),
    ("rows.csv", [True], "give indices of rows"),
    ("smallest", [3], "rows=[3] chooses from a run folder or a CSV file"),
]


@pytest.mark.parametrize(("given", "rows", "message"), REFUSED, ids=[f"{one[0]} {one[1]}" for one in REFUSED])
def test_what_names_no_architecture_is_refused(
    given: Any, rows: Any, message: str, folder: Path, tiny_space: SearchSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(DynasError) as refused:
        read_architectures(given, rows, tiny_space, [TOP1])
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_run_of_another_space_is_refused(search: Path, tiny_space: SearchSpace) -> None:
    with pytest.raises(DynasError, match=r"results\.csv' line \d+ is no sub-network of this space"):
        read_architectures(str(search), None, tiny_space, [TOP1])
