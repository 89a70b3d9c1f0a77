"""Another's run folder may hold links and pipes: nothing outside it is written."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from dynas import DesignVariable, DynasError, Objective, SearchSpace
from dynas.runs.names import RESULTS
from dynas.runs.store import RunStore
from dynas.system.files import refuse_links, replacing, write_atomic
from tests.helpers.cli import dynas

SPACE = SearchSpace([DesignVariable("a", (0, 1, 2))])
NAMES = ["search.log", "results.csv", "front.csv", "run.json", "x.partial", ".hydra/config.yaml"]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_folder_with_a_link_is_refused_and_what_it_points_to_stays(tmp_path: Path, name: str) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "run"
    victim.write_text("mine")
    (folder / name).parent.mkdir(parents=True)
    (folder / name).symlink_to(victim)
    for how in (f"resume={folder}", f"hydra.run.dir={folder}"):
        answer = dynas("search", "supernet=mbv3", how, cwd=tmp_path)
        assert answer.returncode == 1
        assert "Traceback" not in answer.stderr
    assert victim.read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == ["run", "victim"]
    with pytest.raises(DynasError, match="is a link or no plain file"):
        refuse_links(folder)


@pytest.mark.parametrize("name", ["multirun.yaml", "jobs.csv", "0/search.log", "0/.hydra/config.yaml", "0"])
def test_so_is_a_sweep_folder(tmp_path: Path, name: str) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "sweep"
    victim.mkdir()
    (victim / "file").write_text("mine")
    (folder / name).parent.mkdir(parents=True)
    (folder / name).symlink_to(victim if name == "0" else victim / "file")
    answer = dynas("search", "-m", "seed=1,2", f"hydra.sweep.dir={folder}", cwd=tmp_path)
    assert answer.returncode == 1
    assert "is a link or no plain file" in answer.stderr
    assert [path.name for path in victim.iterdir()] == ["file"]
    assert (victim / "file").read_text() == "mine"


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "results.csv")
    with pytest.raises(DynasError, match="no plain file"):
        refuse_links(tmp_path)


def test_a_replaced_file_is_written_beside_no_name_that_could_be_guessed(tmp_path: Path) -> None:
    victim, front = tmp_path / "victim", tmp_path / "front.csv"
    victim.write_text("mine")
    (tmp_path / "front.csv.partial").symlink_to(victim)
    front.symlink_to(victim)
    write_atomic(front, "ours")
    assert (victim.read_text(), front.read_text(), front.is_symlink()) == ("mine", "ours", False)
    with suppress(RuntimeError), replacing(front) as file:
        file.write(b"half")
        raise RuntimeError
    assert front.read_text() == "ours"
    assert sorted(os.listdir(tmp_path)) == ["front.csv", "front.csv.partial", "victim"]


def test_rows_are_not_appended_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").touch()
    (tmp_path / RESULTS).symlink_to(tmp_path / "victim")
    with pytest.raises(DynasError, match="cannot write results"):
        RunStore(tmp_path, SPACE, [Objective("q", "max", "u")])
    assert (tmp_path / "victim").read_bytes() == b""
