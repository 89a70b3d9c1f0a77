"""Every algorithm that `dynas.algos.named` knows keeps what all promise; one of a user's own does, too."""

from __future__ import annotations

from functools import partial

import pytest

from dynas.algos.named import ALGORITHMS
from dynas.testing import AlgorithmSuite
from tests.helpers.algorithms import EFFORT, POPULATION, fits, named
from tests.helpers.own.mine import InOrder
from tests.helpers.pairs import pairs

pytestmark = pytest.mark.slow


def suite(name: str) -> type[AlgorithmSuite]:
    """Return the checks of one of ours."""
    members = {
        "make": staticmethod(partial(named, name)),
        "n_objectives": [m for m in ((1, 3) if name in EFFORT else (1, 2, 3)) if fits(name, m)],
        "populations": (POPULATION, 5) if name in EFFORT else (POPULATION, 5, 50),
        "effort": EFFORT.get(name, 1.0),
        "combine": staticmethod(pairs),
    }
    return type(f"Test_{name}", (AlgorithmSuite,), members)


globals().update({f"Test_{name}": suite(name) for name in ALGORITHMS})


class TestInOrder(AlgorithmSuite):
    make = InOrder
