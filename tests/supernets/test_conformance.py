"""Every family keeps the promises of supernets, and so does a user's own one."""

from __future__ import annotations

from functools import partial

import pytest

from dynas.testing import SupernetSuite
from tests.helpers.networks import pruned
from tests.helpers.own.mine import Perceptrons
from tests.helpers.supernets import SUPERNETS, moved

pytestmark = pytest.mark.slow


class TestPerceptrons(SupernetSuite):
    make = staticmethod(Perceptrons)


def suite(kind: str) -> type[SupernetSuite]:
    """Return the suite of one of our own supernets."""
    return type(class_name(kind), (SupernetSuite,), {"make": staticmethod(partial(moved, kind))})


def class_name(kind: str) -> str:
    return "Test" + "".join(word.capitalize() for word in kind.split())


class TestPrunedResidual(SupernetSuite):
    make = staticmethod(partial(pruned, "residual"))


class TestPrunedAttending(SupernetSuite):
    """Made of the graph, not of modules."""

    make = staticmethod(partial(pruned, "attending"))


globals().update({class_name(kind): suite(kind) for kind in SUPERNETS})
