"""``dynas report`` from argument list to files and text."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from dynas.commands.export import make_parser as export_parser
from dynas.commands.report import main
from dynas.errors import DynasError
from dynas.report.compare import compare
from dynas.report.plots.pictures import pictures
from dynas.report.series import by_precision, by_range
from dynas.runs.load import load_run
from tests.helpers.cli import ROOT, command
from tests.helpers.run_folders import FIVE, LATENCY, MACS, TOP1, write_search

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Two seeds of two methods."""
    for seed in (0, 1):
        write_search(tmp_path / "sweep" / f"linas_{seed}", [*FIVE, (91, 7 - seed)], seed=seed)
        choices = {"mode": "validation", "algo": "random"}
        write_search(tmp_path / "sweep" / f"random_{seed}", [*FIVE, (81, 9)], choices=choices, seed=seed)
    return tmp_path / "sweep"


def test_a_sweep_is_compared(sweep: Path, capsys: Capture) -> None:
    assert main([str(sweep)]) == 0
    printed = capsys.readouterr().out
    assert "linas nsga2" in printed
    assert "validation random" in printed
    assert "reference point: top1 80 %; latency 10 ms" in printed
    assert "all: supernet mbv3, data fashion_mnist, hardware cpu" in printed
    assert not list(sweep.glob("*.*"))  # nothing is written that nobody asked for


def test_a_single_run_shows_its_front(sweep: Path, capsys: Capture) -> None:
    assert main([str(sweep / "linas_0")]) == 0
    printed = capsys.readouterr().out
    assert "front: 2 of 6 sub-networks" in printed
    assert "to #1" not in printed


def test_machine_readable_formats_are_alone_on_standard_output(sweep: Path, capsys: Capture) -> None:
    assert main([str(sweep), "--format", "json"]) == 0
    captured = capsys.readouterr()
    records = json.loads(captured.out)
    assert [record["seeds"] for record in records] == [2, 2]
    assert "reference point" in captured.err
    assert main([str(sweep), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(row["hypervolume"]) for row in rows] == [record["hypervolume"] for record in records]
    assert main([str(sweep), "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("| runs | seeds |")


def test_the_pictures_that_apply_are_drawn(sweep: Path, tmp_path: Path, capsys: Capture) -> None:
    predictors = "iteration,objective,examples,mape [%],kendall_tau\n1,top1,2,0.5,0.8\n2,top1,4,0.25,0.9\n"
    (sweep / "linas_0" / "predictors.csv").write_text(predictors)
    assert main([str(sweep), "--pictures", str(tmp_path / "pictures")]) == 0
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert names == {
        f"{name}{end}"
        for name in ("hypervolume", "fronts", "attainment", "progress", "predictors")
        for end in (".svg", ".pdf", ".png")
    }
    assert str(tmp_path / "pictures" / "fronts.svg") in capsys.readouterr().out
    for path in (tmp_path / "pictures").glob("*.png"):
        with Image.open(path) as image:
            assert len(image.convert("L").getcolors(256) or []) > 10
    (tmp_path / "file").touch()
    with pytest.raises(DynasError, match=r"cannot write '.*file'"):
        main([str(sweep), "--pictures", str(tmp_path / "file")])
    (sweep / "linas_0" / "predictors.csv").write_text("iteration,objective\n1,top1\n")
    with pytest.raises(DynasError, match=r"predictors\.csv' is not a predictors\.csv of dynas"):
        main([str(sweep), "--pictures", str(tmp_path / "pictures")])


def test_more_objectives_ranges_and_precisions_have_pictures_of_their_own(tmp_path: Path) -> None:
    values = [(80, 10, 3e8), (85, 5, 1e8), (88, 6, 2e8), (90, 8, 2.5e8)]
    write_search(tmp_path / "three", values, [TOP1, LATENCY, MACS])
    assert {"costs", "fronts"} <= set(pictures(compare([load_run(tmp_path / "three")])))
    config = {"mode": {"training": 2, "ranges": {"latency": [5, 8]}}}
    run = write_search(tmp_path / "ranged", [(80, 10), (81, 9), (85, 5), (86, 5), (88, 7), (90, 8)], config=config)
    (group,) = (comparison := compare([load_run(run)])).groups
    assert [(one.name, one.values.tolist()) for one in by_range(comparison)] == [
        ("one-shot, latency up to 5 ms", [[85, 5], [86, 5]]),
        ("one-shot, latency up to 8 ms", [[88, 7], [90, 8]]),
    ]
    table = run / "results.csv"
    lines = table.read_text().splitlines()
    lines = [line.replace('""d""', f'""p"": ""{("fp32", "int8")[row % 2]}"", ""d""') for row, line in enumerate(lines)]
    table.write_text("\n".join(lines) + "\n")
    found = {one.name: one.values.tolist() for one in by_precision(compare([load_run(run)]))}
    assert found == {"fp32": [[81, 9], [86, 5], [90, 8]], "int8": [[80, 10], [85, 5], [88, 7]]}
    draw = pictures(compare([load_run(run)]))["precisions"]
    draw(tmp_path / "precisions.pdf")
    assert (tmp_path / "precisions.pdf").read_bytes().startswith(b"%PDF")
    assert group.name == "linas nsga2"


def test_the_table_goes_where_it_is_told(sweep: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main([str(sweep), "--format", "csv", "--out", str(tmp_path / "table.csv")]) == 0
    assert len(list(csv.DictReader((tmp_path / "table.csv").open()))) == 2
    assert capsys.readouterr().out == ""
    with pytest.raises(DynasError, match=r"cannot write '.*missing"):
        main([str(sweep), "--out", str(tmp_path / "missing" / "a.csv")])


def test_one_subnetwork_is_picked_and_can_be_gone_on_with(sweep: Path, capsys: Capture) -> None:
    assert main([str(sweep), "--pick", "latency<=5"]) == 0
    printed = capsys.readouterr().out
    assert "row 2 of" in printed
    assert "top1 88 %; latency 4 ms" in printed
    assert "why: it is the only one on the front with latency <= 5 ms." in printed
    assert main([str(sweep), "--pick", "top1>=89,latency", "--format", "json"]) == 0
    picked = json.loads(capsys.readouterr().out)
    assert picked["measured"] == {"top1 [%]": 91.0, "latency [ms]": 6.0}
    assert picked["export"] == f"dynas export {picked['run']} --row 6"
    assert f"architectures={picked['run']} 'rows=[6]'" in picked["evaluate"]
    words = shlex.split(picked["export"])
    assert export_parser().parse_args(words[2:]).row == 6


def test_mixed_runs_are_refused_with_an_example_that_works(tmp_path: Path, capsys: Capture) -> None:
    config = {"hardware": {"threads": 2}, "data": {"source": "embedded"}}
    write_search(tmp_path / "a", FIVE)
    write_search(tmp_path / "b", FIVE, seed=1)
    write_search(tmp_path / "c", [row[::-1] for row in FIVE], [LATENCY, MACS])
    write_search(tmp_path / "d", FIVE, config=config)
    write_search(tmp_path / "e", FIVE, machine={"cpu": "another one"}, choices={"supernet": "resnet50"})
    with pytest.raises(DynasError, match="these runs differ in objectives: ") as refused:
        main([str(tmp_path)])
    where = shlex.split(str(refused.value).partition("e.g. ")[2])
    assert set(where[::2]) == {"--where"}
    assert main([str(tmp_path), *where, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["seeds"] == 2


def test_folders_are_printed_as_they_are_called(tmp_path: Path, capsys: Capture) -> None:
    folder = write_search(tmp_path / "a [/b] [red]:car: $x$ c", FIVE)
    assert main([str(folder), "--pictures", str(folder / "[/i]"), "--html", str(folder / "[b].html")]) == 0
    printed = capsys.readouterr().out
    for path in (folder / "[/i]" / "fronts.svg", folder / "[b].html"):
        assert f"  {path}\n" in printed
        assert path.is_file()
    assert main([str(folder), "--pick", "knee"]) == 0
    assert f"of {folder}: " in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_a_terminal_without_utf_8_shows_replaced_signs(sweep: Path, encoding: str) -> None:
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command("report", str(sweep)), capture_output=True, env=environment, check=True)
    table = run.stdout.decode(encoding)
    assert "linas nsga2" in table
    assert ("—" in table) == (encoding == "utf-8")


def test_a_closed_standard_output_is_no_error(sweep: Path) -> None:
    closed = f"{shlex.join(command('report', str(sweep), '--html', str(sweep / 'a.html')))} >&- <&-"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(["bash", "-c", closed], capture_output=True, text=True, env=environment, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert (sweep / "a.html").read_text().startswith("<!DOCTYPE html>")


def test_a_latency_says_its_batch_and_threads(tmp_path: Path, capsys: Capture) -> None:
    facts = {"batch_size": 32, "threads": 1}
    folder = write_search(tmp_path / "a", FIVE, hardware=facts)
    for arguments in ([], ["--pick", "knee"]):
        assert main([str(folder), *arguments]) == 0
        assert "latency: batch of 32, 1 thread\n" in capsys.readouterr().out


def test_patterns_that_no_shell_expanded_are_understood(sweep: Path, capsys: Capture) -> None:
    assert main([str(sweep / "linas_*"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["seeds"] == 2
    with pytest.raises(DynasError, match=r"no folder matches '.*cmaes_"):
        main([str(sweep / "cmaes_*")])


def test_paths_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match="nowhere"):
        main([str(tmp_path / "nowhere")])


def test_loading_the_command_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'hydra', 'omegaconf', 'pymoo', 'matplotlib', 'sklearn', 'pandas', 'scipy.stats'}"
    code = f"import sys, dynas.commands.report, dynas.report.outputs; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
