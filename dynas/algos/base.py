"""The contract of search algorithms: ask for candidates, tell their losses."""

from __future__ import annotations

import warnings

import numpy as np

from dynas.core.space import Draw, Genotypes, SearchSpace
from dynas.errors import DynasError, DynasWarning

# Smallest and largest number of objectives of each algorithm; None: any number.
OBJECTIVES: dict[str, tuple[int, int | None]] = {
    "random": (1, None),
    "pareto_local_search": (1, None),
    "ga": (1, 1),
    "cmaes": (1, 1),
    "motpe": (1, None),
    "nsga2": (2, None),
    "agemoea": (2, None),
    "unsga3": (2, None),
    "ctaea": (2, None),
    "moead": (2, None),
}
SUIT_TWO = ("nsga2", "agemoea")  # algorithms that Cummings et al. 2022 recommend for two objectives
FAILED = 1e12  # violation of a candidate that could not be measured: worse than any real one


def check_objectives(name: str, n_objectives: int) -> None:
    """Raise DynasError where an algorithm cannot handle so many objectives, naming those that can.

    Warns with DynasWarning where it can but another suits better.
    """
    least, most = OBJECTIVES[name]
    if n_objectives < least or (most is not None and n_objectives > most):
        able = [other for other, (low, high) in OBJECTIVES.items() if low <= n_objectives <= (high or n_objectives)]
        needs = f"at least {least} objectives" if most is None else f"exactly {least} objective"
        raise DynasError(
            f"algo={name} needs {needs}, {n_objectives} given: "
            f"change objectives=[...] or choose algo={' or algo='.join(able)}"
        )
    if n_objectives > 2 and name in SUIT_TWO:
        warnings.warn(
            f"algo={name} suits two objectives best, {n_objectives} given: "
            "consider algo=unsga3, algo=ctaea or algo=moead",
            DynasWarning,
            stacklevel=3,
        )


def check_settings(name: str, least: int, population: int, **shares: float) -> None:
    """Raise DynasError for fewer than ``least`` individuals or for a share that is not between 0 and 1."""
    if population < least:
        raise DynasError(f"algo={name} needs algo.population >= {least}, got {population}")
    for setting, value in shares.items():
        if not 0 <= value <= 1:
            raise DynasError(f"algo={name} needs algo.{setting} between 0 and 1, got {value}")


def first_population(
    space: SearchSpace,
    size: int,
    rng: np.random.Generator,
    start: Genotypes | None,
    seen: set[bytes],
    draw: Draw | None = None,
) -> Genotypes:
    """Return distinct genotypes ``(size, G)``, those of ``start`` first, and add them to ``seen``.

    ``draw`` makes the others (see `SearchSpace.sample_distinct`).
    """
    given = np.empty((0, space.n_genes), dtype=np.int64) if start is None else space.canonical(start)
    rows = {row.tobytes(): row for row in given if row.tobytes() not in seen}
    kept = list(rows.values())[:size]
    seen.update(row.tobytes() for row in kept)
    fresh = space.sample_distinct(size - len(kept), rng, seen, draw)
    seen.update(row.tobytes() for row in fresh)
    return np.concatenate([np.array(kept, dtype=np.int64).reshape(-1, space.n_genes), fresh])
