"""Algorithms by name, for Python code; configs name the same functions by their paths."""

from __future__ import annotations

import inspect
from functools import partial
from importlib import import_module
from typing import Any

from dynas.core.algorithm import AlgorithmFactory
from dynas.errors import one_of

# Imported only when asked for: pymoo, numba, optuna and cma take their time.
ALGORITHMS: dict[str, str] = {
    "random": "dynas.algos.random.RandomSearch",
    "pareto_local_search": "dynas.algos.pareto_local_search.ParetoLocalSearch",
    "ga": "dynas.algos.evolutionary.ga",
    "cmaes": "dynas.algos.cmaes.CmaesSearch",
    "motpe": "dynas.algos.motpe.MotpeSearch",
    "nsga2": "dynas.algos.evolutionary.nsga2",
    "agemoea": "dynas.algos.evolutionary.agemoea",
    "unsga3": "dynas.algos.directions.unsga3",
    "ctaea": "dynas.algos.directions.ctaea",
    "moead": "dynas.algos.moead.moead",
}


def algorithm(name: str, **settings: Any) -> AlgorithmFactory:
    """Return the factory of an algorithm with some of its settings changed, such as ``population=20``.

    Raises DynasError for an unknown name or setting.
    """
    if name not in ALGORITHMS:
        raise one_of("algorithm", name, ALGORITHMS)
    module, function = ALGORITHMS[name].rsplit(".", 1)
    factory = getattr(import_module(module), function)
    parameters = inspect.signature(factory).parameters.values()
    allowed = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    for setting in settings:
        if setting not in allowed:
            raise one_of(f"setting of {name}", setting, allowed)
    made: AlgorithmFactory = partial(factory, **settings)
    return made
