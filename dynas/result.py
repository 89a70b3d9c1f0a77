"""What a search gave, in Python: tables, pictures, and a run folder that everything else reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from dynas.core.objectives import Objective, Values, violation
from dynas.core.pareto import hypervolume_curve, nadir, non_dominated
from dynas.core.problem import Problem, make_batch
from dynas.core.space import Architecture, Genotypes
from dynas.errors import DynasError
from dynas.runs.confirmed import averaged
from dynas.runs.names import CONFIRMED, RESULTS, RUN

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from dynas.core.callback import Quality
    from dynas.core.evaluation import Evaluation

SHOWN = 20  # rows of a front in a notebook


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search measured.

    Attributes:
        problem: space, objectives and constraints.
        history: the ``n`` evaluations in order.
        stopped: why the search ended before its budget was spent, else empty.
        facts: what run.json says of it.
        qualities: errors of the predictors, with the iterations after which they were trained.
        noisy: the objectives that were measured again for members of the front, as ``dynas search`` does.
        confirmations: these further measurements, with values of just these objectives.
        folder: the run folder, or None where it was not saved.
    """

    problem: Problem
    history: Sequence[Evaluation]
    stopped: str
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    qualities: Sequence[Quality] = field(default=(), repr=False)
    noisy: tuple[Objective, ...] = field(default=(), repr=False)
    confirmations: Sequence[Evaluation] = field(default=(), repr=False)
    folder: Path | None = None

    @property
    def losses(self) -> Values:
        """Losses ``(n, M)``, lower is better; NaN for what failed or is beyond a bound or a constraint."""
        return self._feasible(self._values)

    @property
    def measurements(self) -> pd.DataFrame:
        """One row per evaluation: index, iteration, key, objectives with units, seconds, error, architecture.

        Constraints have columns, too; what was measured several times has its mean.
        """
        import pandas as pd

        columns: dict[str, Any] = {
            "index": [evaluation.index for evaluation in self.history],
            "iteration": [evaluation.iteration for evaluation in self.history],
            "key": [evaluation.key for evaluation in self.history],
        }
        columns |= {objective.column: self._values[:, m] for m, objective in enumerate(self.problem.objectives)}
        columns |= {limit.column: values for limit, values in zip(self._limits, self._constrained, strict=True)}
        columns["seconds [s]"] = [evaluation.measurement.seconds for evaluation in self.history]
        columns["error"] = [evaluation.measurement.error for evaluation in self.history]
        columns["architecture"] = self.architectures
        return pd.DataFrame(columns).set_index("index")

    @property
    def front(self) -> pd.DataFrame:
        """The non-dominated rows of `measurements` within all bounds, best first by the first objective."""
        losses = self.losses
        rows = np.flatnonzero(np.isfinite(losses).all(axis=1))
        rows = rows[non_dominated(losses[rows])]
        return self.measurements.iloc[rows[np.lexsort(losses[rows].T[::-1])]]

    @property
    def architectures(self) -> list[Architecture]:
        """Every measured architecture, in order."""
        return [self.problem.space.decode(evaluation.genotype) for evaluation in self.history]

    def hypervolume(self, reference: Mapping[str, float] | None = None) -> pd.Series:
        """Return the hypervolume after each evaluation, by first measurements.

        Args:
            reference: worst value per objective, in its unit; by default the worst that this search measured.
        """
        import pandas as pd

        losses = self._feasible(self._first)
        signs = np.array([objective.sign for objective in self.problem.objectives])
        point = nadir(losses) if reference is None else signs * self._in_units(reference)
        index = pd.Index([evaluation.index for evaluation in self.history], name="index")
        return pd.Series(hypervolume_curve(losses, point), index=index, name="hypervolume")

    def save(self, folder: str | Path) -> SearchResult:
        """Write a run folder as ``dynas search`` does, which ``dynas report`` and the others read; return the result.

        Raises:
            DynasError: there is a run already, or the folder cannot be written.
        """
        from dynas.report.outputs import write_outputs
        from dynas.runs.qualities import write_qualities
        from dynas.runs.record import write_run

        folder = Path(folder)
        if (folder / RESULTS).exists() or (folder / RUN).exists():
            raise DynasError(f"'{folder}' already holds a run: give another folder")
        self._write(folder, RESULTS, self.problem.objectives, self.history)
        try:
            write_run(folder, self.facts)
            if self.noisy:
                self._write(folder, CONFIRMED, self.noisy, self.confirmations)
            write_qualities(folder, self.qualities)
        except OSError as error:
            raise DynasError(f"cannot write to '{folder}': {error.strerror}") from error
        write_outputs(folder)
        return replace(self, folder=folder)

    def report(
        self,
        *others: SearchResult,
        html: str | Path | None = None,
        pictures: str | Path | None = None,
        reference: Mapping[str, float] | None = None,
    ) -> str:
        """Compare this search with others as ``dynas report`` does, and return the table as Markdown.

        Args:
            others: further searches with the same objectives.
            html: where to write the interactive page.
            pictures: the folder to draw pictures into.
            reference: the reference point of the hypervolume, by objective in its unit; by default the worst values.

        Raises:
            DynasError: the searches cannot be compared, or a file cannot be written.
        """
        from dynas.report.compare import compare
        from dynas.report.page.page import write_page
        from dynas.report.plots.pictures import write_pictures
        from dynas.report.tables import comparison_markdown
        from dynas.runs.load import load_run

        point = None if reference is None else self._in_units(reference).tolist()
        with TemporaryDirectory(prefix="dynas_") as place:
            results = (self, *others)
            folders = [one.folder or one.save(Path(place, str(n))).folder for n, one in enumerate(results)]
            comparison = compare([load_run(folder) for folder in folders if folder], point)
            try:
                if html is not None:
                    write_page(comparison, Path(html))
                if pictures is not None:
                    write_pictures(comparison, Path(pictures))
            except OSError as error:
                raise DynasError(f"cannot write '{error.filename}': {error.strerror}") from error
            return comparison_markdown(comparison)

    def plot(self) -> Figure:
        """Return a picture of what was measured, coloured by iteration, and of the front.

        Raises:
            DynasError: nothing was measured.
        """
        from dynas.report.plots.run import front_figure
        from dynas.runs.load import load_run

        if not np.isfinite(self._values).all(axis=1).any():
            raise DynasError("nothing was measured, so there is nothing to draw")
        with TemporaryDirectory(prefix="dynas_") as place:
            folder = self.folder or self.save(Path(place, "run")).folder
            assert folder is not None
            return front_figure(load_run(folder))

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the front, and how much was measured."""
        front = self.front
        told = f"{len(front)} of {len(self.history)} sub-networks are on the front"
        told += f"; stopped: {self.stopped}" if self.stopped else ""
        columns = [one.column for one in (*self.problem.objectives, *self._limits)] + ["architecture"]
        return f"<p>{escape(told)}</p>{front[columns].head(SHOWN).to_html(max_cols=None)}"

    @property
    def _limits(self) -> list[Objective]:
        return [constraint.limit for constraint in self.problem.constraints]

    @property
    def _constrained(self) -> list[Values]:
        """Values ``(n,)`` of each constraint."""
        extras = [evaluation.measurement.extras for evaluation in self.history]
        return [np.array([one.get(limit.column, np.nan) for one in extras], dtype=float) for limit in self._limits]

    @property
    def _genotypes(self) -> Genotypes:
        rows = [evaluation.genotype for evaluation in self.history]
        return np.array(rows, dtype=np.int64).reshape(-1, self.problem.space.n_genes)

    @property
    def _first(self) -> Values:
        values = [evaluation.measurement.values for evaluation in self.history]
        return np.array(values, dtype=float).reshape(-1, len(self.problem.objectives))

    @property
    def _values(self) -> Values:
        """Values ``(n, M)``: the mean where something was measured several times."""
        columns = [column for column, one in enumerate(self.problem.objectives) if one in self.noisy]
        again: dict[str, list[tuple[float, ...]]] = {}
        for one in self.confirmations:
            again.setdefault(one.key, []).append(one.measurement.values)
        return averaged(self._first, [one.key for one in self.history], columns, again)

    def _feasible(self, values: Values) -> Values:
        """Return the losses of values ``(n, M)``, NaN where something is beyond a bound or a constraint."""
        plain = Problem(self.problem.space, self.problem.objectives)
        batch = make_batch(plain, self._genotypes, values)
        allowed = batch.violation <= 0
        for limit, column in zip(self._limits, self._constrained, strict=True):
            allowed &= violation((limit,), np.where(np.isfinite(column), column, -limit.sign * np.inf)[:, None]) <= 0
        return np.where(allowed[:, None], batch.losses, np.nan)

    def _in_units(self, reference: Mapping[str, float]) -> Values:
        """Return a reference point ``(M,)`` in the objectives' order and units."""
        names = [objective.name for objective in self.problem.objectives]
        if sorted(reference) != sorted(names):
            raise DynasError(f"reference has {', '.join(reference)}: give a value for each of {', '.join(names)}")
        return np.array([reference[name] for name in names], dtype=float)

    def _write(
        self, folder: Path, file: str, objectives: Sequence[Objective], evaluations: Sequence[Evaluation]
    ) -> None:
        from dynas.runs.store import RunStore

        extras = dict.fromkeys(name for one in evaluations for name in one.measurement.extras)
        limits = [limit.column for limit in self._limits] if file == RESULTS else []
        store = RunStore(folder, self.problem.space, objectives, list(dict.fromkeys([*limits, *extras])), file)
        for one in evaluations:
            store.append(one)
        store.close()


class SearchInterrupted(KeyboardInterrupt):
    """Ctrl-C in a search; ``result`` is what was measured until then."""

    def __init__(self, result: SearchResult) -> None:
        super().__init__(f"interrupted after {len(result.history)} evaluations; they are in the exception's result")
        self.result = result
