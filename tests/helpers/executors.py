"""Our executors by name, each with two workers."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from dynas.core.evaluation import Measure
from dynas.core.executor import Executor
from dynas.executors.processes import Processes
from dynas.executors.serial import Serial
from dynas.testing.perilous import measure

NAMES = ("serial", "processes", "dask", "ray")
APART = NAMES[1:]  # whose workers are processes of their own
PACKAGES = {"dask": "distributed", "ray": "ray"}


def make(name: str, measure: Measure = measure, together: int = 3, values: int = 2, **settings: Any) -> Executor:
    if name == "serial":
        return Serial(measure, together, values)
    if name == "processes":
        return Processes(measure, together, values, workers=2, **settings)
    if importlib.util.find_spec(PACKAGES[name]) is None:
        pytest.skip(f"{PACKAGES[name]} is not installed")
    if name == "dask":
        from dynas.executors.dask import Dask

        return Dask(measure, together, values, workers=2, **settings)
    from dynas.executors.ray import Ray

    return Ray(measure, together, values, workers=2, **settings)
