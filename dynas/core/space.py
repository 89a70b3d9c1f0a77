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

from dynas.core.design import DesignVariable, plain
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
        self._first: dict[str, int] = {}
        genes: list[DesignVariable] = []
        for variable in self.variables:
            if variable.name in self._first:
                raise DynasError(f"two design variables are called '{variable.name}'")
            self._first[variable.name] = len(genes)
            genes += [variable] * variable.length
        if not genes:
            raise DynasError("a search space needs at least one design variable")
        self.cardinality: Genotypes = np.array([len(gene.choices) for gene in genes], dtype=np.int64)
        self._same = self._alias_table()
        self._parents, self._opens = self._gate_tables()
        self._feature_start = np.concatenate([[0], np.cumsum(self.cardinality)[:-1]])

    @property
    def n_genes(self) -> int:
        """Number of genes ``G``."""
        return len(self.cardinality)

    @property
    def n_features(self) -> int:
        """Number of one-hot features ``D``."""
        return int(self.cardinality.sum())

    @cached_property
    def fine(self) -> NDArray[np.bool_]:
        """Mask ``(G,)`` of genes with many ordered options (see `DesignVariable.is_fine`)."""
        return np.repeat([one.is_fine for one in self.variables], [one.length for one in self.variables])

    def _alias_table(self) -> Genotypes:
        """Return, per gene and option, the first option that is the same network."""
        same = np.tile(np.arange(int(self.cardinality.max())), (self.n_genes, 1))
        for variable in self.variables:
            for position in variable.aliases:
                gene = self._first[variable.name] + position
                same[gene, : len(variable.choices)] = variable.first_names(position)
        return same

    def _gate_tables(self) -> tuple[Genotypes, NDArray[np.bool_]]:
        """Return each gene's parent (-1: none) and, per gene and parent option, whether the gene is active."""
        parents = np.full(self.n_genes, -1, dtype=np.int64)
        opens = np.ones((self.n_genes, int(self.cardinality.max())), dtype=bool)
        by_name = {variable.name: variable for variable in self.variables}
        for variable in self.variables:
            for position, gate in enumerate(variable.gates):
                if gate is None:
                    continue
                if gate.variable not in by_name or not 0 <= gate.index < by_name[gate.variable].length:
                    raise DynasError(f"'{variable.name}' is gated by unknown gene {gate.variable}[{gate.index}]")
                gene = self._first[variable.name] + position
                choices = by_name[gate.variable].choices
                parents[gene] = self._first[gate.variable] + gate.index
                try:
                    opens[gene, : len(choices)] = [choice >= gate.minimum for choice in choices]
                except TypeError as error:
                    raise DynasError(
                        f"'{variable.name}' is gated by {gate.variable}, whose choices {list(choices)} cannot be "
                        f"compared with {gate.minimum!r}"
                    ) from error
                opens[gene] = opens[gene, self._same[parents[gene]]]
        return parents, opens

    @cached_property
    def _levels(self) -> list[NDArray[np.int64]]:
        """Gated genes in levels, every gene on a later one than the gene that gates it."""
        levels: list[NDArray[np.int64]] = []
        placed = self._parents < 0
        while not placed.all():
            ready = np.flatnonzero(~placed & placed[self._parents])
            if len(ready) == 0:
                raise DynasError("the gates of the design variables form a circle")
            levels.append(ready)
            placed[ready] = True
        return levels

    @cached_property
    def _settings(self) -> list[list[int]]:
        """Per gene and option, the exact number of distinct settings of all genes that the option switches on."""
        settings = [
            [int(first == option) for option, first in enumerate(same[:count])]
            for same, count in zip(self._same, self.cardinality, strict=True)
        ]
        for gene in (gene for level in reversed(self._levels) for gene in level):
            parent = int(self._parents[gene])
            for option in range(len(settings[parent])):
                if self._opens[gene, option]:
                    settings[parent][option] *= sum(settings[gene])
        return settings

    @cached_property
    def size(self) -> int:
        """Exact number of distinct sub-networks (a Python integer, it outgrows 64 bits)."""
        settings = self._settings
        return math.prod(sum(settings[gene]) for gene in np.flatnonzero(self._parents < 0))

    @cached_property
    def _thresholds(self) -> NDArray[np.float64]:
        """Cumulative shares ``(G, options - 1)`` of each gene's settings, padded with ones."""
        thresholds = np.ones((self.n_genes, int(self.cardinality.max()) - 1))
        for gene, settings in enumerate(self._settings):
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
        active = np.ones(genotypes.shape, dtype=bool)
        for level in self._levels:
            parents = self._parents[level]
            active[:, level] = active[:, parents] & self._opens[level, genotypes[:, parents]]
        return active

    def canonical(self, genotypes: Genotypes) -> Genotypes:
        """Return ``genotypes`` ``(n, G)`` with every inactive gene 0 and every other one the first of its aliases."""
        return np.where(self.active(genotypes), self._same[np.arange(self.n_genes), genotypes], 0)

    def one_hot(self, genotypes: Genotypes) -> NDArray[np.float64]:
        """Return the features ``(n, D)``: one column per gene and option, all-zero for inactive genes."""
        features = np.zeros((len(genotypes), self.n_features))
        rows, genes = np.nonzero(self.active(genotypes))
        features[rows, self._feature_start[genes] + self._same[genes, genotypes[rows, genes]]] = 1.0
        return features

    @cached_property
    def _groups(self) -> list[NDArray[np.int64]]:
        """The genes of each design variable, then those of each that one gate opens (the blocks of a stage)."""
        ends = np.cumsum([variable.length for variable in self.variables])
        variables = np.split(np.arange(self.n_genes), ends[:-1])
        units = [
            genes[self._parents[genes] == parent] for genes in variables for parent in np.unique(self._parents[genes])
        ]
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

        The weight of a sub-network is the sum over its one-hot features. Gated genes are settled before those that
        gate them, so the minimum is exact.
        """
        n = len(weights)
        best = np.zeros((n, self.n_genes), dtype=np.int64)
        totals = np.full((n, self.n_genes, int(self.cardinality.max())), np.inf)
        for gene, (start, count) in enumerate(zip(self._feature_start, self.cardinality, strict=True)):
            totals[:, gene, :count] = weights[:, start + self._same[gene, :count]]
        for gene in (gene for level in reversed(self._levels) for gene in level):
            best[:, gene] = totals[:, gene].argmin(axis=1)
            least = totals[np.arange(n), gene, best[:, gene]]
            totals[:, self._parents[gene]] += np.where(self._opens[gene], least[:, None], 0.0)
        free = self._parents < 0
        best[:, free] = totals[:, free].argmin(axis=2)
        return self.canonical(best)

    def equations(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return what makes numbers 0 and 1 the one-hot features of a canonical genotype.

        Returns:
            matrix ``(G, D)``, right-hand side ``(G,)`` and upper ends ``(D,)``: features ``x`` with ``matrix @ x ==
            right`` and ``0 <= x <= upper``. A gene has one option, or none where its parent's option closes its gate.
        """
        matrix, right, upper = np.zeros((self.n_genes, self.n_features)), np.zeros(self.n_genes), []
        for gene, (start, count) in enumerate(zip(self._feature_start, self.cardinality, strict=True)):
            matrix[gene, start : start + count] = 1.0
            upper += [float(first == option) for option, first in enumerate(self._same[gene, :count])]
            if (parent := int(self._parents[gene])) < 0:
                right[gene] = 1.0
            else:
                columns = slice(self._feature_start[parent], self._feature_start[parent] + self.cardinality[parent])
                matrix[gene, columns] = -self._opens[gene, : self.cardinality[parent]].astype(float)
        return matrix, right, np.array(upper)

    def from_one_hot(self, features: NDArray[np.float64]) -> Genotypes:
        """Return the canonical genotypes ``(n, G)`` of one-hot features ``(n, D)``."""
        ends = self._feature_start[1:]
        return np.stack([part.argmax(axis=1) for part in np.split(features, ends, axis=1)], axis=1)

    def decode(self, genotype: NDArray[np.int64]) -> Architecture:
        """Return the architecture of one genotype ``(G,)``; inactive genes show their first option."""
        row = self.canonical(self.check(genotype))[0]
        architecture: Architecture = {}
        for variable in self.variables:
            first = self._first[variable.name]
            values = [variable.choices[option] for option in row[first : first + variable.length]]
            values += variable.constants
            architecture[variable.name] = values if len(values) > 1 else values[0]
        return architecture

    def encode(self, architecture: Mapping[str, Any]) -> NDArray[np.int64]:
        """Return the canonical genotype ``(G,)`` of an architecture; raise DynasError where it does not fit."""
        canonical: Genotypes = self.canonical(np.array([self.options(architecture)], dtype=np.int64))[0]
        return canonical

    def options(self, architecture: Mapping[str, Any]) -> list[int]:
        """Return the option of each gene, inactive ones as they are given; raise DynasError where it does not fit."""
        expected = [variable.name for variable in self.variables]
        if not isinstance(architecture, Mapping) or sorted(map(str, architecture)) != sorted(expected):
            raise DynasError(f"an architecture of this space is a mapping with the keys {', '.join(expected)}")
        options: list[int] = []
        for variable in self.variables:
            try:
                values = plain(architecture[variable.name])
            except RecursionError as error:
                raise DynasError(f"'{variable.name}' is nested too deeply") from error
            count = variable.length + len(variable.constants)
            values = values if count > 1 else [values]
            if not isinstance(values, Sequence) or len(values) != count:
                raise DynasError(f"'{variable.name}' needs {count} values, got {values!r}")
            if tuple(values[variable.length :]) != variable.constants:
                raise DynasError(f"'{variable.name}' ends with {list(variable.constants)}, got {values!r}")
            chosen = values[: variable.length]
            for value in chosen:
                if value not in variable.choices:
                    raise DynasError(f"'{variable.name}' cannot be {value!r}: choose from {list(variable.choices)}")
                options.append(variable.choices.index(value))
        return options

    def key(self, genotype: NDArray[np.int64]) -> str:
        """Return the identity of a sub-network as text, such as ``ks0120-e2101-d2``."""
        return self.keys(self.check(genotype))[0]

    def keys(self, genotypes: Genotypes) -> list[str]:
        """Return the identities of genotypes ``(n, G)``."""
        return [self._spell(row) for row in self.canonical(genotypes).tolist()]

    def _spell(self, row: Sequence[int]) -> str:
        parts = []
        for variable in self.variables:
            first = self._first[variable.name]
            separator = "" if len(variable.choices) <= 10 else "."
            parts.append(variable.name + separator.join(map(str, row[first : first + variable.length])))
        return "-".join(parts)

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
