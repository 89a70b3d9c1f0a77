"""What is done every so often beside the work, from a thread of its own, but never while something is timed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_turn = threading.RLock()  # held while something is timed, and while a ticker does its work
_tickers: list[Ticker] = []


class Ticker:
    """Calls a function every so many seconds while its block runs; an output that is closed ends it.

    Args:
        seconds: time between two calls.
        tick: what is called, mostly from another thread.
    """

    def __init__(self, seconds: float, tick: Callable[[], object]) -> None:
        self._seconds, self._tick = seconds, tick
        self._last = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def __enter__(self) -> Ticker:
        """Begin; the first call comes after ``seconds``."""
        self._last = time.monotonic()
        _tickers.append(self)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """End; afterwards nothing is called any more."""
        with _turn:
            self._over.set()
            _tickers.remove(self)
        # what the thread still holds, such as tensors, must not be freed while the interpreter ends
        self._thread.join(timeout=10)

    def tick_if_due(self) -> None:
        """Call the function if its time has come."""
        with _turn:
            now = time.monotonic()
            if self._over.is_set() or now < self._last + self._seconds:
                return
            self._last = now
            try:
                self._tick()
            except OSError:  # whoever prints next hears of it
                self._over.set()

    def _run(self) -> None:
        while not self._over.wait(max(0.0, self._last + self._seconds - time.monotonic())):
            self.tick_if_due()


@contextmanager
def quiet() -> Iterator[None]:
    """Let no ticker run in the block; those whose time has come meanwhile are called at its end.

    Python computes in one thread at a time: whatever another one does would be part of what is timed.
    """
    with _turn:
        yield
    for ticker in list(_tickers):
        ticker.tick_if_due()
