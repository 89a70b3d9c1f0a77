"""Nothing goes over the network, and nobody else may write what we write, unless it is asked for."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.helpers.cli import BRIEF, QUICK, command
from tests.helpers.processes import ENVIRONMENT

pytestmark = pytest.mark.slow

BLOCK = """
import os, socket

def refuse(*arguments, **options):
    with open(os.environ["TOLD"], "a") as file:
        file.write(f"{arguments}\\n")
    raise OSError("the network is closed")

for name in ("connect", "connect_ex", "sendto", "bind"):
    setattr(socket.socket, name, refuse)
socket.getaddrinfo = socket.create_connection = refuse
"""


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a default search, but short, under a careless umask, with the network closed."""
    folder = tmp_path_factory.mktemp("closed")
    (folder / "sitecustomize.py").write_text(BLOCK)
    environment = ENVIRONMENT | {
        "PYTHONPATH": os.pathsep.join([str(folder), ENVIRONMENT["PYTHONPATH"]]),
        "TOLD": str(folder / "told"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    arguments = ("search", *QUICK[1:], *BRIEF, "hydra.run.dir=run")  # of accuracy and latency
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        umask=0,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_a_search_opens_no_connection(searched: Path) -> None:
    told = searched / "told"
    assert not told.exists(), told.read_text()


def test_only_the_owner_may_write_and_nothing_can_be_run(searched: Path) -> None:
    files = [path for path in (searched / "run").rglob("*") if path.is_file()]
    assert len(files) > 8
    modes = {str(path): stat.S_IMODE(path.stat().st_mode) for path in files}
    assert [path for path, mode in modes.items() if mode & 0o133] == []
    folders = [searched / "run", *(path for path in (searched / "run").rglob("*") if path.is_dir())]
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o022 == 0 for path in folders)
