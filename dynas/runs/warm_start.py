"""Starting a search from what another one found (Cummings et al. 2022, Appendix G.4)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from dynas.core.pareto import spread
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError
from dynas.runs.architectures import read_architectures
from dynas.runs.load import load_run
from dynas.runs.studies import is_study
from dynas.runs.study_reading import front_of_study

LISTS = (".json", ".csv")  # files of architectures


def front_of(folder: str | Path, space: SearchSpace) -> Genotypes:
    """Return the front of the run in ``folder`` as genotypes ``(n, G)``, every beginning spread along it.

    An Optuna study (see `dynas.runs.studies`) has a front, too; of a JSON or CSV file it is all that is listed there.

    Raises:
        DynasError: it is no run, has no front, or its sub-networks are not of this space.
    """
    if is_study(folder):
        return front_of_study(str(folder), space)
    if Path(folder).suffix in LISTS:
        try:
            return np.stack([one.genotype for one in read_architectures(str(folder), None, space, ())])
        except DynasError as error:
            raise DynasError(f"warm_start={folder}: {error}") from error
    run = load_run(Path(folder))
    if len(run.front) == 0:
        raise DynasError(f"warm_start={folder}: nothing within the bounds was measured there, so it has no front")
    rows = run.front[spread(run.losses[run.front], len(run.front))]
    try:
        return np.array([space.encode(json.loads(run.architectures[row])) for row in rows], dtype=np.int64)
    except DynasError as error:
        raise DynasError(f"warm_start={folder} is a run of another search space: {error}") from error
