"""Candidates of which some are fatal: what their first gene says becomes of whoever measures them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import numpy as np

from dynas.core.design import DesignVariable
from dynas.core.evaluation import Measurement
from dynas.core.objectives import Objective
from dynas.core.problem import Problem
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError

FATES = ("healthy", "crash", "hang", "hog", "refuse")
SPACE = SearchSpace([DesignVariable("fate", FATES), DesignVariable("size", tuple(range(200)))])
PROBLEM = Problem(SPACE, (Objective("size", "max", "1"), Objective("square", "min", "1")))


def candidates(fate: str, sizes: range) -> Genotypes:
    """Return one candidate of each size."""
    return np.array([[FATES.index(fate), size] for size in sizes])


def measure(genotypes: Genotypes) -> Iterator[Measurement]:
    """Measure size and its square."""
    for fate, size in genotypes.tolist():
        error = ""
        if FATES[fate] == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif FATES[fate] == "hang":
            time.sleep(600)
        elif FATES[fate] == "refuse":
            raise DynasError("these settings make no sense")
        elif FATES[fate] == "hog":
            try:
                error = f"got {len(bytearray(3 << 30))} bytes"
            except MemoryError:
                error = "MemoryError"
        values = (np.nan, np.nan) if error else (float(size), float(size**2))
        yield Measurement(values, {}, 0.0, error)


def slow(genotypes: Genotypes) -> Iterator[Measurement]:
    """Measure size and its square, a tenth of a second for each."""
    for measurement in measure(genotypes):
        time.sleep(0.1)
        yield measurement
