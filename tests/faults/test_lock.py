"""Two processes on one run folder."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sys
from pathlib import Path

import pytest

from dynas.system.folder_lock import locked
from tests.helpers.cli import command, dynas
from tests.helpers.processes import SURROGATE, kill, lines, one_sentence, results, start, wait_until

pytestmark = pytest.mark.slow

HOLD = """
import pathlib, sys, time, dynas.system.folder_lock
with dynas.system.folder_lock.locked(pathlib.Path(sys.argv[1])):
    print(flush=True)
    time.sleep(600)
"""


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("job", ["search", "evaluate", "transfer", "train", "predictors"])
def test_the_second_process_is_told_who_works_there_and_touches_nothing(job: str, whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    holder = start(sys.executable, "-c", HOLD, str(folder))
    assert holder.stdout is not None
    holder.stdout.readline()
    before = contents(folder)
    second = dynas(job, "resume=run", cwd=tmp_path)
    started_anew = dynas(job, "hydra.run.dir=run", cwd=tmp_path)
    after = contents(folder)
    kill(holder)
    assert after == before
    for refused in (second, started_anew):
        assert refused.returncode == 1
        assert one_sentence(refused.stderr)
        owner = (
            rf"'run' is in use by process {holder.pid} on {re.escape(socket.gethostname())} since 20\d\d-\S+ \S+ UTC"
        )
        assert re.search(owner, refused.stderr), refused.stderr


def test_a_killed_process_holds_nothing(whole: Path, tmp_path: Path) -> None:
    child = start(*command(*SURROGATE), cwd=tmp_path)
    wait_until(lambda: lines(tmp_path / "run" / "results.csv") > 5, child)
    refused = dynas("search", "resume=run", cwd=tmp_path)
    assert kill(child)
    assert f"in use by process {child.pid} " in refused.stderr
    resumed = dynas("search", "resume=run", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert results(tmp_path / "run") == results(whole)


def test_what_a_process_has_started_holds_nothing_either(tmp_path: Path) -> None:
    """Workers may outlive a killed process for a while."""
    with locked(tmp_path):
        child = os.fork()
        if child == 0:
            signal.pause()
    with locked(tmp_path):
        pass
    os.kill(child, 9)
    os.waitpid(child, 0)
    assert (tmp_path / ".lock").read_bytes() == b""
