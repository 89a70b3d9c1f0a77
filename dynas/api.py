"""The Python API: search with a user's own function, without Hydra, torch or a supernet."""

from __future__ import annotations

import contextlib
import json
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dynas.core.constraint import Constraint
from dynas.core.design import is_whole
from dynas.core.objectives import Objective, Values, check_objectives
from dynas.core.problem import Problem
from dynas.core.space import Architecture, Genotypes, SearchSpace
from dynas.described import Part, described, search_facts
from dynas.errors import DynasError, DynasWarning
from dynas.result import SearchInterrupted, SearchResult
from dynas.runs.names import RESULTS, RUN
from dynas.runs.record import read_run, write_run
from dynas.runs.session import ending, recorded
from dynas.runs.store import RunStore
from dynas.system.files import from_json, plain_value, refuse_links
from dynas.system.folder_lock import locked

if TYPE_CHECKING:
    from dynas.core.algorithm import AlgorithmFactory
    from dynas.core.callback import Callback
    from dynas.core.executor import ExecutorFactory
    from dynas.core.mode import SearchMode
    from dynas.core.predictor import PredictorFactory
    from dynas.display.search_display import SearchDisplay
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
    from dynas.algos.named import algorithm
    from dynas.core.callback import Callbacks, Progress
    from dynas.core.evaluator import Evaluator
    from dynas.core.stopping import Stopping
    from dynas.executors.named import executor as named_executor
    from dynas.functions import measure_function

    if not is_whole(budget) or budget < 1:
        raise DynasError(f"a search needs a budget of at least 1 and a whole number, got {budget!r}")
    problem = make_problem(space, objectives, function, exact or {}, constraints)
    made_mode = make_mode(mode, features)
    make_algorithm = algorithm(algo) if isinstance(algo, str) else algo
    make_predictors = predictors_of(problem, predictor)
    make_executor = named_executor(executor) if isinstance(executor, str) else executor
    made_mode.check(problem, make_algorithm)
    genotypes = first_genotypes(space, start)
    place = None if folder is None else Path(folder)
    if resume and place is None:
        raise DynasError("resume=True goes on with the run in a folder: give folder=<run folder>")
    parts = described_parts(made_mode, make_algorithm, make_predictors, make_executor)
    facts = search_facts(problem, function, parts, budget, seed)
    stopping = Stopping(max_minutes, patience, max_failures)
    known = Progress(problem, budget, place, facts)
    with contextlib.ExitStack() as opened:
        if place is not None:
            opened.enter_context(locked(place))
        store, earlier = (None, budget) if place is None else open_store(place, problem, facts, resume)
        display = opened.enter_context(make_display(place)) if progress else None
        told = Callbacks([*([display] if display else []), *callbacks], known, stopping, on_callback_error)
        measure = measure_function(problem, function, vectorised)
        workers = make_executor(measure, budget if vectorised else 1, len(problem.objectives))
        held = store.history if store else []
        evaluate = Evaluator(problem, workers, budget, store, told, stopping, extended=budget > earlier)
        if display:
            display.begin(budget, len(held), workers.workers)

        def run() -> None:
            made_mode.run(evaluate, make_algorithm, make_predictors, np.random.default_rng(seed), told, genotypes)

        status = "failed"
        try:
            status = recorded(facts, evaluate, workers, store, run)
            ended = facts | ending(evaluate, status)
            result = SearchResult(problem, tuple(evaluate.history), stopping.reason, ended, tuple(known.qualities))
            result = result if place is None else finish(result, place)
        finally:
            told.ended(status)
    if status == "interrupted":
        raise SearchInterrupted(result)
    check_failures(result)
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


def make_mode(mode: str | SearchMode, features: str | Featurizer | None) -> SearchMode:
    """Return a mode by its name; raise DynasError where one that is no name is given features."""
    from dynas.modes.named import named_mode

    if isinstance(mode, str):
        return named_mode(mode, **({} if features is None else {"features": features}))
    if features is not None:
        raise DynasError(
            f"features=... goes with a mode's name: give it to {type(mode).__name__}(features=...) instead"
        )
    return mode


def predictors_of(
    problem: Problem, predictor: str | PredictorFactory | Mapping[str, str | PredictorFactory]
) -> dict[str, PredictorFactory]:
    """Return what makes the predictor of each objective that is not exact; raise DynasError where one is missing."""
    from dynas.predictors.named import predictor as named_predictor

    names = [objective.name for objective in problem.objectives if not objective.exact]
    chosen = predictor if isinstance(predictor, Mapping) else dict.fromkeys(names, predictor)
    if missing := [name for name in names if name not in chosen]:
        raise DynasError(f"no predictor given for {', '.join(missing)}: give one for each of {', '.join(names)}")
    return {name: named_predictor(one) if isinstance(one, str) else one for name, one in chosen.items()}


def first_genotypes(space: SearchSpace, start: Sequence[Architecture] | SearchResult | str | Path) -> Genotypes:
    """Return what is measured first as canonical genotypes ``(n, G)``; raise DynasError for another space's."""
    from dynas.runs.warm_start import front_of

    if isinstance(start, str | Path):
        return front_of(start, space)
    architectures = list(start.front["architecture"]) if isinstance(start, SearchResult) else start
    genotypes = np.array([space.encode(architecture) for architecture in architectures], dtype=np.int64)
    return genotypes.reshape(-1, space.n_genes)


def described_parts(
    mode: SearchMode,
    make_algorithm: AlgorithmFactory,
    make_predictors: Mapping[str, PredictorFactory],
    make_executor: ExecutorFactory,
) -> dict[str, Part]:
    """Return names and settings of the parts of a search; of predictors only those that are used."""
    from dynas.algos.named import ALGORITHMS
    from dynas.executors.named import EXECUTORS
    from dynas.modes.named import MODES
    from dynas.predictors.named import CLASSES

    names = {path: name for name, path in ALGORITHMS.items()}
    names |= {f"dynas.predictors.{module}.{member}": name for name, (module, member) in CLASSES.items()}
    names |= {f"dynas.executors.{module}.{member}": name for name, (module, member) in EXECUTORS.items()}
    names |= {f"{made.__module__}.{made.__qualname__}": name for name, made in MODES.items()}
    parts = {
        "mode": described(mode, names),
        "algo": described(make_algorithm, names),
        "executor": described(make_executor, names),
    }
    predictors = {objective: described(one, names) for objective, one in make_predictors.items()}
    if predictors:
        same = len({json.dumps(one) for one in predictors.values()}) == 1
        name = ",".join(dict.fromkeys(name for name, _ in predictors.values()))
        settings = {objective: {"name": name, **own} for objective, (name, own) in predictors.items()}
        parts["predictor"] = next(iter(predictors.values())) if same else (name, settings)
    return parts


def make_display(folder: Path | None) -> SearchDisplay:
    """Return what shows a search; its imports take their time."""
    from dynas.display.display import Title
    from dynas.display.search_display import SearchDisplay

    return SearchDisplay(folder, Title("dynas.search"))


def open_store(folder: Path, problem: Problem, facts: Mapping[str, Any], resume: bool) -> tuple[RunStore, int]:
    """Return the results of a run that begins or goes on in a folder and its budget until now; run.json notes that.

    Raises:
        DynasError: a run is there and shall not go on, or is another one.
    """
    begun, earlier = (folder / RUN).exists(), facts["budget"]
    if begun and not resume:
        raise DynasError(f"'{folder}' already holds a run: go on with it by resume=True, or give another folder")
    if begun:
        refuse_links(folder)
        before = read_run(folder)
        check_same(folder, before, json.loads(json.dumps(facts, default=plain_value)))
        earlier = before["budget"]
    elif (folder / RESULTS).exists():
        raise DynasError(f"'{folder}' holds {RESULTS} but no {RUN}, so it cannot go on: give another folder")
    else:
        write_run(folder, facts)  # before the first row, so that a run killed at any moment can be gone on with
    extras = [constraint.limit.column for constraint in problem.constraints]
    store = RunStore(folder, problem.space, problem.objectives, extras)
    write_run(folder, facts)
    return store, earlier


def check_same(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise DynasError, with what differs, where the run in a folder is not the search that is asked for now."""
    if before.get("budget", 0) > now["budget"]:
        raise DynasError(
            f"'{folder}' was started with budget={before['budget']}: go on with that or a larger one, "
            f"not budget={now['budget']}"
        )
    for key in ("space", "gates", "objectives", "constraints", "seed"):
        if before.get(key) != now.get(key):
            raise DynasError(f"'{folder}' was started with another {key}: go on with the same, or give another folder")
    for section in ("choices", "config"):
        both = (before.get(section) or {}, now[section])
        one, other = ({key: some[key] for key in some if key != "executor"} for some in both)
        for key in [key for key in {**one, **other} if one.get(key) != other.get(key)]:
            raise DynasError(
                f"'{folder}' was started with {key}={one.get(key)} (now {other.get(key)}): go on with the same, "
                "or give another folder"
            )


def finish(result: SearchResult, folder: Path) -> SearchResult:
    """Write what follows from the rows into a run folder."""
    from dynas.report.outputs import write_outputs
    from dynas.runs.qualities import write_qualities

    write_qualities(folder, result.qualities)
    write_outputs(folder)
    return replace(result, facts=read_run(folder), folder=folder)


def check_failures(result: SearchResult) -> None:
    """Warn where ``function`` failed; raise DynasError, with its first reason, where it never succeeded."""
    errors = [evaluation.measurement.error for evaluation in result.history if evaluation.measurement.error]
    if not errors:
        return
    told = f"{len(errors)} of {len(result.history)} evaluations failed, the first one: {errors[0]}"
    if len(errors) == len(result.history):
        raise DynasError(f"nothing was measured: {told}")
    warnings.warn(told, DynasWarning, stacklevel=3)
