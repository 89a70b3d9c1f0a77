"""A search in Python code: settings become parts, a folder is opened, everybody who listens hears of it."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dynas.core.design import is_whole
from dynas.core.evaluation import Measure
from dynas.core.problem import Problem
from dynas.core.reach import check_bounds
from dynas.core.space import Architecture, Genotypes, SearchSpace
from dynas.described import Part, described, search_facts
from dynas.errors import DynasError, DynasWarning
from dynas.result import SearchInterrupted, SearchResult
from dynas.runs.names import RESULTS, RUN
from dynas.runs.origin import check_same_origin
from dynas.runs.original import Remembered, begun_with_original
from dynas.runs.problem import as_asked, problem_facts
from dynas.runs.record import read_run, write_run
from dynas.runs.session import ending, recorded
from dynas.runs.store import RunStore
from dynas.system.files import plain_value, refuse_links
from dynas.system.folder_lock import locked

if TYPE_CHECKING:
    from dynas.core.algorithm import AlgorithmFactory
    from dynas.core.callback import Callback
    from dynas.core.executor import ExecutorFactory
    from dynas.core.mode import SearchMode
    from dynas.core.predictor import PredictorFactory
    from dynas.display.search_display import SearchDisplay
    from dynas.predictors.features import Featurizer


def no_facts(earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Return nothing that run.json says besides."""
    return {}


@dataclass(frozen=True)
class Subject:
    """What is searched, and what measures it.

    Attributes:
        problem: space, objectives and constraints.
        measure: measures candidates.
        together: how many are best measured together.
        extras: columns that measurements fill besides the objectives.
        parts: what run.json says of where it comes from.
        facts: from what run.json says of the run that goes on, empty for a new one, to what it says besides; called
            just before anything is measured.
        title: what the display calls it.
    """

    problem: Problem
    measure: Measure
    together: int
    extras: tuple[str, ...]
    parts: Mapping[str, Part]
    facts: Callable[[Mapping[str, Any]], dict[str, Any]] = field(default=no_facts)
    title: str = "dynas.search"


@dataclass(frozen=True)
class Settings:
    """How a search goes; each is an argument of `dynas.search` and described there."""

    budget: int
    mode: str | SearchMode
    algo: str | AlgorithmFactory
    predictor: str | PredictorFactory | Mapping[str, str | PredictorFactory]
    features: str | Featurizer | None
    seed: int
    start: Sequence[Architecture] | SearchResult | str | Path
    executor: str | ExecutorFactory
    callbacks: Sequence[Callback]
    on_callback_error: str
    progress: bool
    folder: Path | None
    resume: bool
    max_minutes: float | None
    patience: int | None
    max_failures: int | None


def check_budget(budget: object) -> None:
    """Raise DynasError where a budget is no number of evaluations."""
    if not is_whole(budget) or budget < 1:
        raise DynasError(f"a search needs a budget of at least 1 and a whole number, got {budget!r}")


def run_search(subject: Subject, settings: Settings) -> SearchResult:
    """Search and return what was measured, failures included.

    Raises:
        DynasError: the settings do not fit together, or a run in the folder is another one.
    """
    from dynas.algos.named import algorithm
    from dynas.core.callback import Callbacks, Progress
    from dynas.core.evaluator import Evaluator
    from dynas.core.stopping import Stopping
    from dynas.executors.named import executor as named_executor

    problem, budget, seed, place = subject.problem, settings.budget, settings.seed, settings.folder
    made_mode = make_mode(settings.mode, settings.features)
    make_algorithm = algorithm(settings.algo) if isinstance(settings.algo, str) else settings.algo
    make_predictors = predictors_of(problem, settings.predictor)
    make_executor = named_executor(settings.executor) if isinstance(settings.executor, str) else settings.executor
    made_mode.check(problem, make_algorithm)
    check_bounds(problem)
    genotypes = first_genotypes(problem.space, settings.start)
    if settings.resume and place is None:
        raise DynasError("resume=True goes on with the run in a folder: give folder=<run folder>")
    parts = described_parts(made_mode, make_algorithm, make_predictors, make_executor) | dict(subject.parts)
    facts = search_facts(problem, parts, budget, seed)
    stopping = Stopping(settings.max_minutes, settings.patience, settings.max_failures)
    with contextlib.ExitStack() as opened:
        if place is not None:
            opened.enter_context(locked(place))
        before = {} if place is None else earlier_run(place, facts, settings.resume)
        display = opened.enter_context(make_display(place, subject.title)) if settings.progress else None
        facts |= subject.facts(before)
        store = None if place is None else open_store(place, problem, subject.extras, before, facts)
        kept = Remembered() if store is None else store
        if problem.original is not None:
            problem = begun_with_original(problem, subject.measure, kept)
            facts |= problem_facts(problem)
            if place is not None:
                write_run(place, facts)
        known = Progress(problem, budget, place, facts)
        callbacks = [*([display] if display else []), *settings.callbacks]
        told = Callbacks(callbacks, known, stopping, settings.on_callback_error)
        workers = make_executor(subject.measure, subject.together, len(problem.objectives))
        extended = budget > before.get("budget", budget)
        evaluate = Evaluator(problem, workers, budget, kept, told, stopping, extended)
        if display:
            display.begin(budget, len(kept.history), workers.workers)

        def run() -> None:
            if problem.original is not None:
                evaluate(problem.original[None])
            made_mode.run(evaluate, make_algorithm, make_predictors, np.random.default_rng(seed), told, genotypes)

        status = "failed"
        try:
            status = recorded(facts, evaluate, workers, store, run)
            ended = facts | ending(evaluate, status)
            result = SearchResult(problem, tuple(evaluate.history), stopping.reason, ended, tuple(known.qualities))
            result = result if place is None else finish(result, place)
        finally:
            told.ended(status)
    return result


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


def make_display(folder: Path | None, title: str) -> SearchDisplay:
    """Return what shows a search; its imports take their time."""
    from dynas.display.display import Title
    from dynas.display.search_display import SearchDisplay

    return SearchDisplay(folder, Title(title))


def earlier_run(folder: Path, facts: Mapping[str, Any], resume: bool) -> dict[str, Any]:
    """Return what run.json says of the run that goes on in a folder, nothing where one begins.

    Raises:
        DynasError: a run is there and shall not go on, or is another one.
    """
    if (folder / RUN).exists():
        if not resume:
            raise DynasError(f"'{folder}' already holds a run: go on with it by resume=True, or give another folder")
        refuse_links(folder)
        before = read_run(folder)
        check_same(folder, before, json.loads(json.dumps(facts, default=plain_value)))
        return before
    if (folder / RESULTS).exists():
        raise DynasError(f"'{folder}' holds {RESULTS} but no {RUN}, so it cannot go on: give another folder")
    return {}


def open_store(
    folder: Path, problem: Problem, extras: Sequence[str], before: Mapping[str, Any], facts: Mapping[str, Any]
) -> RunStore:
    """Return the results of a run that begins or goes on in a folder; run.json notes that.

    Raises:
        DynasError: weights, data or hardware are not those that it began with.
    """
    if before:
        check_same_origin(folder, before, facts)
    else:
        write_run(folder, facts)  # before the first row, so that a run killed at any moment can be gone on with
    store = RunStore(folder, problem.space, problem.objectives, list(extras))
    write_run(folder, facts)
    return store


def check_same(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise DynasError, with what differs, where the run in a folder is not the search that is asked for now."""
    if before.get("budget", 0) > now["budget"]:
        raise DynasError(
            f"'{folder}' was started with budget={before['budget']}: go on with that or a larger one, "
            f"not budget={now['budget']}"
        )
    before, now = as_asked(before), as_asked(now)
    for key in ("space", "gates", "objectives", "shares", "constraints", "seed"):
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


def check_ending(result: SearchResult) -> None:
    """Warn where measurements failed.

    Raises:
        SearchInterrupted: Ctrl-C came.
        DynasError: every measurement failed; it tells the first reason.
    """
    if result.facts["status"] == "interrupted":
        raise SearchInterrupted(result)
    errors = [evaluation.measurement.error for evaluation in result.history if evaluation.measurement.error]
    if not errors:
        return
    told = f"{len(errors)} of {len(result.history)} evaluations failed, the first one: {errors[0]}"
    if len(errors) == len(result.history):
        raise DynasError(f"nothing was measured: {told}")
    warnings.warn(told, DynasWarning, stacklevel=3)
