"""What ends a search before its budget is spent: its time, no progress, or nothing but failures."""

from __future__ import annotations

import time
from collections.abc import Sequence

from dynas.core.objectives import Values
from dynas.errors import DynasError

FIRST = 5  # evaluations, as many as are measured together by default, after which nothing but one failure is told


class Stopping:
    """Ends a search when its time is over, when it has stopped finding anything better, or when everything fails.

    Args:
        max_minutes: wall time from now on, in minutes; a resumed run gets it anew.
        patience: iterations in a row that may pass without any growth of the hypervolume.
        max_failures: evaluations in a row that may fail; the first five may not all fail for the same reason.

    Attributes:
        reason: why the search has to end, empty while it may go on.

    Raises:
        DynasError: a limit that is not positive.
    """

    def __init__(
        self, max_minutes: float | None = None, patience: int | None = None, max_failures: int | None = 20
    ) -> None:
        for name, limit in (("max_minutes", max_minutes), ("patience", patience), ("max_failures", max_failures)):
            if limit is not None and limit <= 0:
                raise DynasError(f"{name}={limit}: give a positive number, or null for no limit")
        self.reason = ""
        self._max_minutes, self._patience = max_minutes, patience
        self._deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
        self._front: set[bytes] = set()
        self._idle = 0
        self._max_failures = max_failures
        self._failures: list[str] = []
        self._succeeded = False

    def out_of_time(self) -> bool:
        """Return whether the time is over."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self.reason = f"max_minutes={self._max_minutes:g} are over"
        return bool(self.reason)

    def watch(self, front: Values) -> None:
        """Hear of the losses ``(n, M)`` of the measured front after an iteration.

        Measured up to a reference point that is worse than all of them, the hypervolume has grown exactly when
        the front has a new point; so none needs to be chosen. While nothing is within the bounds, nothing counts.
        """
        points = {row.tobytes() for row in front}
        self._idle = 0 if points != self._front or not points else self._idle + 1
        self._front = points
        if self._patience is not None and self._idle >= self._patience:
            self.reason = f"the hypervolume has not grown for patience={self._patience} iterations"

    def hear(self, errors: Sequence[str]) -> None:
        """Hear of evaluations: the reason of each that failed, an empty one where it succeeded."""
        for error in errors:
            self._succeeded |= not error
            self._failures = [*self._failures, error] if error else []
        if self.reason or not self._failures or self._max_failures is None:
            return
        failed, last = len(self._failures), self._failures[-1]
        if not self._succeeded and failed >= min(FIRST, self._max_failures) and len(set(self._failures)) == 1:
            self.reason = f"all of the first {failed} evaluations failed for the same reason: {last}"
        elif failed >= self._max_failures:
            self.reason = (
                f"{failed} evaluations in a row failed (max_failures={self._max_failures}), the last one: {last}"
            )
