"""One wall time for all steps: each has a share of it, and what one leaves is there for those after it."""

from __future__ import annotations

import math
import time

from dynas.errors import DynasError

ENDS = {"sensitivity": 0.25, "search": 0.5, "tuning": 0.95}  # shares of the time after which a step must have ended


class Clock:
    """The time of a compression.

    Args:
        minutes: wall time from now on; None: any.

    Raises:
        DynasError: it is no positive number.
    """

    def __init__(self, minutes: float | None) -> None:
        if minutes is not None and not minutes > 0:
            raise DynasError(f"max_minutes={minutes}: give a positive number, or null for no limit")
        self.minutes = minutes
        self._began = time.monotonic()

    def left(self, step: str) -> float:
        """Return how many seconds a step has from now on: infinite without a limit, 0 where its time is over."""
        if self.minutes is None:
            return math.inf
        return max(0.0, self._began + 60 * self.minutes * ENDS[step] - time.monotonic())
