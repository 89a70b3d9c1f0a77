"""Predictors by name, for use without configs; each with the settings of its file in ``configs/predictor``."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

from dynas.core.predictor import PredictorFactory
from dynas.errors import DynasError, one_of

CLASSES = {
    "gp": ("gp_average", "GaussianProcessAverage"),
    "mlp": ("mlp", "Mlp"),
    "ridge": ("ridge", "Ridge"),
    "stacked": ("stacked", "Stacked"),
    "svr_linear": ("svr", "SvrLinear"),
    "svr_rbf": ("svr", "SvrRbf"),
}


def predictor(name: str, **settings: Any) -> PredictorFactory:
    """Return the factory of a predictor, such as ``predictor("ridge", alphas=[1, 10])``.

    Args:
        name: a key of `CLASSES`.
        settings: arguments of its class that replace the defaults.

    Raises:
        DynasError: there is no such predictor or setting, or the settings make no sense.
    """
    if name not in CLASSES:
        raise one_of("predictor", name, CLASSES)
    module, member = CLASSES[name]
    factory: PredictorFactory = partial(getattr(import_module(f"dynas.predictors.{module}"), member), **settings)
    try:
        factory()
    except TypeError as error:
        raise DynasError(f"predictor '{name}' cannot take these settings: {error}") from error
    return factory
