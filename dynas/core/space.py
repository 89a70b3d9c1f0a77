"""The search space: design variables, genotypes and the identity of a sub-network.

A genotype is an integer vector of shape ``(G,)`` holding the index of each design variable's option.
A gene may be gated by another one (a kernel size matters only while the depth keeps its block); the
canonical genotype sets every inactive gene to 0, so that two genotypes describe the same sub-network
exactly when their canonical forms agree (Cummings et al. 2022, section 3.1; doi 10.48550/arXiv.2205.10358).
Where two options of a gene are the same network, the canonical genotype has the first of them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynas.core import one_hot, spelling
from dynas.core.design import DesignVariable
from dynas.core.genes import Genes
from dynas.errors import DynasError

Architecture = dict[str, Any]
Genotypes = NDArray[np.int64]
Draw = Callable[[int, np.random.Generator], Genotypes]  # (n, rng) -> canonical genotypes (n, G)


class SearchSpace:
    """All sub-networks that a list of design variables spans."""

    def __init__(self, variables: Sequence[DesignVariable]) -> None:
        if not isinstance(variables, Sequence) or not all(isinstance(one, DesignVariable) for one in variables):
            raise DynasError(f"a search space is made from a list of DesignVariable(...), got {variables!r}")
        self.variables = tuple(variables)
        self._genes = Genes(self.variables)
        self.cardinality: Genotypes = self._genes.cardinality

    @property
    def n_genes(self) -> int:
        """Number of genes ``G``."""
        return len(self._genes)

    @property
    def n_features(self) -> int:
        """Number of one-hot features ``D``."""
        return int(self.cardinality.sum())

    @cached_property
    def fine(self) -> NDArray[np.bool_]:
        """Mask ``(G,)`` of genes with many ordered options (see `DesignVariable.is_fine`)."""
        return np.repeat([one.is_fine for one in self.variables], [one.length for one in self.variables])

    @cached_property
    def size(self) -> int:
        """Exact number of distinct sub-networks (a Python integer, it outgrows 64 bits)."""
        settings = self._genes.settings
        return math.prod(sum(settings[gene]) for gene in np.flatnonzero(self._genes.parents < 0))

    @cached_property
    def _thresholds(self) -> NDArray[np.float64]:
        """Cumulative shares ``(G, options - 1)`` of each gene's settings, padded with ones."""
        thresholds = np.ones((self.n_genes, int(self.cardinality.max()) - 1))
        for gene, settings in enumerate(self._genes.settings):
            total = sum(settings)
            thresholds[gene, : len(settings) - 1] = [part / total for part in itertools.accumulate(settings[:-1])]
        return thresholds

    def check(self, genotypes: Any) -> Genotypes:
        """Return ``genotypes`` as an integer array ``(n, G)``; raise DynasError for a wrong shape or option."""
        array = np.atleast_2d(np.asarray(genotypes))
        if array.ndim != 2 or array.shape[1] != self.n_genes:
            raise DynasError(f"a genotype of this space has {self.n_genes} genes, not shape {array.shape}")
        if not np.issubdtype(array.dtype, np.integer) or (array < 0).any() or (array >= self.cardinality).any():
            raise DynasError("a genotype holds option indices: integers from 0 to the number of options minus 1")
        return array.astype(np.int64, copy=False)

    def sample(self, n: int, rng: np.random.Generator) -> Genotypes:
        """Return ``n`` canonical genotypes ``(n, G)``, every gene drawn uniformly; repeats are possible."""
        return self.canonical(self.random_genes(n, rng))

    def sample_uniform(self, n: int, rng: np.random.Generator) -> Genotypes:
        """Return ``n`` canonical genotypes ``(n, G)``, every distinct sub-network equally likely; repeats are possible.

        An option is drawn in proportion to the number of distinct settings of the genes that it switches on, so
        that a depth of four blocks comes more often than one of two.
        """
        drawn = rng.random((n, self.n_genes, 1)) >= self._thresholds
        return self.canonical(drawn.sum(axis=2, dtype=np.int64))

    def random_genes(self, n: int, rng: np.random.Generator) -> Genotypes:
        """Return ``(n, G)`` uniformly drawn options, inactive genes included."""
        return rng.integers(0, self.cardinality, size=(n, self.n_genes), dtype=np.int64)

    def sample_distinct(
        self, n: int, rng: np.random.Generator, seen: set[bytes] | None = None, draw: Draw | None = None
    ) -> Genotypes:
        """Return up to ``n`` distinct canonical genotypes that are not in ``seen`` (their rows' bytes).

        They come from ``draw``, by default `sample`. Fewer than ``n`` are returned only when so few are left, or
        when they are too rare to be met.
        """
        taken = set(seen or ())
        wanted = min(n, self.size - len(taken))
        rows: list[NDArray[np.int64]] = []
        for _ in range(1000):
            if len(rows) >= wanted:
                break
            for row in (draw or self.sample)(max(2 * (wanted - len(rows)), 16), rng):
                if len(rows) < wanted and (token := row.tobytes()) not in taken:
                    taken.add(token)
                    rows.append(row)
        return np.array(rows, dtype=np.int64).reshape(len(rows), self.n_genes)

    def active(self, genotypes: Genotypes) -> NDArray[np.bool_]:
        """Return the mask ``(n, G)`` of genes that change their sub-network."""
        return self._genes.active(genotypes)

    def canonical(self, genotypes: Genotypes) -> Genotypes:
        """Return ``genotypes`` ``(n, G)`` with every inactive gene 0 and every other one the first of its aliases."""
        return np.where(self.active(genotypes), self._genes.same[np.arange(self.n_genes), genotypes], 0)

    def one_hot(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """Return the features ``(n, D)``: one column per gene and option, all-zero for inactive genes."""
        return one_hot.one_hot(self._genes, genotypes)

    @cached_property
    def _groups(self) -> list[NDArray[np.int64]]:
        """The genes of each design variable, then those of each that one gate opens (the blocks of a stage)."""
        ends = np.cumsum([variable.length for variable in self.variables])
        variables = np.split(np.arange(self.n_genes), ends[:-1])
        parents = self._genes.parents
        units = [genes[parents[genes] == parent] for genes in variables for parent in np.unique(parents[genes])]
        sizes = {genes.tobytes() for genes in variables}
        return [*variables, *(genes for genes in units if genes.tobytes() not in sizes)]

    def levels(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """Return how large parts of sub-networks are ``(n, L)``, in shares of the most that is possible.

        The level of an option is its place among the choices, from 0 (first) to 1 (last). There is a column for the
        mean level of each design variable and of those of its genes that the same gene gates, 0 where inactive; and
        one for the active share of each design variable.
        """
        active = self.active(genotypes)
        level = np.where(active, genotypes / np.maximum(self.cardinality - 1, 1), 0.0)
        columns = [level[:, genes].mean(axis=1) for genes in self._groups]
        columns += [active[:, genes].mean(axis=1) for genes in self._groups[: len(self.variables)]]
        return np.stack(columns, axis=1)

    def lightest(self, weights: NDArray[np.float64]) -> Genotypes:
        """Return the canonical genotypes ``(n, G)`` that minimise additive models with ``weights`` ``(n, D)``.

        The weight of a sub-network is the sum over its one-hot features; the minimum is exact.
        """
        return self.canonical(one_hot.lightest(self._genes, weights))

    def equations(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return what makes numbers 0 and 1 the one-hot features of a canonical genotype.

        Returns:
            matrix ``(G, D)``, right-hand side ``(G,)`` and upper ends ``(D,)``: features ``x`` with ``matrix @ x ==
            right`` and ``0 <= x <= upper``. A gene has one option, or none where its parent's option closes its gate.
        """
        return one_hot.equations(self._genes)

    def from_one_hot(self, features: NDArray[np.float64]) -> Genotypes:
        """Return the canonical genotypes ``(n, G)`` of one-hot features ``(n, D)``."""
        return one_hot.from_one_hot(self._genes, features)

    def decode(self, genotype: NDArray[np.int64]) -> Architecture:
        """Return the architecture of one genotype ``(G,)``; inactive genes show their first option."""
        row = self.canonical(self.check(genotype))[0].tolist()
        return spelling.architecture_of(self.variables, row)

    def encode(self, architecture: Mapping[str, Any]) -> NDArray[np.int64]:
        """Return the canonical genotype ``(G,)`` of an architecture; raise DynasError where it does not fit."""
        canonical: Genotypes = self.canonical(np.array([self.options(architecture)], dtype=np.int64))[0]
        return canonical

    def options(self, architecture: Mapping[str, Any]) -> list[int]:
        """Return the option of each gene, inactive ones as they are given; raise DynasError where it does not fit."""
        return spelling.options_of(self.variables, architecture)

    def key(self, genotype: NDArray[np.int64]) -> str:
        """Return the identity of a sub-network as text, such as ``ks0120-e2101-d2``."""
        return self.keys(self.check(genotype))[0]

    def keys(self, genotypes: Genotypes) -> list[str]:
        """Return the identities of genotypes ``(n, G)``."""
        return [spelling.key_of(self.variables, row) for row in self.canonical(genotypes).tolist()]

    def smallest(self) -> NDArray[np.int64]:
        """Return the genotype ``(G,)`` of every first option."""
        return np.zeros(self.n_genes, dtype=np.int64)

    def middle(self) -> NDArray[np.int64]:
        """Return the canonical genotype ``(G,)`` of every middle option, the larger one of two."""
        canonical: Genotypes = self.canonical(self.cardinality[None, :] // 2)[0]
        return canonical

    def largest(self) -> NDArray[np.int64]:
        """Return the canonical genotype ``(G,)`` of every last option."""
        canonical: Genotypes = self.canonical(self.cardinality[None, :] - 1)[0]
        return canonical
