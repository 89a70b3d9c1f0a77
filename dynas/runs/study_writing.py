"""Runs as Optuna studies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from dynas.core.objectives import Objective
from dynas.errors import DynasError
from dynas.runs.load import Run
from dynas.runs.names import RUN
from dynas.runs.problem import read_space
from dynas.runs.studies import WAYS, first_line, is_study, parameter_names, quiet, stored_choices
from dynas.system.files import from_json

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial


def write_studies(runs: Sequence[Run], place: str) -> list[str]:
    """Write each run as a study of its own, called as its folder, and return these names.

    Objectives, constraints, parameters, times and why a trial failed are told; what was measured again has its mean.

    Raises:
        DynasError: a study of that name is there, a run tells no space, or the file cannot be written.
    """
    import optuna
    from optuna.study import StudyDirection
    from sqlalchemy.exc import SQLAlchemyError

    if not is_study(place):
        raise DynasError(f"--optuna {place}: {WAYS}")
    told = [(str(run.folder), run, list(_trials(run))) for run in runs]  # before anything is written
    try:
        with quiet():
            storage = _storage(place)
            for name, run, trials in told:
                directions = [StudyDirection[f"{one.direction.upper()}IMIZE"] for one in run.objectives]
                study = optuna.create_study(storage=storage, study_name=name, directions=directions)
                study.set_metric_names([one.column for one in run.objectives])
                study.set_user_attr("dynas", {key: str(value) for key, value in run.choices.items()})
                study.add_trials(trials)
    except optuna.exceptions.DuplicatedStudyError as error:
        raise DynasError(f"{place} already holds a study '{name}': give another file") from error
    except (OSError, SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        raise DynasError(f"cannot write {place}: {first_line(error)}") from error
    return [name for name, _, _ in told]


def _storage(place: str) -> BaseStorage:
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    file = place.split(":///", 1)[1]
    if place.startswith("journal"):
        return JournalStorage(JournalFileBackend(file))
    return RDBStorage(f"sqlite:///{file}")


def _trials(run: Run) -> Iterator[FrozenTrial]:
    """Yield a run's evaluations as trials."""
    from optuna.distributions import CategoricalDistribution
    from optuna.trial import FrozenTrial, TrialState

    space = read_space(run.facts, [from_json(one) for one in run.architectures], run.folder / RUN)
    if space is None:
        raise DynasError(f"'{run.folder}' has measured nothing, and tells no search space")
    names, kinds = parameter_names(space), [CategoricalDistribution(one) for one in stored_choices(space)]
    limits = [one for one in (*run.objectives, *run.constraints) if one.bound is not None]
    for row, cells in enumerate(run.rows):
        told = dict(zip(run.header, cells, strict=True))
        try:
            genotype = space.encode(from_json(run.architectures[row]))
        except DynasError as error:
            raise DynasError(f"'{run.folder}' has an architecture that is not of its space: {error}") from error
        active = np.flatnonzero(space.active(genotype[None])[0])
        ended = datetime.fromisoformat(told["timestamp"]) if told["timestamp"] else datetime.now().astimezone()
        ended = ended.astimezone().replace(tzinfo=None)  # Optuna's times are local ones
        measured = bool(run.measured[row])
        beyond = [one.sign * (_limited(run, row, told, one) - one.bound) for one in limits if one.bound is not None]
        yield FrozenTrial(
            number=row,
            state=TrialState.COMPLETE if measured else TrialState.FAIL,
            value=None,
            values=run.values[row].tolist() if measured else None,
            datetime_start=ended - timedelta(seconds=float(run.seconds[row])),
            datetime_complete=ended,
            params={names[gene]: kinds[gene].choices[genotype[gene]] for gene in active},
            distributions={names[gene]: kinds[gene] for gene in active},
            user_attrs={"row": int(told["index"]), "key": run.keys[row], "iteration": int(run.iterations[row])}
            | ({"error": told["error"]} if told["error"] else {}),
            system_attrs={"constraints": beyond} if beyond and measured else {},
            intermediate_values={},
            trial_id=row,
        )


def _limited(run: Run, row: int, told: dict[str, str], limit: Objective) -> float:
    """Return the value that a bound is on; infinitely bad where it is not told."""
    if limit in run.objectives:
        return float(run.values[row, run.objectives.index(limit)])
    return float(told.get(limit.column) or limit.sign * np.inf)
