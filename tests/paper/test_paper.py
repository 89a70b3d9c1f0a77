"""``dynas paper``: what it lists, makes, keeps, goes on with, and refuses."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from scipy.stats import kendalltau

from dynas.commands.paper import chosen, make_parser
from dynas.compose.frames import register
from dynas.compose.numbers import check_numbers
from dynas.paper.cells import TABLES, Cells
from dynas.paper.claims import FAILS, HOLDS, Claim, read_claims
from dynas.paper.facts import Machines, Spaces
from dynas.paper.figures import FIGURES
from dynas.paper.jobs import Job
from dynas.paper.landscapes import MBV3, NOTE10, NSGA2
from dynas.paper.predictors import SIZES, TRIALS, Studied, precise
from dynas.paper.searches import Size
from dynas.predictors.study import Average
from dynas.report.predictor_tables import write_averages
from dynas.runs.names import PREDICTORS
from dynas.system.folders import CONFIGS
from dynas.system.machine import cpu_model
from tests.helpers.cli import ROOT, command, dynas

pytestmark = pytest.mark.slow

SMALL = ("--seeds", "1", "--budget", "60")
PNG = b"\x89PNG\r\n\x1a\n"


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Figure 9 at a small size, and what was printed."""
    folder = tmp_path_factory.mktemp("paper")
    done = dynas("paper", "figure9", *SMALL, "--out", "out", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "out", done.stdout


def states(out: Path) -> dict[str, int]:
    """When each file of each run was written."""
    return {str(path.relative_to(out)): path.stat().st_mtime_ns for path in (out / "runs").rglob("*") if path.is_file()}


def test_a_list_says_what_there_is_and_what_it_takes(tmp_path: Path) -> None:
    shown = dynas("paper", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    lines = {line.split()[0]: line for line in shown.stdout.splitlines() if line.strip()}
    assert {figure.name for figure in FIGURES} <= lines.keys()
    assert "20 searches" in lines["figure9"]
    assert "none" in lines["table5"]
    assert list(tmp_path.iterdir()) == []
    assert dynas("paper", "list", cwd=tmp_path).stdout == shown.stdout


def test_a_figure_has_pictures_table_claims_and_text(made: tuple[Path, str]) -> None:
    out, printed = made
    folder = out / "figure9"
    for name in ("ranges", "hypervolume"):
        assert (folder / f"figure9_{name}.png").read_bytes().startswith(PNG)
        assert (folder / f"figure9_{name}.svg").read_text().startswith("<?xml")
    groups = read(folder / "figure9.csv")
    assert {row["runs"] for row in groups} == {
        "LINAS (paper)",
        "LINAS (default here)",
        "one-shot",
        "one-shot per range",
    }
    rows = read(folder / "figure9_evaluations.csv")
    assert len(rows) == 60 + 30 + 252 + 252
    for group in groups:
        last = [float(row["hypervolume"]) for row in rows if row["search"] == group["runs"]][-1]
        assert math.isclose(last, float(group["hypervolume"]))
    text = (folder / "figure9.md").read_text()
    assert "    dynas paper figure9 --seeds 1 --budget 60    # 20" in text
    assert "](figure9_ranges.png)" in text
    assert "run 4 of 4: Note10, " in printed
    (claim,) = read_claims(folder)
    assert claim.place == "Appendix G.1"
    assert f"| {claim.here} | {claim.verdict} |" in text
    page = (out / "paper.md").read_text()
    assert "](figure9/figure9_ranges.png)" in page
    assert "\n1 claims: " in page
    assert page.count(claim.here) == 2, "in the table of all claims, and with its figure"


def test_the_same_figure_again_runs_nothing_and_another_size_has_its_own_runs(made: tuple[Path, str]) -> None:
    out, _ = made
    before = states(out)
    again = dynas("paper", "figure9", *SMALL, "--out", str(out), cwd=out.parent)
    assert again.returncode == 0, again.stderr
    assert "4 of 4 runs are there already" in again.stdout
    assert states(out) == before
    part = next(figure for figure in FIGURES if figure.name == "figure9").parts[0]
    folders = {size: {job.name for job in part.jobs(Size(1, size))} for size in (60, 70)}
    assert folders[60] == {path.name for path in (out / "runs").iterdir() if path.is_dir()}
    assert not folders[60] & folders[70]


def test_an_unfinished_run_is_gone_on_with_and_no_other_is_touched(made: tuple[Path, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(made[0], out)
    (folder,) = (out / "runs").glob("note10-one-shot-252-*[0-9a-f]")
    whole = (folder / "results.csv").read_text()
    (folder / "results.csv").write_text("".join(whole.splitlines(keepends=True)[:11]))
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(facts | {"status": "interrupted"}))
    before = {name: written for name, written in states(out).items() if folder.name not in name}
    again = dynas("paper", "figure9", *SMALL, "--out", "out", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "3 of 4 runs are there already" in again.stdout
    assert "run 1 of 1: Note10, one-shot, 252" in again.stdout
    assert before.items() <= states(out).items()
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"
    keys = [row["key"] for row in read(folder / "results.csv")]
    assert keys == [line.split(",")[2] for line in whole.splitlines()[1:]], "the same sub-networks as at first"


def test_a_failed_run_is_one_sentence_and_all_stays(made: tuple[Path, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(made[0], out)
    (folder,) = (out / "runs").glob("note10-one-shot-252-*[0-9a-f]")
    facts = json.loads((folder / "run.json").read_text())
    facts["config"]["budget"] = 253  # as another version would have made it
    (folder / "run.json").write_text(json.dumps(facts | {"status": "interrupted"}))
    results = (folder / "results.csv").read_bytes()
    failed = dynas("paper", "figure9", *SMALL, "--out", "out", cwd=tmp_path)
    assert failed.returncode == 1
    assert len(failed.stderr.strip().splitlines()) == 1
    assert re.match(
        r"dynas: Note10, one-shot, .* failed: .*started with budget=253: "
        "go on with that or a larger one, not budget=252",
        failed.stderr,
    )
    assert (folder / "results.csv").read_bytes() == results


def test_an_interrupt_stops_the_search_and_says_how_to_go_on(tmp_path: Path) -> None:
    arguments = ("paper", "figure9", "--seeds", "1", "--budget", "2000", "--out", "out")
    child = subprocess.Popen(
        command(*arguments), cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    results: list[Path] = []
    while child.poll() is None and time.monotonic() < deadline:
        results = list(tmp_path.glob("out/runs/*/results.csv"))
        if results and results[0].read_bytes().count(b"\n") > 50:
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    printed, errors = child.communicate(timeout=60)
    assert child.returncode == 130, errors
    assert f"go on with: dynas {' '.join(arguments)}" in printed
    assert errors == ""
    facts = json.loads((results[0].parent / "run.json").read_text())
    assert facts["status"] == "interrupted"
    assert 50 <= facts["evaluations"] < 2000


REFUSED = [
    (("figure1",), "unknown figure or table 'figure1': choose one of all, figure10"),
    (("figure3", "--seeds", "0"), "--seeds 0: give 1 or more"),
    (("figure3", "--budget", "29"), "--budget 29: give 30 or more"),
    (("figure3", "--seeds", "many"), "argument --seeds: invalid int value: 'many'"),
    (("figure3", "--out", "taken"), "cannot write 'taken'"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(arguments) for arguments, _ in REFUSED])
def test_bad_input_gets_one_clear_sentence(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file stands where the folder should be")
    refused = dynas("paper", *arguments, cwd=tmp_path)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def distinct_jobs(size: Size) -> list[Job]:
    return list(dict.fromkeys(job for figure in FIGURES for part in figure.parts for job in part.jobs(size)))


@pytest.mark.parametrize("size", [Size(1), Size(1, 30)], ids=["default", "smallest"])
def test_every_search_of_every_figure_composes(size: Size) -> None:
    jobs = distinct_jobs(size)
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        for job in jobs:
            given = [argument.replace("{runs}", "/runs") for argument in job.arguments if "=" in argument]
            config = compose(job.command, overrides=given)
            if job.command == "search":
                check_numbers(config)
            if any(".population=" in argument for argument in given):
                assert 5 * config.algo.population <= config.budget, job.title


def test_figures_share_runs_and_nothing_else_has_the_same_folder() -> None:
    jobs = distinct_jobs(Size())
    assert len({job.name for job in jobs}) == len(jobs)
    asked = [job for figure in FIGURES for part in figure.parts for job in part.jobs(Size())]
    assert len(asked) > 1.5 * len(jobs)


def test_the_guide_and_the_page_name_figures_that_exist() -> None:
    for file in (ROOT / "docs" / "guide" / "paper.md", ROOT / "docs" / "benchmarks" / "paper.md"):
        lines = re.findall(r"^ {4}dynas paper\b([^#\n]*)", file.read_text(), flags=re.MULTILINE)
        assert lines
        for line in lines:
            chosen(make_parser().parse_args(line.split()).names)


def test_every_picture_of_the_page_lies_there_and_is_small() -> None:
    links = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (ROOT / "docs" / "benchmarks" / "paper.md").read_text())
    assert len(links) >= 10
    for link in links:
        assert (ROOT / "docs" / "benchmarks" / link).stat().st_size < 120_000


def test_populations_are_the_papers_where_the_budget_has_room_for_them() -> None:
    whole, few = (NSGA2.job(NOTE10, budget, 0).arguments for budget in (250, 100))
    assert not [one for one in whole if one.startswith("algo.population")]
    assert "algo.population=20" in few


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_settings_counts_the_cells_that_are_the_papers(table: str, tmp_path: Path) -> None:
    told = Cells(table=table).finish(Size(), tmp_path, tmp_path / table)
    cells = len(TABLES[table])
    (claim,) = told.claims
    assert (claim.here, claim.verdict) == (f"{cells} of {cells} cells", HOLDS)
    assert len(told.paragraphs[0].splitlines()) == 2 + cells == 2 + len(read(tmp_path / f"{table}.csv"))


def test_table_1_counts_spaces_exactly_and_judges_the_powers_of_ten(tmp_path: Path) -> None:
    told = Spaces().finish(Size(), tmp_path, tmp_path / "table1")
    for size in (7371**5, 2_458_914_796_962, 417_846_678_672_384, 7_489_800, 80_621_568):
        assert f"| {size:,} |" in told.paragraphs[0]
    verdicts = {claim.says: claim.verdict for claim in told.claims}
    assert verdicts["size of the space of MobileNetV3"] == HOLDS
    assert verdicts["size of the space of ResNet50"] == FAILS, "it is nearer to 10^12"
    assert verdicts["design variables of the Transformer"] == HOLDS


def test_table_2_names_this_machine_and_the_papers(tmp_path: Path) -> None:
    (text,) = Machines().finish(Size(), tmp_path, tmp_path / "table2").paragraphs
    assert f"| here: {cpu_model()} |" in text
    assert "| NVIDIA Titan V | 32 GB | 32 |" in text


def test_a_study_of_a_table_is_drawn_and_judged(tmp_path: Path) -> None:
    part = Studied((MBV3,), "latency", True, (Claim("Figure 7", "small error", "0.91 %", precise),))
    for job, (names, trials) in zip(part.jobs(Size()), TRIALS.items(), strict=True):
        rows = [
            Average(objective, name, size, trials, error, 0.1, 0.8, 0.01)
            for objective, error in (("top1", 0.5), ("latency", 3.0))
            for name in names
            for size in SIZES
        ]
        (tmp_path / job.name).mkdir()
        write_averages(tmp_path / job.name / PREDICTORS, rows)
    told = part.finish(Size(), tmp_path, tmp_path / "figure7")
    assert (tmp_path / "figure7.png").read_bytes().startswith(PNG)
    assert [(claim.here, claim.verdict) for claim in told.claims] == [("MobileNetV3 3.00 %", FAILS)]
    points = read(tmp_path / "figure7_points.csv")
    assert len(points) == 500
    measured, found = ([float(row[name]) for row in points] for name in ("measured", "predicted"))
    assert kendalltau(measured, found).statistic > 0.6, "really predicted"
    assert "| MobileNetV3, mlp | 3.00 | 3.00 | 3.00 | 3.00 | 0.800 |" in told.paragraphs[2]
