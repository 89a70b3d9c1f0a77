"""Search spaces of four sizes."""

from __future__ import annotations

import itertools

import numpy as np

from dynas.core.design import DesignVariable, depth_gates
from dynas.core.space import SearchSpace


def wide() -> SearchSpace:
    """Return 45 genes: 5 units of 2 to 4 blocks, each with one of three kernel sizes and expansion ratios."""
    gates = depth_gates("d", [4] * 5)
    return SearchSpace(
        [
            DesignVariable("ks", (3, 5, 7), 20, gates),
            DesignVariable("e", (3, 4, 6), 20, gates),
            DesignVariable("d", (2, 3, 4), 5),
        ]
    )


def gated() -> SearchSpace:
    """Return two units of one or two blocks with three kernel sizes: 144 sub-networks, 324 genotypes."""
    return SearchSpace([DesignVariable("ks", (3, 5, 7), 4, depth_gates("d", [2, 2])), DesignVariable("d", (1, 2), 2)])


def small() -> SearchSpace:
    """Return a unit of one or two blocks with three kernel sizes, in three widths: 36 sub-networks, 54 genotypes."""
    unit = [DesignVariable("ks", (3, 5, 7), 2, depth_gates("d", [2])), DesignVariable("d", (1, 2))]
    return SearchSpace([*unit, DesignVariable("width", (1, 2, 4))])


def tiny() -> SearchSpace:
    """Return a depth of 1, or of 2 with one of two kernel sizes: 3 sub-networks, 4 genotypes."""
    return SearchSpace([DesignVariable("d", (1, 2)), DesignVariable("ks", (3, 5), 1, depth_gates("d", [2])[1:])])


def everything(space: SearchSpace) -> set[bytes]:
    """Return the identity of every sub-network of a small space, by going through all of its genotypes."""
    rows = np.array(list(itertools.product(*(range(count) for count in space.cardinality))), dtype=np.int64)
    return {row.tobytes() for row in space.canonical(rows)}
