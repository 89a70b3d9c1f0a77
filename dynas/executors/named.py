"""Executors by name, for use without configs."""

from __future__ import annotations

import inspect
from functools import partial
from importlib import import_module
from typing import Any

from dynas.core.executor import ExecutorFactory
from dynas.errors import one_of

EXECUTORS = {
    "serial": ("serial", "Serial"),
    "processes": ("processes", "Processes"),
    "dask": ("dask", "Dask"),
    "ray": ("ray", "Ray"),
}


def executor(name: str, **settings: Any) -> ExecutorFactory:
    """Return the factory of an executor, such as ``executor("processes", workers=4)``.

    Raises:
        DynasError: there is no such executor or setting, or its package is not installed.
    """
    if name not in EXECUTORS:
        raise one_of("executor", name, EXECUTORS)
    module, member = EXECUTORS[name]
    made = getattr(import_module(f"dynas.executors.{module}"), member)
    allowed = list(inspect.signature(made).parameters)[3:]  # after those of the contract
    for setting in settings:
        if setting not in allowed:
            raise one_of(f"setting of {name}", setting, allowed)
    return partial(made, **settings)
