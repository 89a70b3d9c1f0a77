"""What searches are compared on: a problem with a function that stands in for measurements."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dynas.core.evaluation import Measurement
from dynas.core.objectives import Values
from dynas.core.problem import Batch, Problem, make_batch
from dynas.core.space import Genotypes


@dataclass(frozen=True)
class Landscape:
    """A problem with a function that stands in for measurements.

    Attributes:
        problem: space, objectives and exact functions.
        values: from canonical genotypes ``(n, G)`` to values ``(n, M)``.
        reference: losses ``(M,)`` up to which hypervolume counts.
        noise: standard deviations ``(M,)`` of the measurements about these values; None: they are exact.
    """

    problem: Problem
    values: Callable[[Genotypes], Values]
    reference: Values
    noise: Values | None = None

    def measure(self, genotypes: Genotypes) -> Iterator[Measurement]:
        """Yield the measured values of each genotype ``(n, G)``: the same ones whenever it is measured."""
        for genotype, row in zip(genotypes, self.values(genotypes), strict=True):
            if self.noise is not None:
                row = row + self.noise * np.random.default_rng(zlib.crc32(genotype.tobytes())).normal(size=len(row))
            yield Measurement(tuple(map(float, row)))

    def allowed(self, batch: Batch) -> Values:
        """Return the losses ``(n, M)`` without noise, with NaN for what failed or is beyond a bound."""
        true = make_batch(self.problem, batch.genotypes, self.values(batch.genotypes)) if len(batch) else batch
        return np.where((true.violation <= 0)[:, None], true.losses, np.nan)
