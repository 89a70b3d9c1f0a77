"""Whether the algorithm keeps what algorithms promise."""

from dynas.templates.algorithm import Mine
from dynas.testing import AlgorithmSuite


class TestMine(AlgorithmSuite):
    """The suite tries it on made-up problems with one and two objectives, with and without bounds."""

    make = Mine
    populations = (20, 7)
