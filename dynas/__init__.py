"""dynas finds the best trade-offs between quality and cost inside a trained weight-sharing supernet."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dynas.api import load_run, search
    from dynas.compressing.api import compress
    from dynas.core.callback import Callback, Progress
    from dynas.core.constraint import Constraint
    from dynas.core.design import DesignVariable, Gate, depth_gates
    from dynas.core.metric import Reading
    from dynas.core.objectives import Objective
    from dynas.core.space import SearchSpace
    from dynas.data.torch_dataset import TorchDataset
    from dynas.errors import DynasError
    from dynas.result import SearchInterrupted, SearchResult
    from dynas.supernet_api import elastic, load_supernet, search_supernet

__all__ = [
    "Callback",
    "Constraint",
    "DesignVariable",
    "DynasError",
    "Gate",
    "Objective",
    "Progress",
    "Reading",
    "SearchInterrupted",
    "SearchResult",
    "SearchSpace",
    "TorchDataset",
    "compress",
    "depth_gates",
    "elastic",
    "load_run",
    "load_supernet",
    "search",
    "search_supernet",
]

_MODULES = {
    "Callback": "core.callback",
    "Constraint": "core.constraint",
    "DesignVariable": "core.design",
    "DynasError": "errors",
    "Gate": "core.design",
    "Objective": "core.objectives",
    "Progress": "core.callback",
    "Reading": "core.metric",
    "SearchInterrupted": "result",
    "SearchResult": "result",
    "SearchSpace": "core.space",
    "TorchDataset": "data.torch_dataset",
    "compress": "compressing.api",
    "depth_gates": "core.design",
    "elastic": "supernet_api",
    "load_run": "api",
    "load_supernet": "supernet_api",
    "search": "api",
    "search_supernet": "supernet_api",
}


def __getattr__(name: str) -> object:
    """Import what is asked for, and no more: ``dynas --help`` needs none of it."""
    if name not in _MODULES:
        raise AttributeError(f"module 'dynas' has no attribute '{name}'")
    return getattr(import_module(f"dynas.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
