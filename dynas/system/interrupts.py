"""Ctrl-C and SIGTERM, by which batch systems end a job: both raise KeyboardInterrupt, and neither tears a closing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

USUAL: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class Interrupted(KeyboardInterrupt):
    """A signal asks for an end. Python itself would end by the signal of a plain KeyboardInterrupt out of `exec`."""


class Interrupts:
    """Raises `Interrupted` in its block where one of the signals comes; they do again what they did before afterwards.

    Signals that somebody else handles or ignores are left alone, as are all of them outside of the main thread.

    """

    def __init__(self) -> None:
        self._before: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {}
        self._first: int = signal.SIGINT
        self._late = self._came = False
        self._closing = 0

    @property
    def status(self) -> int:
        """The exit status after an interrupt: 128 and the number of the signal that came first."""
        return 128 + self._first

    def __enter__(self) -> Interrupts:
        """Listen."""
        if threading.current_thread() is threading.main_thread():
            for number, usual in USUAL.items():
                if signal.getsignal(number) == usual:
                    self._before[number] = signal.signal(number, self._hear)
        if self._before:
            _listening.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        """Listen no more."""
        for number, before in self._before.items():
            signal.signal(number, before)
        if self._before:
            _listening.remove(self)

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Raise at the end of the block what comes during it."""
        self._closing += 1
        try:
            yield
        finally:
            self._closing -= 1
            if self._late and not self._closing:
                self._late = False
                raise Interrupted

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if not self._came:
            self._came, self._first = True, number
        if self._closing:
            self._late = True
        else:
            raise Interrupted


_listening: list[Interrupts] = []


def interrupt_behind(error: RuntimeError) -> KeyboardInterrupt | None:
    """Return the interrupt that an error stands for; None where it is an error.

    Python 3.11 raises an error of its own for whatever is raised while a class is made, as when a module is imported.
    """
    return error.__cause__ if isinstance(error.__cause__, KeyboardInterrupt) else None


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off interrupts to the end of the block, which closes files and must not take long."""
    if not _listening:
        yield
        return
    with _listening[-1].put_off():
        yield
