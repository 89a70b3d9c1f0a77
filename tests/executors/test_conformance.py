"""Our executors keep what every executor owes."""

from __future__ import annotations

from functools import partial

import pytest

from dynas.testing import ExecutorSuite
from tests.helpers.executors import make


class TestSerial(ExecutorSuite):
    make = staticmethod(partial(make, "serial"))


@pytest.mark.slow  # its threads start processes
class TestProcesses(ExecutorSuite):
    make = staticmethod(partial(make, "processes"))


@pytest.mark.slow  # its threads start processes
class TestDask(ExecutorSuite):
    make = staticmethod(partial(make, "dask"))


@pytest.mark.slow  # its threads start processes
class TestRay(ExecutorSuite):
    make = staticmethod(partial(make, "ray"))
