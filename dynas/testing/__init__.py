"""Checks of what each role of a search promises, for pytest: subclass a suite and say how yours is made.

An own algorithm is checked by three lines in a test module::

    from dynas.testing import AlgorithmSuite

    class TestMine(AlgorithmSuite):
        make = MyAlgorithm
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynas.testing.algorithm import AlgorithmSuite
    from dynas.testing.data import DataSuite
    from dynas.testing.executor import ExecutorSuite
    from dynas.testing.export_format import FormatSuite
    from dynas.testing.meter import MeterSuite
    from dynas.testing.metric import MetricSuite
    from dynas.testing.predictor import PredictorSuite
    from dynas.testing.supernet import SupernetSuite

__all__ = [
    "AlgorithmSuite",
    "DataSuite",
    "ExecutorSuite",
    "FormatSuite",
    "MeterSuite",
    "MetricSuite",
    "PredictorSuite",
    "SupernetSuite",
]

_MODULES = {
    "AlgorithmSuite": "algorithm",
    "DataSuite": "data",
    "ExecutorSuite": "executor",
    "FormatSuite": "export_format",
    "MeterSuite": "meter",
    "MetricSuite": "metric",
    "PredictorSuite": "predictor",
    "SupernetSuite": "supernet",
}


def __getattr__(name: str) -> object:
    """Import what is asked for, and no more: the workers of an executor need neither torch nor pytest."""
    if name not in _MODULES:
        raise AttributeError(f"module 'dynas.testing' has no attribute '{name}'")
    import pytest

    checking = (*_MODULES.values(), "samples")
    pytest.register_assert_rewrite(*(f"dynas.testing.{module}" for module in checking))  # to show values
    return getattr(import_module(f"dynas.testing.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
