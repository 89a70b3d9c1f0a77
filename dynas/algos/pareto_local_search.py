"""Pareto local search: sweeps additive models, then changes one or two genes of the front's members."""

from __future__ import annotations

import numpy as np

from dynas.algos.base import check_objectives, check_settings, first_population
from dynas.core.basis import Basis
from dynas.core.objectives import Values
from dynas.core.pareto import spread
from dynas.core.problem import Batch
from dynas.core.space import Genotypes, SearchSpace

PENALTY = 0.1  # of the additive model, in squared deviations of an objective
MOST = 10  # genes that are changed together where changes of fewer find too little that is new


class ParetoLocalSearch:
    """Looks around the best trade-offs found so far (after Paquete et al. 2004, doi 10.1007/978-3-642-17144-4_7).

    After the first candidates (start, then random), whenever the number of answers has doubled, additive models of
    the losses are fitted to them all, and the exact minimisers of random weighted sums of the models are asked: on a
    nearly additive landscape, such as that of most predictors, these are the front at once. Then every single gene
    of every member of the front is changed, members that lie far apart first, and finally random pairs of genes,
    or more where pairs find little that is new.

    Args:
        space, n_objectives, rng, start: see `dynas.core.algorithm.AlgorithmFactory`.
        population: candidates per `ask`, of which the first are random.
        directions: weighted sums that are minimised per sweep.
    """

    def __init__(
        self,
        space: SearchSpace,
        n_objectives: int,
        rng: np.random.Generator,
        start: Genotypes | None = None,
        *,
        population: int = 100,
        directions: int = 100,
    ) -> None:
        check_objectives("pareto_local_search", n_objectives)
        check_settings("pareto_local_search", 1, population)
        self._space, self._rng, self._population, self._directions = space, rng, population, directions
        self._seen: set[bytes] = set()
        self._queue = first_population(space, population, rng, start, self._seen)
        self._told: list[Batch] = []
        self._swept = 0  # answers at the last sweep
        self._front = Batch(self._queue[:0], np.empty((0, n_objectives)), np.empty(0))
        self._searched: set[bytes] = set()  # members of the front whose single changes were all asked

    def ask(self) -> Genotypes:
        """Return the next candidates ``(n, G)``."""
        count = sum(map(len, self._told))
        if count >= max(2 * self._swept, 2):
            self._swept = count
            self._queue = np.concatenate([self._new(self._sweep()), self._queue])
        while len(self._queue) < self._population and (rows := self._neighbours()) is not None:
            self._queue = np.concatenate([self._queue, rows])
        if len(self._queue) == 0:
            self._queue = first_population(self._space, self._population, self._rng, None, self._seen)
        asked, self._queue = self._queue[: self._population], self._queue[self._population :]
        return asked

    def tell(self, batch: Batch) -> None:
        """Take in new members of the front: within all bounds, or nearest to them while none is."""
        batch = batch.select(batch.measured)
        if len(batch) == 0:
            return
        self._told.append(batch)
        known = [self._front, batch]
        both = Batch(
            np.concatenate([one.genotypes for one in known]),
            np.concatenate([one.losses for one in known]),
            np.concatenate([one.violation for one in known]),
        )
        self._front = both.front()
        if len(self._front) == 0:
            self._front = both.select(np.argsort(both.violation, kind="stable")[:10])

    def _sweep(self) -> Genotypes:
        """Return the minimisers ``(directions, G)`` of random weighted sums of additive models."""
        losses = np.concatenate([batch.losses for batch in self._told])
        violation = np.concatenate([batch.violation for batch in self._told])
        targets = np.column_stack([losses, violation]) if violation.any() else losses
        basis = Basis(self._space)
        features = basis.features(np.concatenate([batch.genotypes for batch in self._told]))
        models = basis.weights(additive_models(features, targets))
        draws = self._rng.dirichlet(np.ones(len(models)), self._directions)
        sums = np.concatenate([np.eye(len(models)), draws])[: self._directions]
        return self._space.lightest(sums @ models)

    def _neighbours(self) -> Genotypes | None:
        """Return new single changes of a few members of the front, else changed pairs; None: there are none."""
        rows = np.array([row.tobytes() not in self._searched for row in self._front.genotypes], dtype=bool)
        fresh = self._front.select(rows)
        if len(fresh):
            member = fresh.genotypes[spread(fresh.losses, 1 + self._population // self._space.n_features)]
            self._searched.update(row.tobytes() for row in member)
            return self._new(single_changes(self._space, member, self._rng))
        found: list[Genotypes] = []
        for changes in range(2, MOST if len(self._front) else 0):
            member = self._front.genotypes[self._rng.integers(0, len(self._front), 2 * self._population)]
            for _ in range(changes):
                member = random_change(self._space, member, self._rng)
            found.append(self._new(member))
            if sum(map(len, found)) >= self._population:
                break
        return np.concatenate(found) if sum(map(len, found)) else None

    def _new(self, genotypes: Genotypes) -> Genotypes:
        """Return the canonical forms that were never asked for, and note them as asked."""
        rows = {row.tobytes(): row for row in self._space.canonical(genotypes)}
        new = [row for token, row in rows.items() if token not in self._seen]
        self._seen.update(rows)
        return np.array(new, dtype=np.int64).reshape(-1, self._space.n_genes)


def additive_models(features: Values, targets: Values) -> Values:
    """Return ridge weights ``(M, D)`` of targets ``(n, M)`` in deviations of each, for features ``(n, D)``."""
    scale = targets.std(axis=0)
    scaled = (targets - targets.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    centred = features - features.mean(axis=0)
    gram = centred.T @ centred + PENALTY * np.eye(features.shape[1])
    return np.asarray(np.linalg.solve(gram, centred.T @ scaled).T)


def single_changes(space: SearchSpace, genotypes: Genotypes, rng: np.random.Generator) -> Genotypes:
    """Return every other option of every active gene of genotypes ``(n, G)``; genes switched on are drawn.

    Of a gene with many ordered options, those 1, 2, 4, 8, ... places away.
    """
    active = space.active(genotypes)
    options = np.arange(int(space.cardinality.max()))
    other = active[:, :, None] & (options < space.cardinality[:, None]) & (options != genotypes[:, :, None])
    steps = np.abs(options - genotypes[:, :, None])
    other &= ~space.fine[:, None] | ((steps & (steps - 1)) == 0)
    rows, genes, option = np.nonzero(other)
    changed = np.where(active, genotypes, space.random_genes(len(genotypes), rng))[rows]
    changed[np.arange(len(rows)), genes] = option
    return changed


def random_change(space: SearchSpace, genotypes: Genotypes, rng: np.random.Generator) -> Genotypes:
    """Return genotypes ``(n, G)`` with another option of one active gene of each; genes switched on are drawn."""
    active = space.active(genotypes)
    changed = np.where(active, genotypes, space.random_genes(len(genotypes), rng))
    gene = np.where(active & (space.cardinality > 1), rng.random(genotypes.shape), -1.0).argmax(axis=1)
    rows, choices = np.arange(len(genotypes)), space.cardinality[gene]
    step = 1 + rng.integers(0, np.maximum(choices - 1, 1))
    changed[rows, gene] = (changed[rows, gene] + step) % choices
    return changed
