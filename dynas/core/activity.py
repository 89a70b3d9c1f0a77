"""What is being done just now: told by whoever does it, read by whoever shows it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

Item = TypeVar("Item")


class Activity:
    """Something that takes a while.

    Attributes:
        what: what it is.
        place: which of its steps is at work, counted from 1; 0 where it has no steps.
        total: how many steps it has.
        began: when it began, by time.perf_counter.
    """

    def __init__(self, what: str) -> None:
        self.what, self.place, self.total = what, 0, 0
        self.began = time.perf_counter()

    def __str__(self) -> str:
        return f"{self.what} {self.place} of {self.total}" if self.place else self.what

    def step(self, place: int, total: int) -> None:
        """Tell which step is at work."""
        self.place, self.total = place, total


class Journal:
    """The activities of a job.

    Attributes:
        now: those under way, the outermost first.
        seconds: wall time of those that are over, by what they were; of what several threads do, the sum.
    """

    def __init__(self) -> None:
        self.now: list[Activity] = []
        self.seconds: dict[str, float] = {}
        self._ending = Lock()

    def __str__(self) -> str:
        return ": ".join(dict.fromkeys(map(str, tuple(self.now))))  # several threads may do the same


_journal = Journal()  # nobody reads this first one


@contextmanager
def watched() -> Iterator[Journal]:
    """Write all activities of the block into a journal of its own."""
    global _journal
    before, _journal = _journal, Journal()
    try:
        yield _journal
    finally:
        _journal = before


def spent() -> dict[str, float]:
    """Return the seconds of what is over, the longest first; what was done within something counts there, too."""
    return dict(sorted(_journal.seconds.items(), key=lambda one: -one[1]))


@contextmanager
def doing(what: str) -> Iterator[Activity]:
    """Tell what the block does, such as ``reading data``; blocks may be nested."""
    journal, activity = _journal, Activity(what)
    journal.now.append(activity)
    try:
        yield activity
    finally:
        journal.now.remove(activity)
        with journal._ending:
            took = time.perf_counter() - activity.began
            journal.seconds[what] = journal.seconds.get(what, 0.0) + took


def each(items: Sequence[Item]) -> Iterator[Item]:
    """Yield items, which are the steps of what is being done."""
    activity = _journal.now[-1] if _journal.now else Activity("")
    for place, item in enumerate(items, start=1):
        activity.step(place, len(items))
        yield item
