"""Runs as Optuna studies, and Optuna studies as measurements: https://optuna.readthedocs.io.

A parameter stands for one gene: ``depth``, or ``width[0]``, ``width[1]`` where a design variable has several. A trial
has only those that are active in its sub-network.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dynas.core.objectives import Objective, Values, losses
from dynas.core.pareto import non_dominated
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError
from dynas.runs.load import Run
from dynas.runs.names import RUN
from dynas.runs.problem import read_space
from dynas.system.files import from_json

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution, CategoricalDistribution
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

KINDS = ("sqlite:///", "journal:///")
WAYS = "give sqlite:///<file> or journal:///<file>"


def is_study(place: object) -> bool:
    """Return whether a text names a storage of Optuna: a database of SQLite, or a journal."""
    return isinstance(place, str) and place.startswith(KINDS)


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
        raise DynasError(f"cannot write {place}: {_first_line(error)}") from error
    return [name for name, _, _ in told]


def read_study(place: str, space: SearchSpace, objectives: Sequence[Objective]) -> tuple[Genotypes, Values]:
    """Return what the completed trials of a study measured.

    Args:
        place: ``sqlite:///<file>`` or ``journal:///<file>``, with ``@<name>`` behind it where the file has several.
        space: the space that the study has to be of.
        objectives: the ``M`` objectives to read: by the names of the study's metrics, or all of them in their order.

    Returns:
        canonical genotypes ``(n, G)``, in the order of trials, and values ``(n, M)``.

    Raises:
        DynasError: there is no such study, or it is of another space or has other objectives: what differs is named.
    """
    with quiet():
        study = _load(place)
        columns = _columns(place, study, objectives)
        trials = [one for one in study.get_trials(deepcopy=False) if one.state.name == "COMPLETE"]
        for trial in trials:
            _check_parameters(place, trial, space)
        genotypes = [_genotype(place, trial, space) for trial in trials]
    values = np.array([[trial.values[column] for column in columns] for trial in trials], dtype=float)
    return (
        np.array(genotypes, dtype=np.int64).reshape(-1, space.n_genes),
        values.reshape(-1, len(objectives)),
    )


def front_of_study(place: str, space: SearchSpace) -> Genotypes:
    """Return the front of a study as genotypes ``(n, G)``, whatever its objectives.

    Raises:
        DynasError: as `read_study` does, or no trial was completed.
    """
    with quiet():
        directions = [one.name for one in _load(place).directions]
    objectives = [
        Objective(f"value {column}", "max" if name == "MAXIMIZE" else "min", "1")
        for column, name in enumerate(directions)
    ]
    genotypes, values = read_study(place, space, objectives)
    if not len(genotypes):
        raise DynasError(f"warm_start={place}: the study has no completed trial, so it has no front")
    return genotypes[non_dominated(losses(objectives, values))]


def quiet() -> AbstractContextManager[object]:
    """Return a block in which Optuna neither warns of what is experimental nor says what it does."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning)


def parameter_names(space: SearchSpace) -> list[str]:
    """Return the name of each gene's parameter."""
    return [
        variable.name if variable.length == 1 else f"{variable.name}[{position}]"
        for variable in space.variables
        for position in range(variable.length)
    ]


def _trials(run: Run) -> Iterator[FrozenTrial]:
    """Yield a run's evaluations as trials."""
    from optuna.trial import FrozenTrial, TrialState

    space = read_space(run.facts, [from_json(one) for one in run.architectures], run.folder / RUN)
    if space is None:
        raise DynasError(f"'{run.folder}' has measured nothing, and tells no search space")
    names, kinds = parameter_names(space), _distributions(space)
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


def _distributions(space: SearchSpace) -> list[CategoricalDistribution]:
    """Return the distribution of each gene's parameter."""
    from optuna.distributions import CategoricalDistribution

    kinds = [(CategoricalDistribution([_plain(one) for one in gene.choices]), gene.length) for gene in space.variables]
    return [kind for kind, length in kinds for _ in range(length)]


def _plain(choice: object) -> Any:
    """Return a choice as Optuna stores it: what is neither number nor text as JSON."""
    return choice if choice is None or isinstance(choice, bool | int | float | str) else json.dumps(choice, default=str)


def _storage(place: str) -> BaseStorage:
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    file = place.split(":///", 1)[1]
    if place.startswith("journal"):
        return JournalStorage(JournalFileBackend(file))
    return RDBStorage(f"sqlite:///{file}")


def _load(place: str) -> Study:
    """Return a study that is only read: its file is neither made nor changed.

    Raises:
        DynasError: there is no such file, it is none of Optuna's, or it has none or several studies.
    """
    import optuna
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError

    kind, file = place.split(":///", 1)
    name: str | None = None
    if not Path(file).is_file():
        file, _, name = file.rpartition("@")
    if not Path(file).is_file():
        raise DynasError(f"{place}: there is no such file; {WAYS}, with @<study> behind it where it holds several")
    try:
        if kind == "journal":
            storage: BaseStorage = _storage(f"journal:///{file}")
        else:
            url = f"sqlite:///file:{file}?mode=ro&uri=true"
            storage = RDBStorage(url, skip_table_creation=True)
        known = [one.study_name for one in storage.get_all_studies()]
        if name is None and len(known) != 1:
            raise DynasError(f"{place} holds {len(known)} studies: name one of {', '.join(known)} by @<study>")
        if name is not None and name not in known:
            raise DynasError(f"{place}: there is no study '{name}', but {', '.join(known) or 'none at all'}")
        return optuna.load_study(study_name=name or known[0], storage=storage)
    except (OSError, ValueError, KeyError, TypeError, SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        raise DynasError(f"cannot read {place} as a storage of Optuna: {_first_line(error)}") from error


def _columns(place: str, study: Study, objectives: Sequence[Objective]) -> list[int]:
    """Return which of a study's values each objective is."""
    names, directions = study.metric_names, [one.name for one in study.directions]
    if names and any(one.name in names or one.column in names for one in objectives):
        columns = []
        for one in objectives:
            found = [names.index(name) for name in (one.column, one.name) if name in names]
            if not found:
                raise DynasError(f"{place} did not measure '{one.name}': its metrics are {', '.join(names)}")
            columns.append(found[0])
    elif len(directions) == len(objectives):
        columns = list(range(len(objectives)))
    else:
        raise DynasError(f"{place} has {len(directions)} values a trial, not one for each of {_listed(objectives)}")
    for one, column in zip(objectives, columns, strict=True):
        if not directions[column].lower().startswith(one.direction):
            raise DynasError(f"{place} has '{one.name}' to {directions[column].lower()}, here it is '{one.direction}'")
    return columns


def _check_parameters(place: str, trial: FrozenTrial, space: SearchSpace) -> None:
    """Raise DynasError where a trial has a parameter or options that the space lacks."""
    genes = dict(zip(parameter_names(space), _genes(space), strict=True))
    for name, kind in trial.distributions.items():
        if name not in genes:
            raise DynasError(f"{place} is a study of another space: this one has no '{name}', but {', '.join(genes)}")
        if more := [one for one in _options(kind) if one not in genes[name]]:
            raise DynasError(
                f"{place} is a study of another space: '{name}' can be {more[0]} there, here it is one of "
                f"{', '.join(map(str, genes[name]))}"
            )


def _options(kind: BaseDistribution) -> Iterable[Any]:
    """Return the options of a parameter that is a choice; a number's is looked at when it is read."""
    from optuna.distributions import CategoricalDistribution

    return kind.choices if isinstance(kind, CategoricalDistribution) else ()


def _genes(space: SearchSpace) -> list[list[Any]]:
    """Return each gene's options as Optuna stores them."""
    return [[_plain(one) for one in gene.choices] for gene in space.variables for _ in range(gene.length)]


def _genotype(place: str, trial: FrozenTrial, space: SearchSpace) -> Genotypes:
    """Return the canonical genotype ``(G,)`` of a trial."""
    where = f"{place}, trial {trial.number}"
    row, missing = [], []
    for gene, (name, options) in enumerate(zip(parameter_names(space), _genes(space), strict=True)):
        if name not in trial.params:
            missing.append(gene)
            row.append(0)
        elif (value := trial.params[name]) in options:
            row.append(options.index(value))
        else:
            raise DynasError(f"{where} has {name}={value}, here it is one of {', '.join(map(str, options))}")
    genotype: Genotypes = space.canonical(np.array([row], dtype=np.int64))[0]
    active = space.active(genotype[None])[0]
    if lacking := [parameter_names(space)[gene] for gene in missing if active[gene]]:
        raise DynasError(f"{where} is of another space: it has no parameter '{lacking[0]}'")
    return genotype


def _listed(objectives: Sequence[Objective]) -> str:
    return ", ".join(objective.name for objective in objectives)


def _first_line(error: Exception) -> str:
    """Return what an error says, without what a library adds beneath."""
    return str(error).split("\n")[0] or type(error).__name__
