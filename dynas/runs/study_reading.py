"""Optuna studies as measurements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dynas.core.objectives import Objective, Values, losses
from dynas.core.pareto import non_dominated
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError
from dynas.runs.studies import WAYS, first_line, parameter_names, quiet, stored_choices

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial


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


def _load(place: str) -> Study:
    """Return a study that is only read: its file is neither made nor changed.

    Raises:
        DynasError: there is no such file, it is none of Optuna's, or it has none or several studies.
    """
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend
    from sqlalchemy.exc import SQLAlchemyError

    kind, file = place.split(":///", 1)
    name: str | None = None
    if not Path(file).is_file():
        file, _, name = file.rpartition("@")
    if not Path(file).is_file():
        raise DynasError(f"{place}: there is no such file; {WAYS}, with @<study> behind it where it holds several")
    try:
        if kind == "journal":
            storage: BaseStorage = JournalStorage(JournalFileBackend(file))
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
        raise DynasError(f"cannot read {place} as a storage of Optuna: {first_line(error)}") from error


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
    genes = dict(zip(parameter_names(space), stored_choices(space), strict=True))
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


def _genotype(place: str, trial: FrozenTrial, space: SearchSpace) -> Genotypes:
    """Return the canonical genotype ``(G,)`` of a trial."""
    where = f"{place}, trial {trial.number}"
    row, missing = [], []
    for gene, (name, options) in enumerate(zip(parameter_names(space), stored_choices(space), strict=True)):
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
