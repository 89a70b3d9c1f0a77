"""The command line from outside: what is written, what is refused, what survives."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.helpers.cli import QUICK, ROOT, command, dynas, read_rows
from tests.helpers.processes import interrupt, start

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A finished quick run and what it printed."""
    cwd = tmp_path_factory.mktemp("finished")
    done = dynas("search", *QUICK, "hydra.run.dir=run", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return cwd / "run", done.stdout


def test_a_run_folder_holds_everything_that_is_promised(finished: tuple[Path, str]) -> None:
    folder, printed = finished
    rows = read_rows(folder)
    assert [int(row["index"]) for row in rows] == list(range(1, 13))
    assert {row["iteration"] for row in rows} == {"1", "2"}
    assert len({row["key"] for row in rows}) == 12
    assert all(0 <= float(row["top1 [%]"]) <= 100 and int(row["macs [MAC]"]) > 0 for row in rows)
    assert set(json.loads(rows[0]["architecture"])) == {"ks", "e", "d"}
    facts = json.loads((folder / "run.json").read_text())
    assert facts["status"] == "finished"
    assert facts["evaluations"] == 12
    assert facts["space_size"] == 7371**5
    assert re.fullmatch(r"[0-9a-f]{64}", facts["data_sha256"])
    assert len((folder / "hypervolume.csv").read_text().splitlines()) == 13
    assert (folder / "front.csv").read_text().count("\n") >= 2
    assert (folder / "predictors.csv").read_text().startswith("iteration,objective,examples,mape [%],kendall_tau")
    assert (folder / ".hydra" / "config.yaml").exists()
    assert "evaluation 12" in (folder / "search.log").read_text()
    for picture in ("front.png", "hypervolume.png"):
        assert (folder / picture).read_bytes().startswith(PNG)
        assert picture in printed
    assert "hypervolume" in printed


def test_a_search_ends_with_the_next_command_and_that_with_the_one_after(finished: tuple[Path, str]) -> None:
    folder, printed = finished
    name, *words = shlex.split(printed.splitlines()[-1].partition("choose one of them: ")[2])
    assert (name, words) == ("dynas", ["report", str(folder), "--pick", "knee"])
    picked = dynas(*words, cwd=folder.parent)
    assert picked.returncode == 0, picked.stderr
    assert shlex.split(picked.stdout.splitlines()[-1])[:4] == ["dynas", "export", str(folder), "--row"]


def test_the_same_seed_finds_the_same_and_another_seed_does_not(finished: tuple[Path, str], tmp_path: Path) -> None:
    again = dynas("search", *QUICK, "-m", "seed=0,1", "hydra.sweep.dir=sweep", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    same, other = read_rows(tmp_path / "sweep" / "0"), read_rows(tmp_path / "sweep" / "1")
    values = ("key", "top1 [%]", "macs [MAC]")
    first = [[row[name] for name in values] for row in read_rows(finished[0])]
    assert [[row[name] for name in values] for row in same] == first
    assert [row["key"] for row in other] != [row["key"] for row in same]
    report = dynas("report", "sweep", "--pictures", "pictures", cwd=tmp_path)
    assert report.returncode == 0, report.stderr
    assert "reference" in report.stdout.lower()
    assert list((tmp_path / "pictures").glob("*.png"))


def test_a_killed_run_resumes_to_the_same_candidates_and_measures_nothing_twice(
    finished: tuple[Path, str], tmp_path: Path
) -> None:
    arguments = command("search", *QUICK, "hydra.run.dir=killed")
    child = subprocess.Popen(
        arguments, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    results = tmp_path / "killed" / "results.csv"
    deadline = time.monotonic() + 120
    while child.poll() is None and time.monotonic() < deadline:
        if results.exists() and results.read_text().count("\n") >= 6:
            break
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    before = results.read_text().splitlines()
    assert 6 <= len(before) < 13, "the run must be killed half-way"
    results.write_text("\n".join(before) + '\n9,2,"ks01')  # and its last line torn
    resumed = dynas("search", "resume=killed", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert results.read_text().splitlines()[: len(before)] == before
    expected = [(row["index"], row["key"], row["top1 [%]"]) for row in read_rows(finished[0])]
    assert [(row["index"], row["key"], row["top1 [%]"]) for row in read_rows(tmp_path / "killed")] == expected


def test_an_interrupt_writes_the_front_and_says_how_to_go_on(tmp_path: Path) -> None:
    words = command("search", *QUICK, "hydra.run.dir=stopped", "data.validation_size=2000")
    printed, _ = interrupt(start(*words, cwd=tmp_path), tmp_path / "stopped" / "results.csv")
    assert "resume=stopped" in printed.replace(str(tmp_path) + "/", "")
    assert (tmp_path / "stopped" / "front.csv").exists()
    assert json.loads((tmp_path / "stopped" / "run.json").read_text())["status"] == "interrupted"


def test_a_finished_run_can_be_resumed_and_stays_as_it_is(finished: tuple[Path, str]) -> None:
    folder, _ = finished
    before = (folder / "results.csv").read_bytes()
    again = dynas("search", f"resume={folder}", cwd=folder.parent)
    assert again.returncode == 0, again.stderr
    assert (folder / "results.csv").read_bytes() == before


REFUSED = [
    (["serch"], "unknown command 'serch'"),
    (["search", "supernet=foo"], "unknown supernet 'foo': choose one of autoformer_b, autoformer_s, "),
    (
        ["search", "algo=foo"],
        "unknown algo 'foo': choose one of agemoea, cmaes, ctaea, ga, moead, motpe, nsga2, "
        "pareto_local_search, random, unsga3",
    ),
    (["search", "mode=foo"], "unknown mode 'foo': choose one of additive, linas, linas_paper, oneshot, validation"),
    (["search", "objectives=[top1,foo]"], "unknown objectives 'foo': choose one of"),
    (["search", "objectives=[]"], "no objectives"),
    (["search", "objectives=[macs]", "algo=nsga2"], "algo=nsga2 needs at least 2 objectives, 1 given"),
    (["search", "budget=ten"], "budget"),
    (["search", "budget=9"], "budget=9 is smaller than mode.population=10"),
    (["search", "mode=validation", "budget=20"], "budget=20 is smaller than algo.population=100"),
    (["search", "buget=20"], "no config key 'buget'; did you mean budget?"),
    (["search", "supernt=mbv3"], "did you mean supernet?"),
    (["search", "algo=nsga3"], "did you mean unsga3?"),
    (["search", "mode=one_shot"], "did you mean oneshot?"),
    (["search", "objectives.latncy.bound=3"], "did you mean objectives.latency.bound?"),
    (
        ["search", "objectives=top1_macs", "objectives.macs.bound=10"],
        "bound=10 of objective macs leaves no sub-network: the least that one has is",
    ),
    (["search", "supernet=ncf", "hardware.thread=2"], "did you mean hardware.threads?"),
    (["search", "experiment=fast"], "paper/linas, "),
    (["search", "--cfgg", "job"], "no option --cfgg; did you mean --cfg?"),
    (["search", "hydra.verbose=1"], "hydra.verbose=1: give true, false"),
    (["search", "-m", "hydra/launcher=submitit_slurm", "seed=1,2"], "pip install 'hydra-submitit-launcher>="),
    (["train", "data=fashion_mnist", "start=/nope.pth"], "no weights at '/nope.pth'"),
    (["search", "seed"], "seed"),
    (["search", "data.source=/nowhere"], "no Fashion-MNIST folder '/nowhere'"),
    (["search", "supernet.weights=/nowhere.pt"], "no weights at '/nowhere.pt'"),
    (["search", "supernet.width=1.0"], "do not fit this supernet"),
    (["search", "data.garments=1"], "supernet.classes=100 but the data has 10 classes"),
    (["search", "hardware.threads=4096"], "hardware.threads=4096"),
    (["search", "algo.crossover=2"], "algo.crossover"),
    (["search", "resume=/nowhere"], "not a run folder"),
    (["train", "recipe.epochs=0"], "epochs"),
    (["train", "data=fashion_mnist", "recipe.progressive=[foo]"], "recipe.progressive names 'foo'"),
    (["report", "/nowhere"], "/nowhere"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(arguments) for arguments, _ in REFUSED])
def test_bad_input_gets_one_clear_sentence(arguments: list[str], message: str, tmp_path: Path) -> None:
    refused = dynas(*arguments, cwd=tmp_path)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1, refused.stderr
    assert refused.stderr.startswith("dynas: ")


def test_an_outputs_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("a file stands where the folder should be")
    refused = dynas("search", cwd=tmp_path)
    assert refused.returncode == 1
    assert str(tmp_path / "outputs") in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_resuming_with_another_config_is_refused_and_loses_nothing(finished: tuple[Path, str]) -> None:
    folder, _ = finished
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.suffix != ".log"}
    refused = dynas("search", f"resume={folder}", "seed=7", cwd=folder.parent)
    assert refused.returncode == 1
    assert "seed=0 (now 7)" in refused.stderr
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.suffix != ".log"}
    assert after == before


def test_a_new_run_does_not_mix_with_an_old_one(finished: tuple[Path, str]) -> None:
    folder, _ = finished
    before = (folder / "results.csv").read_bytes()
    refused = dynas("search", *QUICK, "seed=3", f"hydra.run.dir={folder}", cwd=folder.parent)
    assert refused.returncode == 1
    assert "already holds a run" in refused.stderr
    assert (folder / "results.csv").read_bytes() == before


def test_a_foreign_results_file_is_refused_and_left_alone(finished: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "run.json").write_text((finished[0] / "run.json").read_text())
    (folder / "results.csv").write_text("name,score\nsomebody,1\n")
    refused = dynas("search", f"resume={folder}", cwd=tmp_path)
    assert refused.returncode == 1
    assert "is not a results.csv" in refused.stderr
    assert (folder / "results.csv").read_text() == "name,score\nsomebody,1\n"


def test_resuming_takes_no_code_from_the_folder(finished: tuple[Path, str], tmp_path: Path) -> None:
    facts = json.loads((finished[0] / "run.json").read_text())
    facts["overrides"].append("mode._target_=os.abort")
    (tmp_path / "run.json").write_text(json.dumps(facts))
    refused = dynas("search", f"resume={tmp_path}", cwd=tmp_path)
    assert refused.returncode == 1
    assert "not taken over unseen" in refused.stderr


def test_help_names_every_command_and_config_group(tmp_path: Path) -> None:
    commands = ("search", "evaluate", "transfer", "export", "report", "train", "lut", "predictors")
    assert all(f"dynas {name}" in dynas("--help", cwd=tmp_path).stdout for name in commands)
    shown = dynas("search", "--help", cwd=tmp_path).stdout
    assert all(f"{group}:" in shown for group in ("supernet", "algo", "mode", "objectives", "predictor", "hardware"))


def test_showing_the_config_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from dynas.cli import main; status = main(['search', '--cfg', 'job']); "
        "sys.exit(status or ('torch' in sys.modules))"
    )
    shown = subprocess.run(
        [command()[0], "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "predicted_evaluations: 10000" in shown.stdout


def test_flags_may_stand_between_overrides(tmp_path: Path) -> None:
    shown = dynas("search", "seed=5", "--cfg", "job", "budget=99", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "seed: 5" in shown.stdout
    assert "budget: 99" in shown.stdout


def test_a_bound_keeps_the_front_within_it(tmp_path: Path) -> None:
    done = dynas("search", *QUICK, "objectives.macs.bound=4000000", "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "run" / "front.csv").read_text().splitlines()
    column = lines[0].split(",").index("macs [MAC]")
    assert len(lines) > 1
    assert all(int(line.split(",")[column]) <= 4_000_000 for line in lines[1:])


def test_a_warning_is_one_line_and_comes_once(tmp_path: Path) -> None:
    done = dynas("search", "objectives=[top1,macs,params]", "algo=nsga2", *QUICK[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if "warning" in line.lower()]
    assert lines == [
        "dynas: warning: algo=nsga2 suits two objectives best, 3 given: consider algo=unsga3, algo=ctaea or algo=moead"
    ]
