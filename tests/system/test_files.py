"""Files that are replaced as a whole, by processes that may be killed meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from dynas.system.files import replacing, write_atomic
from tests.helpers.cli import ROOT

DYING = """
import os, signal, sys
from pathlib import Path
from dynas.system.files import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "[a]*.csv"
    path.write_text("before")
    subprocess.run([sys.executable, "-c", DYING, str(path)], cwd=ROOT, check=False)
    assert path.read_text() == "before"
    assert len(names(tmp_path)) == 2
    for other in ("[a]*.csv.notes.partial", f"a.csv.{'0' * 16}.partial"):
        (tmp_path / other).write_text("somebody's")
    write_atomic(path, "after")
    assert path.read_text() == "after"
    assert names(tmp_path) == {path.name, "[a]*.csv.notes.partial", f"a.csv.{'0' * 16}.partial"}


def test_what_somebody_is_still_writing_stays(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with replacing(path) as file:
        file.write(b"first")
        write_atomic(path, "second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert names(tmp_path) == {"table.csv"}


def test_files_are_for_whom_the_umask_says(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_atomic(tmp_path / "table.csv", "x")
    finally:
        os.umask(mask)
    assert (tmp_path / "table.csv").stat().st_mode & 0o777 == 0o640
