"""Our executors keep what every executor owes."""

from __future__ import annotations

from functools import partial

from dynas.testing import ExecutorSuite
from tests.helpers.executors import make


class TestSerial(ExecutorSuite):
    make = staticmethod(partial(make, "serial"))


class TestProcesses(ExecutorSuite):
    make = staticmethod(partial(make, "processes"))


class TestDask(ExecutorSuite):
    make = staticmethod(partial(make, "dask"))


class TestRay(ExecutorSuite):
    make = staticmethod(partial(make, "ray"))
