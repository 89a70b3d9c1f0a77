"""Sweeps: what failed is told, an interrupt ends them, they go on, and refused commands leave no folder."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.helpers.cli import command, dynas, read_rows
from tests.helpers.processes import interrupt, start

pytestmark = pytest.mark.slow

TINY = (
    *("supernet=mbv3", "data=imagenet_surrogate", "hardware=note10", "mode=validation", "algo=random"),
    *("algo.population=5", "budget=5"),
)


@pytest.mark.parametrize("launcher", [(), ("hydra/launcher=joblib",)], ids=["in turns", "joblib"])
def test_each_failed_job_is_listed_with_its_reason_and_the_others_are_done(
    launcher: tuple[str, ...], tmp_path: Path
) -> None:
    done = dynas("search", "-m", *TINY, "seed=1,-2,3", "hydra.sweep.dir=sweep", *launcher, cwd=tmp_path)
    assert done.returncode == 1
    assert "sweep sweep: 2 done, 1 failed:\n  job 2 (seed=-2) failed: seed=-2: give 0 or more" in done.stdout
    assert "dynas report sweep" in done.stdout
    if not launcher:
        assert "dynas search, job 1 of 3: seed=1\n" in done.stdout
        assert "dynas search, job 3 of 3: seed=3\n" in done.stdout
    assert sorted(path.name for path in (tmp_path / "sweep").iterdir() if path.is_dir()) == ["0", "2"]
    if not launcher:
        assert "job 2 (seed=-2) failed: seed=-2" in done.stderr
    (tmp_path / "sweep" / "2" / "results.csv").unlink()
    (tmp_path / "sweep" / "2" / "run.json").unlink()
    again = dynas("search", "resume=sweep", cwd=tmp_path)
    assert again.returncode == 1, again.stdout
    assert "2 done, 1 failed" in again.stdout
    assert len(read_rows(tmp_path / "sweep" / "2")) == 5


def test_an_interrupt_ends_the_sweep_and_it_goes_on(tmp_path: Path) -> None:
    words = command("search", "-m", *TINY[:-1], "budget=4000", "seed=1,2", "hydra.sweep.dir=sweep")
    printed, _ = interrupt(start(*words, cwd=tmp_path), tmp_path / "sweep" / "0" / "results.csv")
    assert "interrupted; go on with: dynas search resume=sweep" in printed
    assert not (tmp_path / "sweep" / "1").exists()
    measured = len(read_rows(tmp_path / "sweep" / "0"))
    multirun = tmp_path / "sweep" / "multirun.yaml"
    assert 0 < measured < 4000
    hostile = yaml.safe_load(multirun.read_text())
    hostile["hydra"]["overrides"]["task"].append("executor._target_=os.abort,os.getcwd")
    kept = multirun.read_text()
    multirun.write_text(yaml.safe_dump(hostile))
    refused = dynas("search", "resume=sweep", cwd=tmp_path)
    assert refused.returncode == 1
    assert "names code to run and is not taken over unseen" in refused.stderr
    multirun.write_text(kept)
    other = dynas("evaluate", "resume=sweep", cwd=tmp_path)
    assert "is a sweep of dynas search" in other.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("budget=2",),
        ("supernet.width=0",),
        ("hydra.run.dir=new/deep/run", "budget=2"),
        ("-m", "supernet=mbv8,mbv9"),
        ("-m", "budget=2,3"),
    ],
    ids=" ".join,
)
def test_a_refused_command_leaves_nothing_and_takes_nothing(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    refused = dynas("search", *TINY, *arguments, cwd=tmp_path)
    assert refused.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_folder_with_something_else_in_it_stays(tmp_path: Path) -> None:
    (tmp_path / "notes.log").write_text("mine")
    assert dynas("search", *TINY, "budget=2", "hydra.run.dir=.", cwd=tmp_path).returncode == 1
    assert (tmp_path / "notes.log").read_text() == "mine"
