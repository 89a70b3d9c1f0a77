"""What is elastic in a network whose structure is known: shares of the channels of each group, and blocks to skip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from torch import fx

from dynas.core.design import DesignVariable, Gate
from dynas.core.space import Architecture, Genotypes, SearchSpace
from dynas.errors import DynasError
from dynas.supernets.pruning.blocks import Block, around, innermost
from dynas.supernets.pruning.structure import Group, Structure
from dynas.supernets.pruning.trace import Trace

SHARES, KEPT = "w", "b"  # names of the design variables


@dataclass(frozen=True)
class Elastic:
    """What sub-networks choose.

    Attributes:
        groups: the groups of channels that may shrink.
        counts: units that are kept ``(groups, shares)``, ascending.
        blocks: the blocks that may be skipped.
        shares: the shares to choose from; the last is 1.
        space: both as design variables.
    """

    groups: Sequence[Group]
    counts: NDArray[np.int64]
    blocks: Sequence[Block]
    shares: Sequence[float]
    space: SearchSpace

    def units(self, architecture: Architecture) -> list[int]:
        """Return how many units each group keeps."""
        chosen = listed(architecture[SHARES]) if len(self.groups) else []
        return [int(row[self.shares.index(share)]) for row, share in zip(self.counts, chosen, strict=True)]

    def skipped(self, architecture: Architecture) -> list[Block]:
        """Return the blocks that are left out."""
        chosen = listed(architecture[KEPT]) if self.blocks else []
        return [block for block, kept in zip(self.blocks, chosen, strict=True) if not kept]

    def split(self, genotypes: Genotypes) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return kept units ``(n, groups)`` and kept blocks ``(n, blocks)`` of canonical genotypes ``(n, G)``."""
        kept, shares = np.split(genotypes[:, : len(self.blocks) + len(self.groups)], [len(self.blocks)], axis=1)
        return self.counts[np.arange(len(self.groups)), shares], kept.astype(bool)


def listed(value: float | list[float]) -> list[float]:
    """Return the values of a design variable, which an architecture holds as a plain one where it has one gene."""
    return value if isinstance(value, list) else [value]


def make_elastic(
    trace: Trace, structure: Structure, blocks: Sequence[Block], shares: Sequence[float], divisor: int
) -> Elastic:
    """Return what sub-networks choose.

    Groups that a norm over channels sees stay whole: without some of its channels such a norm changes all others.

    Args:
        trace: the network's graph.
        structure: what can be cut out of it.
        blocks: what can be skipped.
        shares: shares of the channels to choose from, ascending to 1.
        divisor: kept channels are a multiple of it, where a group's units allow that.

    Raises:
        DynasError: the shares or the divisor make no sense, or there is nothing to choose.
    """
    if not shares or shares[-1] != 1 or shares[0] <= 0 or any(a >= b for a, b in pairwise(shares)) or divisor < 1:
        raise DynasError(
            f"supernet.shares={list(shares)} supernet.divisor={divisor}: give shares in ascending order of which the "
            "last is 1, such as [0.25,0.5,0.75,1.0], and a divisor of 1 or more"
        )
    free = [group for group in structure.groups if not group.through_norm]
    rows = [(group, kept_units(group, shares, divisor)) for group in free]
    rows = [(group, counts) for group, counts in rows if len(set(counts)) > 1]
    if not rows and not blocks:
        raise DynasError(nothing_to_prune(structure, divisor))
    groups = [group for group, _ in rows]
    counts = np.array([row for _, row in rows], dtype=np.int64).reshape(len(rows), len(shares))
    variables = []
    if blocks:
        gates = [None if outer is None else Gate(KEPT, outer, 1) for outer in around(blocks)]
        variables.append(DesignVariable(KEPT, (0, 1), len(blocks), tuple(gates)))
    if groups:
        users: dict[str, set[fx.Node]] = {name: set() for name in trace.names.values()}
        for node, name in trace.names.items():
            users[name] |= set(node.users)
        inner = [innermost(blocks, set().union(*(users[name] for name, _ in group.parts))) for group in groups]
        gates = [None if block is None else Gate(KEPT, block, 1) for block in inner]
        aliases = {place: same for place, (_, row) in enumerate(rows) if (same := same_shares(shares, row))}
        variables.append(DesignVariable(SHARES, tuple(shares), len(groups), tuple(gates), aliases=aliases))
    return Elastic(groups, counts, blocks, tuple(shares), SearchSpace(variables))


def kept_units(group: Group, shares: Sequence[float], divisor: int) -> list[int]:
    """Return how many units of a group are kept at each share: at least one, and all at the last."""
    total = len(group.units)
    step = min(total, divisor // math.gcd(divisor, group.width))
    return [min(total, max(step, int(total * share / step + 0.5) * step)) for share in shares[:-1]] + [total]


def same_shares(shares: Sequence[float], counts: Sequence[int]) -> dict[float, float]:
    """Return the shares that keep as many units as an earlier one, with the first of these."""
    return {
        share: shares[counts.index(count)]
        for position, (share, count) in enumerate(zip(shares, counts, strict=True))
        if counts.index(count) < position
    }


def nothing_to_prune(structure: Structure, divisor: int) -> str:
    """Return why a network leaves no choice."""
    if structure.unknown:
        names = ", ".join(f"{name} in '{modules[0]}'" for name, modules in structure.unknown.items())
        return f"nothing of the network can be pruned: these operators are not known and keep what they touch: {names}"
    if structure.groups:
        return (
            "nothing of the network can be pruned: outside of norms over channels, no group of channels has two "
            f"options with supernet.divisor={divisor}; give a smaller divisor, or shares that differ more"
        )
    return "nothing of the network can be pruned: it has no layer whose outputs another layer reads"
