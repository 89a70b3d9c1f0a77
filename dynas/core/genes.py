"""Genes: how many options each has, which of them are the same network, and which gene switches another one off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dynas.core.design import DesignVariable
from dynas.errors import DynasError


class Genes:
    """The ``G`` genes of design variables in their order, as tables.

    Attributes:
        first: the first gene of each design variable, by its name.
        cardinality: number of options ``(G,)``.
        same: per gene and option ``(G, most options)``, the first option that is the same network.
        parents: the gene that gates each one ``(G,)``, -1 for none.
        opens: per gene and option of its parent ``(G, most options)``, whether the gene is active.
        columns: the first one-hot feature of each gene ``(G,)``.

    Raises:
        DynasError: there is no gene, two design variables have one name, or a gate makes no sense.
    """

    def __init__(self, variables: Sequence[DesignVariable]) -> None:
        self.first: dict[str, int] = {}
        counts: list[int] = []
        for variable in variables:
            if variable.name in self.first:
                raise DynasError(f"two design variables are called '{variable.name}'")
            self.first[variable.name] = len(counts)
            counts += [len(variable.choices)] * variable.length
        if not counts:
            raise DynasError("a search space needs at least one design variable")
        self.cardinality: NDArray[np.int64] = np.array(counts, dtype=np.int64)
        self.columns = np.concatenate([[0], np.cumsum(self.cardinality)[:-1]])
        self.same = self._alias_table(variables)
        self.parents, self.opens = self._gate_tables(variables)

    def __len__(self) -> int:
        return len(self.cardinality)

    def _alias_table(self, variables: Sequence[DesignVariable]) -> NDArray[np.int64]:
        same = np.tile(np.arange(int(self.cardinality.max())), (len(self), 1))
        for variable in variables:
            for position in variable.aliases:
                gene = self.first[variable.name] + position
                same[gene, : len(variable.choices)] = variable.first_names(position)
        return same

    def _gate_tables(self, variables: Sequence[DesignVariable]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        parents = np.full(len(self), -1, dtype=np.int64)
        opens = np.ones((len(self), int(self.cardinality.max())), dtype=bool)
        by_name = {variable.name: variable for variable in variables}
        for variable in variables:
            for position, gate in enumerate(variable.gates):
                if gate is None:
                    continue
                if gate.variable not in by_name or not 0 <= gate.index < by_name[gate.variable].length:
                    raise DynasError(f"'{variable.name}' is gated by unknown gene {gate.variable}[{gate.index}]")
                gene = self.first[variable.name] + position
                choices = by_name[gate.variable].choices
                parents[gene] = self.first[gate.variable] + gate.index
                try:
                    opens[gene, : len(choices)] = [choice >= gate.minimum for choice in choices]
                except TypeError as error:
                    raise DynasError(
                        f"'{variable.name}' is gated by {gate.variable}, whose choices {list(choices)} cannot be "
                        f"compared with {gate.minimum!r}"
                    ) from error
                opens[gene] = opens[gene, self.same[parents[gene]]]
        return parents, opens

    @cached_property
    def tiers(self) -> list[NDArray[np.int64]]:
        """Gated genes in tiers, every gene on a later one than the gene that gates it."""
        tiers: list[NDArray[np.int64]] = []
        placed = self.parents < 0
        while not placed.all():
            ready = np.flatnonzero(~placed & placed[self.parents])
            if len(ready) == 0:
                raise DynasError("the gates of the design variables form a circle")
            tiers.append(ready)
            placed[ready] = True
        return tiers

    def gated_first(self) -> Iterator[int]:
        """Yield the gated genes, every gene before the one that gates it."""
        for tier in reversed(self.tiers):
            yield from tier.tolist()

    @cached_property
    def settings(self) -> list[list[int]]:
        """Per gene and option, the exact number of distinct settings of all genes that the option switches on."""
        settings = [
            [int(first == option) for option, first in enumerate(same[:count])]
            for same, count in zip(self.same, self.cardinality, strict=True)
        ]
        for gene in self.gated_first():
            parent = int(self.parents[gene])
            for option in range(len(settings[parent])):
                if self.opens[gene, option]:
                    settings[parent][option] *= sum(settings[gene])
        return settings

    def active(self, genotypes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return the mask ``(n, G)`` of genes that change their sub-network."""
        active = np.ones(genotypes.shape, dtype=bool)
        for tier in self.tiers:
            parents = self.parents[tier]
            active[:, tier] = active[:, parents] & self.opens[tier, genotypes[:, parents]]
        return active
