"""What a compressed network may cost at most: limits such as ``latency<=0.6x``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dynas.errors import DynasError, one_of

FORM = re.compile(r"\s*(\w+)\s*(<=|<)\s*(\d+\.?\d*|\.\d+)\s*(x?)\s*")
HOW = "give a limit such as 'latency<=0.6x' of the original's or 'size<=1.5' in its unit, several of them by commas"


@dataclass(frozen=True)
class Limit:
    """One limit; of it comes one network.

    Attributes:
        text: as it was given.
        most: by objective, the largest value.
        relative: the objectives whose value is a share of the original's.
    """

    text: str
    most: Mapping[str, float]
    relative: frozenset[str]

    def within(self, values: Mapping[str, float], original: Mapping[str, float]) -> bool:
        """Return whether a network's values are within it."""
        return all(values[name] <= bound for name, bound in self.bounds(original).items())

    def excess(self, values: Mapping[str, float], original: Mapping[str, float]) -> float:
        """Return how many times a network's values are what they may be, of several the worst."""
        return max(values[name] / bound for name, bound in self.bounds(original).items())

    def bounds(self, original: Mapping[str, float]) -> dict[str, float]:
        """Return the largest value of each objective in its unit."""
        return {name: most * (original[name] if name in self.relative else 1.0) for name, most in self.most.items()}


def read_limits(given: str | Sequence[str], allowed: Sequence[str]) -> list[Limit]:
    """Return limits, the loosest first.

    Args:
        given: one limit, or a list for several networks from one search.
        allowed: objectives that limits can be on.

    Raises:
        DynasError: one means nothing, or several are not on the same objectives.
    """
    texts = [given] if isinstance(given, str) else list(given)
    if not texts:
        raise DynasError(f"no limit given: {HOW}")
    limits = [read_limit(str(text), allowed) for text in texts]
    first = limits[0]
    for one in limits:
        if (set(one.most), one.relative) != (set(first.most), first.relative):
            raise DynasError(
                f"limit=[{','.join(texts)}]: limits of one search are on the same objectives and all shares or all in "
                f"units, '{one.text}' is not as '{first.text}'"
            )
    limits.sort(key=lambda one: sorted(one.most.items()), reverse=True)
    for looser, tighter in pairwise(limits):
        if tighter.most == looser.most or any(value > looser.most[name] for name, value in tighter.most.items()):
            raise DynasError(f"limit=[{','.join(texts)}]: each limit must be tighter than the one before it in all")
    return limits


def read_limit(text: str, allowed: Sequence[str]) -> Limit:
    """Return one limit, of one objective or of several with commas between them; raise DynasError as `read_limits`."""
    most: dict[str, float] = {}
    relative = set()
    for part in text.split(","):
        found = FORM.fullmatch(part)
        if found is None:
            raise DynasError(f"limit='{text}': {HOW}")
        name, value = found[1], float(found[3])
        if name not in allowed:
            raise one_of("objective of a limit", name, allowed)
        if name in most or value == 0 or (found[4] and value >= 1):
            raise DynasError(
                f"limit='{text}': give each objective once, and a share between 0 and 1 or a number above 0"
            )
        most[name] = value
        relative |= {name} if found[4] else set()
    return Limit(text, most, frozenset(relative))
