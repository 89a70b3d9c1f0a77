"""What all tests share: the reference folder, small spaces that can be counted by hand, and an analytic problem."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is imported: spinning threads slow a shared machine

import pytest
from hypothesis import settings

from dynas import SearchSpace
from dynas.supernets.mbv3 import search_space
from dynas.testing import spaces
from dynas.testing.analytic import Analytic
from tests.helpers.cli import drop_logs
from tests.helpers.zoo import declare_operators

CACHES = count()  # folders that are made where something is kept
REFERENCE = Path(__file__).parents[1] / ".." / "shared" / "reference"

settings.register_profile("dynas", deadline=None, max_examples=50, derandomize=True, database=None)
settings.load_profile("dynas")

declare_operators()
if find_spec("absl"):  # TensorBoard's logs: Hydra closes their handler, and with it a capture of pytest's
    absl_logging = import_module("absl.logging")
    absl_logging.get_absl_handler().python_handler.stream = sys.__stderr__

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background of a script; what tests start inherits it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker its own folder for temporary files.

    The locks of `dynas.system.device_lock` lie there: tests that time something need not wait for those of another
    worker, whose other tests would disturb them anyway, nor for a search of the user's. So do caches.
    """
    usual = os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())  # where pytest keeps `tmp_path`
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", f"{usual}/torchinductor_{getpass.getuser()}")  # as by default
    folder = tempfile.mkdtemp(prefix="dynas_", dir=usual)
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    os.environ["DYNAS_CACHE"] = f"{folder}/caches/session"
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out what starts a process or trains, and slow tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--quick"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="slow"))


@contextmanager
def cache_of_its_own() -> Iterator[None]:
    """Let nothing in the block know what was measured outside of it, not even by other tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DYNAS_CACHE", f"{tempfile.gettempdir()}/caches/{next(CACHES)}")
        yield


@pytest.fixture(scope="module", autouse=True)
def cache_of_the_module() -> Iterator[None]:
    """For what the tests of a module share."""
    with cache_of_its_own():
        yield


@pytest.fixture(autouse=True)
def cache_of_the_test() -> Iterator[None]:
    """For the test alone."""
    with cache_of_its_own():
        yield


@pytest.fixture(autouse=True)
def no_log_outlives_its_test() -> Iterator[None]:
    """Commands that are called in this process leave their logs open, in folders that are gone later."""
    yield
    drop_logs()


@pytest.fixture(scope="session", autouse=True)
def nothing_but_this_process(pytestconfig: pytest.Config) -> Iterator[None]:
    """With ``--quick``, a test ends as skipped where it is about to start a process or to train."""
    if not pytestconfig.getoption("--quick"):
        yield
        return
    with pytest.MonkeyPatch.context() as patched:
        for place in ("subprocess.Popen.__init__", "multiprocessing.process.BaseProcess.start"):
            patched.setattr(place, lambda *given, **named: pytest.skip("starts a process"))
        patched.setattr("dynas.training.training.Training.train_step", lambda *given: pytest.skip("trains"))
        yield


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference data, which lies beside the repository and is not part of it."""
    folder = REFERENCE.resolve()
    if not folder.is_dir():
        pytest.skip(f"the reference data is not on this machine: there is no folder {folder}")
    return folder


@pytest.fixture(scope="session")
def mbv3_space() -> SearchSpace:
    """The full space of 45 genes."""
    return search_space()


@pytest.fixture(scope="session")
def gated_space() -> SearchSpace:
    """Two units of one or two blocks with three kernel sizes: (3 + 9) ** 2 = 144 sub-networks, 324 genotypes."""
    return spaces.gated()


@pytest.fixture(scope="session")
def tiny_space() -> SearchSpace:
    """A depth of 1, or of 2 with one of two kernel sizes: 3 sub-networks, 4 genotypes."""
    return spaces.tiny()


@pytest.fixture(scope="session")
def everything() -> Callable[[SearchSpace], set[bytes]]:
    """Lists the identity of every sub-network of a small space, by going through all of its genotypes."""
    return spaces.everything


@pytest.fixture(scope="session")
def analytic() -> Callable[[SearchSpace], Analytic]:
    """Makes the analytic problem of a space."""
    return partial(Analytic)


@pytest.fixture(scope="session")
def analytic_mbv3(mbv3_space: SearchSpace) -> Analytic:
    """The analytic problem of the full space."""
    return Analytic(mbv3_space)
