"""The Python API: search with a user's own function, without Hydra, torch or a supernet."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynas.core.constraint import Constraint
from dynas.core.objectives import Objective, Values, check_objectives
from dynas.core.problem import Problem
from dynas.core.space import Architecture, Genotypes, SearchSpace
from dynas.described import Part, function_name
from dynas.errors import DynasError, DynasWarning
from dynas.result import SearchResult
from dynas.runs.names import RUN
from dynas.searching import Settings, Subject, check_budget, check_ending, run_search
from dynas.system.files import from_json

if TYPE_CHECKING:
    from dynas.core.algorithm import AlgorithmFactory
    from dynas.core.callback import Callback
    from dynas.core.executor import ExecutorFactory
    from dynas.core.mode import SearchMode
    from dynas.core.predictor import PredictorFactory
    from dynas.predictors.features import Featurizer

logging.getLogger("dynas").addHandler(logging.NullHandler())  # a program that logs nothing is not logged to


def search(
    space: SearchSpace,
    objectives: Sequence[Objective],
    function: Callable[[Any], Any],
    *,
    budget: int = 250,
    mode: str | SearchMode = "linas",
    algo: str | AlgorithmFactory = "pareto_local_search",
    predictor: str | PredictorFactory | Mapping[str, str | PredictorFactory] = "gp",
    features: str | Featurizer | None = None,
    seed: int = 0,
    vectorised: bool = False,
    exact: Mapping[str, Callable[[Genotypes], Values]] | None = None,
    constraints: Sequence[Constraint] = (),
    start: Sequence[Architecture] | SearchResult | str | Path = (),
    executor: str | ExecutorFactory = "serial",
    callbacks: Sequence[Callback] = (),
    on_callback_error: str = "stop",
    progress: bool = False,
    folder: str | Path | None = None,
    resume: bool = False,
    max_minutes: float | None = None,
    patience: int | None = None,
    max_failures: int | None = 20,
) -> SearchResult:
    """Search ``space`` for the best trade-offs of ``objectives`` that ``function`` measures.

    Args:
        space: the design variables.
        objectives: what is optimised, each with a direction, a unit and possibly a bound.
        function: from an architecture (a dict) to the objectives' values: a number, a sequence in the objectives'
            order, or a dict, a named tuple, a dataclass or a pandas.Series by name. What it raises, or returns
            otherwise, becomes a row with the reason.
        budget: distinct architectures that may be measured.
        mode: ``linas``, ``validation``, ``oneshot``, or a mode object such as ``Linas(population=20)``.
        algo: name of an algorithm, or a factory such as ``algorithm("nsga2", population=20)``.
        predictor: name of a predictor, a factory, or one of them per objective's name.
        features: what predictors see, where ``mode`` is a name: ``levels``, ``one_hot``, or a function from the space
            and canonical genotypes ``(n, G)`` to features ``(n, D)``.
        seed: every random choice comes from it.
        vectorised: ``function`` takes a list of ``n`` architectures and returns an array ``(n, M)``, or a dict or a
            pandas.DataFrame of columns ``(n,)``. It is never given as many architectures as there are objectives.
        exact: for objectives with ``exact=True``, functions from canonical genotypes ``(n, G)`` to values ``(n,)``;
            they are computed for every candidate instead of measured and predicted.
        constraints: bounds on what follows from the architecture and is not optimised.
        start: what is measured first: architectures, or the front of a result or of a run folder.
        executor: ``serial``, ``processes``, ``dask``, ``ray``, or a factory such as
            ``executor("processes", workers=4)`` of `dynas.executors.named`; ``function`` goes to workers by
            cloudpickle, also one of a notebook.
        callbacks: who hears of the search (`dynas.Callback`), such as the trackers of `dynas.trackers`.
        on_callback_error: what becomes of the search where a callback raises: ``stop`` ends it and gives what was
            measured, ``log`` goes on with a warning.
        progress: whether to show the search: a panel on a terminal and in notebooks with ipywidgets, else lines.
        folder: a run folder; every row is on disk before the search goes on, as with ``dynas search``.
        resume: go on with the run in ``folder``, or begin it where there is none. Settings must be the same, but
            ``budget`` may be larger, and executor and endings may be others.
        max_minutes: wall time after which the search ends.
        patience: iterations without any growth of the hypervolume after which it ends.
        max_failures: failures of ``function`` in a row after which it ends; None for any number.

    Raises:
        DynasError: the arguments do not fit together, a run in ``folder`` is another one, or every call of
            ``function`` failed.
        SearchInterrupted: Ctrl-C came; its ``result`` is what was measured until then, and ``folder`` holds it too.
    """
    from dynas.functions import measure_function

    check_budget(budget)
    problem = make_problem(space, objectives, function, exact or {}, constraints)
    settings = Settings(
        budget, mode, algo, predictor, features, seed, start, executor, callbacks, on_callback_error, progress,
        None if folder is None else Path(folder), resume, max_minutes, patience, max_failures,
    )  # fmt: skip
    columns = tuple(constraint.limit.column for constraint in problem.constraints)
    measure = measure_function(problem, function, vectorised)
    parts: dict[str, Part] = {"function": (function_name(function), {})}
    result = run_search(Subject(problem, measure, budget if vectorised else 1, columns, parts), settings)
    check_ending(result)
    return result


def load_run(folder: str | Path) -> SearchResult:
    """Return what a run folder holds, of `search` or of ``dynas search``, without changing a file.

    Functions are not part of a run folder: those of exact objectives and of constraints are missing.

    Raises:
        DynasError: it is no run folder, or one of its files is damaged.
    """
    from dynas.runs.evaluations import read_confirmations, read_evaluations
    from dynas.runs.load import load_run as load
    from dynas.runs.problem import read_space, stored_constraint
    from dynas.runs.qualities import read_qualities

    run = load(Path(folder)).first
    space = read_space(run.facts, [from_json(one) for one in run.architectures], run.folder / RUN)
    if space is None:
        raise DynasError(f"'{run.folder}' has measured nothing, and an older version wrote it that kept no space")
    if "space" not in run.facts:
        warnings.warn(
            f"'{run.folder}' is of a version that kept no search space: the options are those that were measured",
            DynasWarning,
            stacklevel=2,
        )
    problem = Problem(space, run.objectives, constraints=tuple(map(stored_constraint, run.constraints)))
    noisy, confirmations = read_confirmations(run, space)
    return SearchResult(
        problem,
        read_evaluations(run, space),
        str(run.facts.get("stopped") or ""),
        run.facts,
        tuple(read_qualities(run.folder)),
        noisy,
        confirmations,
        run.folder,
    )


def make_problem(
    space: SearchSpace,
    objectives: Sequence[Objective],
    function: Callable[[Any], Any],
    exact: Mapping[str, Callable[[Genotypes], Values]],
    constraints: Sequence[Constraint],
) -> Problem:
    """Return what is searched; raise DynasError where the parts are of another kind or do not fit together."""
    from dynas.functions import check_exact, checked_exact

    objectives = check_objectives(objectives)
    for what, value, kind in (("space", space, SearchSpace), ("exact", exact, Mapping)):
        if not isinstance(value, kind):
            raise DynasError(f"{what} must be a {kind.__name__}, got {value!r}")
    for what, called in (("function", function), *exact.items()):
        if not callable(called):
            raise DynasError(f"{what} must be a function, got {called!r}")
    for one in constraints:
        if not isinstance(one, Constraint):
            raise DynasError(f"constraints are dynas.Constraint(name, function, bound), got {one!r}")
        one.check(space)
    columns = [one.column for one in (*objectives, *(constraint.limit for constraint in constraints))]
    if twice := [column for column in columns if columns.count(column) > 1]:
        raise DynasError(f"two objectives or constraints are called '{twice[0]}'")
    counted = {name: checked_exact(name, count) for name, count in exact.items()}
    problem = Problem(space, objectives, counted, tuple(constraints))
    check_exact(problem)
    return problem
