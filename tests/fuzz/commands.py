"""Runs the command line in this process, as often as a fuzz test wants."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dynas.cli import main
from tests.fuzz.mutations import check_sentence, count, in_time


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Put back what a command changes of its process."""
    folder, arguments, path, mask = os.getcwd(), list(sys.argv), list(sys.path), os.umask(0o022)
    try:
        yield
    finally:
        os.umask(mask)
        os.chdir(folder)
        sys.argv[:], sys.path[:] = arguments, path


def outcome(arguments: Sequence[str], cwd: Path, run: Callable[[list[str]], int] = main) -> int:
    """Return the exit status of a command, which is 0, or 1 after one sentence; it writes nowhere but in its folder."""
    printed, errors = io.StringIO(), io.StringIO()
    beside = sorted(cwd.parent.iterdir())
    with kept(), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors), in_time():
        os.chdir(cwd)
        try:
            status = run(list(arguments))
        except SystemExit as stopped:
            status = stopped.code if isinstance(stopped.code, int) else 0
    told = [line for line in errors.getvalue().split("\n") if line and not line.startswith("dynas: warning: ")]
    if status == 1:
        assert len(told) == 1, errors.getvalue()
        assert told[0].startswith("dynas: "), told
        check_sentence(told[0])
    else:
        assert status == 0, (status, errors.getvalue())
    assert "Traceback" not in errors.getvalue()
    assert not list(cwd.rglob("*.partial"))
    assert sorted(cwd.parent.iterdir()) == beside
    count(status == 0)
    return status
