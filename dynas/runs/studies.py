"""What runs and Optuna studies have in common: https://optuna.readthedocs.io.

A parameter stands for one gene: ``depth``, or ``width[0]``, ``width[1]`` where a design variable has several. A trial
has only those that are active in its sub-network.
"""

from __future__ import annotations

import json
import warnings
from contextlib import AbstractContextManager
from typing import Any

from dynas.core.space import SearchSpace

KINDS = ("sqlite:///", "journal:///")
WAYS = "give sqlite:///<file> or journal:///<file>"


def is_study(place: object) -> bool:
    """Return whether a text names a storage of Optuna: a database of SQLite, or a journal."""
    return isinstance(place, str) and place.startswith(KINDS)


def quiet() -> AbstractContextManager[object]:
    """Return a block in which Optuna neither warns of what is experimental nor says what it does."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning)


def first_line(error: Exception) -> str:
    """Return what an error says, without what a library adds beneath."""
    return str(error).split("\n")[0] or type(error).__name__


def parameter_names(space: SearchSpace) -> list[str]:
    """Return the name of each gene's parameter."""
    return [
        variable.name if variable.length == 1 else f"{variable.name}[{position}]"
        for variable in space.variables
        for position in range(variable.length)
    ]


def stored_choices(space: SearchSpace) -> list[list[Any]]:
    """Return each gene's options as Optuna stores them."""
    return [[_plain(one) for one in gene.choices] for gene in space.variables for _ in range(gene.length)]


def _plain(choice: object) -> Any:
    """Return a choice as Optuna stores it: what is neither number nor text as JSON."""
    return choice if choice is None or isinstance(choice, bool | int | float | str) else json.dumps(choice, default=str)
