"""The Python API: search with a user's own function, without Hydra, torch, files or a supernet."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dynas.core.design import is_whole
from dynas.core.objectives import Objective, Values, check_objectives
from dynas.core.space import Architecture, Genotypes, SearchSpace

if TYPE_CHECKING:
    import pandas as pd

    from dynas.core.algorithm import AlgorithmFactory
    from dynas.core.evaluation import Evaluation, Measure
    from dynas.core.mode import SearchMode
    from dynas.core.predictor import PredictorFactory
    from dynas.core.problem import Problem
    from dynas.core.stopping import Stopping


@dataclass(frozen=True)
class SearchResult:
    """What a search measured.

    Attributes:
        problem: space and objectives.
        history: the ``n`` evaluations in order.
        stopped: why the search ended before its budget was spent, else empty.
    """

    problem: Problem
    history: Sequence[Evaluation]
    stopped: str

    @property
    def losses(self) -> Values:
        """Losses ``(n, M)``, lower is better; NaN for what failed or is beyond a bound."""
        from dynas.core.problem import make_batch

        batch = make_batch(self.problem, self._genotypes, self._values)
        return np.where((batch.violation <= 0)[:, None], batch.losses, np.nan)

    @property
    def measurements(self) -> pd.DataFrame:
        """One row per evaluation: index, iteration, key, objectives with units, seconds, error, architecture."""
        import pandas as pd

        columns: dict[str, Any] = {
            "index": [evaluation.index for evaluation in self.history],
            "iteration": [evaluation.iteration for evaluation in self.history],
            "key": [evaluation.key for evaluation in self.history],
        }
        columns |= {objective.column: self._values[:, m] for m, objective in enumerate(self.problem.objectives)}
        columns["seconds [s]"] = [evaluation.measurement.seconds for evaluation in self.history]
        columns["error"] = [evaluation.measurement.error for evaluation in self.history]
        columns["architecture"] = self.architectures
        return pd.DataFrame(columns).set_index("index")

    @property
    def front(self) -> pd.DataFrame:
        """The non-dominated rows of `measurements` within all bounds, best first by the first objective."""
        from dynas.core.pareto import non_dominated

        losses = self.losses
        rows = np.flatnonzero(np.isfinite(losses).all(axis=1))
        rows = rows[non_dominated(losses[rows])]
        return self.measurements.iloc[rows[np.lexsort(losses[rows].T[::-1])]]

    @property
    def architectures(self) -> list[Architecture]:
        """Every measured architecture, in order."""
        return [self.problem.space.decode(evaluation.genotype) for evaluation in self.history]

    def hypervolume(self, reference: Mapping[str, float] | None = None) -> pd.Series:
        """Return the hypervolume after each evaluation.

        Args:
            reference: worst value per objective, in its unit; by default the worst that this search measured.
        """
        import pandas as pd

        from dynas.core.pareto import hypervolume_curve, nadir

        losses = self.losses
        signs = np.array([objective.sign for objective in self.problem.objectives])
        names = [objective.name for objective in self.problem.objectives]
        point = nadir(losses) if reference is None else signs * np.array([reference[name] for name in names])
        index = pd.Index([evaluation.index for evaluation in self.history], name="index")
        return pd.Series(hypervolume_curve(losses, point), index=index, name="hypervolume")

    @property
    def _genotypes(self) -> Genotypes:
        rows = [evaluation.genotype for evaluation in self.history]
        return np.array(rows, dtype=np.int64).reshape(-1, self.problem.space.n_genes)

    @property
    def _values(self) -> Values:
        values = [evaluation.measurement.values for evaluation in self.history]
        return np.array(values, dtype=float).reshape(-1, len(self.problem.objectives))


def search(
    space: SearchSpace,
    objectives: Sequence[Objective],
    function: Callable[[Any], Any],
    *,
    budget: int = 250,
    mode: str | SearchMode = "linas",
    algo: str | AlgorithmFactory = "pareto_local_search",
    predictor: str | PredictorFactory | Mapping[str, str | PredictorFactory] = "gp",
    seed: int = 0,
    vectorised: bool = False,
    exact: Mapping[str, Callable[[Genotypes], Values]] | None = None,
    start: Sequence[Architecture] = (),
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
        seed: every random choice comes from it.
        vectorised: ``function`` takes a list of ``n`` architectures and returns an array ``(n, M)``, or a dict or a
            pandas.DataFrame of columns ``(n,)``. It is never given as many architectures as there are objectives.
        exact: for objectives with ``exact=True``, functions from canonical genotypes ``(n, G)`` to values ``(n,)``;
            they are computed for every candidate instead of measured and predicted.
        start: architectures to measure first.
        max_minutes: wall time after which the search ends.
        patience: iterations without any growth of the hypervolume after which it ends.
        max_failures: failures of ``function`` in a row after which it ends; None for any number.

    Raises:
        DynasError: the arguments do not fit together, or every call of ``function`` failed.
    """
    from dynas.core.problem import Problem
    from dynas.core.stopping import Stopping
    from dynas.errors import DynasError
    from dynas.functions import check_exact, checked_exact, measure_function

    check_budget(budget)
    objectives = check_objectives(objectives)
    for what, value, kind in (("space", space, SearchSpace), ("exact", exact or {}, Mapping)):
        if not isinstance(value, kind):
            raise DynasError(f"{what} must be a {kind.__name__}, got {value!r}")
    for what, called in (("function", function), *(exact or {}).items()):
        if not callable(called):
            raise DynasError(f"{what} must be a function, got {called!r}")
    problem = Problem(space, objectives, {name: checked_exact(name, count) for name, count in (exact or {}).items()})
    check_exact(problem)
    measure = measure_function(problem, function, vectorised)
    result = run(
        problem, measure, budget if vectorised else 1, budget, mode, algo, predictor, seed, start,
        Stopping(max_minutes, patience, max_failures),
    )  # fmt: skip
    check_failures(result)
    return result


def run(
    problem: Problem,
    measure: Measure,
    together: int,
    budget: int,
    mode: str | SearchMode,
    algo: str | AlgorithmFactory,
    predictor: str | PredictorFactory | Mapping[str, str | PredictorFactory],
    seed: int,
    start: Sequence[Architecture],
    stopping: Stopping,
) -> SearchResult:
    """Search a problem whose candidates ``measure`` measures, so many at a time; see `search` for the rest."""
    from dynas.algos.named import algorithm
    from dynas.core.evaluator import Evaluator
    from dynas.errors import DynasError
    from dynas.executors.serial import Serial
    from dynas.modes.named import named_mode
    from dynas.predictors.named import predictor as named_predictor

    mode = named_mode(mode) if isinstance(mode, str) else mode
    make_algorithm = algorithm(algo) if isinstance(algo, str) else algo
    names = [objective.name for objective in problem.objectives if not objective.exact]
    chosen = predictor if isinstance(predictor, Mapping) else dict.fromkeys(names, predictor)
    if missing := [name for name in names if name not in chosen]:
        raise DynasError(f"no predictor given for {', '.join(missing)}: give one for each of {', '.join(names)}")
    make_predictors = {name: named_predictor(one) if isinstance(one, str) else one for name, one in chosen.items()}
    mode.check(problem, make_algorithm)
    space = problem.space
    genotypes = np.array([space.encode(architecture) for architecture in start], dtype=np.int64)
    evaluate = Evaluator(problem, Serial(measure, together), budget, stopping=stopping)
    rng = np.random.default_rng(seed)
    mode.run(evaluate, make_algorithm, make_predictors, rng, start=genotypes.reshape(-1, space.n_genes))
    return SearchResult(problem, tuple(evaluate.history), evaluate.stopping.reason)


def check_budget(budget: object) -> None:
    """Raise DynasError where a budget is no number of evaluations."""
    from dynas.errors import DynasError

    if not is_whole(budget) or budget < 1:  # type: ignore[operator]
        raise DynasError(f"a search needs a budget of at least 1 and a whole number, got {budget!r}")


def check_failures(result: SearchResult) -> None:
    """Warn where ``function`` failed; raise DynasError, with its first reason, where it never succeeded."""
    from dynas.errors import DynasError, DynasWarning

    errors = [evaluation.measurement.error for evaluation in result.history if evaluation.measurement.error]
    if not errors:
        return
    told = f"{len(errors)} of {len(result.history)} evaluations failed, the first one: {errors[0]}"
    if len(errors) == len(result.history):
        raise DynasError(f"nothing was measured: {told}")
    warnings.warn(told, DynasWarning, stacklevel=3)
