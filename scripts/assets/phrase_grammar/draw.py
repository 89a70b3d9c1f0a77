"""Random choices, and which combinations of words they led to."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """Chooses at random, in the same way on every platform and Python version.

    Attributes:
        combinations: what was put together in the current sentence, such as a verb and its object; the builder keeps
            some combinations for validation only.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # of its methods, only random() is promised to stay as it is
        self.combinations: set[str] = set()

    def number(self, low: int, high: int) -> int:
        """Return an integer from ``low`` to ``high``, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items."""
        return items[self.number(0, len(items) - 1)]

    def chance(self, share: float) -> bool:
        """Return True in ``share`` of the cases."""
        return self._random.random() < share

    def note(self, *parts: object) -> None:
        """Remember a combination."""
        self.combinations.add(" + ".join(map(str, parts)))
