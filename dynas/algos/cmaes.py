"""CMA-ES: adapts a normal distribution over genes that are read as real numbers."""

from __future__ import annotations

from collections import deque
from typing import Any

import cma
import numpy as np
from numpy.typing import NDArray

from dynas.algos.base import FAILED, check_objectives, check_settings, first_population
from dynas.core.problem import Batch
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError

LEAST_STEP = 0.2  # of an option: below, genes would hardly change any more
GENERATIONS = 10  # that together bring fewer new candidates than one should, after which it starts afresh


class CmaesSearch:
    """CMA-ES (Hansen 2016, doi 10.48550/arXiv.1604.00772) for exactly one objective.

    Gene ``g`` is a real number in ``[0, options)``, cut to the index below. The first population (start, then
    random) only decides where the distribution begins: at its best member. Candidates that come again are
    answered from memory. When generations hardly bring anything new, a random population starts it afresh.

    CMA-ES uses nothing but ranks: candidates within all bounds come first, by loss; then those beyond, by
    violation; failed and missing ones last.

    Args:
        space, n_objectives, rng, start: see `dynas.core.algorithm.AlgorithmFactory`.
        population: candidates per generation.
        sigma: first standard deviation, as a share of each gene's range.
    """

    def __init__(
        self,
        space: SearchSpace,
        n_objectives: int,
        rng: np.random.Generator,
        start: Genotypes | None = None,
        *,
        population: int = 50,
        sigma: float = 0.3,
    ) -> None:
        check_objectives("cmaes", n_objectives)
        check_settings("cmaes", 4, population)
        if not 0 < sigma <= 1:
            raise DynasError(f"algo=cmaes needs algo.sigma above 0 and at most 1, got {sigma}")
        self._space, self._rng, self._start = space, rng, start
        self._population, self._sigma = population, sigma
        self._seen: set[bytes] = set()
        self._answers: dict[bytes, tuple[float, float]] = {}  # violation and loss
        self._strategy: Any = None
        self._new: deque[int] = deque(maxlen=GENERATIONS)  # new candidates of the last generations
        self._points: list[NDArray[np.float64]] = []
        self._asked = np.empty((0, space.n_genes), dtype=np.int64)

    def ask(self) -> Genotypes:
        """Return the new candidates ``(n, G)`` of the next generation that holds any."""
        while self._strategy is not None and sum(self._new) >= self._population:
            self._points = self._strategy.ask()
            rows = self._genotypes()
            new = {row.tobytes(): row for row in rows if row.tobytes() not in self._seen}
            self._new.append(len(new))
            if new:
                self._seen.update(new)
                self._asked = np.array(list(new.values()))
                return self._asked
            self._strategy.tell(self._points, self._ranks(rows))
        self._strategy = None
        self._asked = first_population(self._space, self._population, self._rng, self._start, self._seen)
        self._start = None
        return self._asked

    def tell(self, batch: Batch) -> None:
        """Rank the generation, or place the distribution on the best of a first population."""
        for row, loss, beyond, measured in zip(
            batch.genotypes, batch.losses[:, 0], batch.violation, batch.measured, strict=True
        ):
            if measured:
                self._answers[row.tobytes()] = (max(float(beyond), 0.0), float(loss) if beyond <= 0 else 0.0)
        if self._strategy is not None:
            self._strategy.tell(self._points, self._ranks(self._genotypes()))
        elif len(self._asked):
            self._new.extend([self._population] * GENERATIONS)
            self._strategy = self._begin(self._asked[np.argmin(self._ranks(self._asked))])

    def _genotypes(self) -> Genotypes:
        """Return the canonical genotypes ``(n, G)`` of the generation's points."""
        indices = np.floor(np.array(self._points)).astype(np.int64)
        return self._space.canonical(np.clip(indices, 0, self._space.cardinality - 1))

    def _ranks(self, rows: Genotypes) -> list[float]:
        """Return the place ``(n,)`` of each candidate among them all, equal ones sharing theirs."""
        answers = [self._answers.get(row.tobytes(), (FAILED, 0.0)) for row in rows]
        places = {answer: float(place) for place, answer in enumerate(sorted(set(answers)))}
        return [places[answer] for answer in answers]

    def _begin(self, genotype: NDArray[np.int64]) -> Any:
        options = self._space.cardinality.astype(float)
        settings = {
            "popsize": self._population,
            "bounds": [np.zeros_like(options), options],
            "CMA_stds": options,
            "minstd": LEAST_STEP,
            # its default, and its own handling of integers, draw from numpy's global state
            "randn": lambda *shape: self._rng.standard_normal(shape),
            "seed": np.nan,
            "verbose": -9,
            "verb_log": 0,
        }
        return cma.CMAEvolutionStrategy(genotype + 0.5, self._sigma, settings)
