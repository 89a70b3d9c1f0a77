"""One process of this machine that measures, may die at any moment, and is made anew when it is next needed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from dynas.core.evaluation import Measurement
from dynas.core.space import Genotypes
from dynas.errors import DynasError
from dynas.executors.worker import Sent, hold, measure_held

SPAWN = multiprocessing.get_context("spawn")
_births = threading.Lock()  # starting a process also asks after dead ones, whose statuses can be read only once


class LostError(Exception):
    """The process died.

    Attributes:
        exitcode: its status, or minus the signal that killed it.
    """

    def __init__(self, exitcode: int) -> None:
        super().__init__(exitcode)
        self.exitcode = exitcode


class Process:
    """Measures chunk after chunk in a process; each has a pipe of its own, so that no death touches another.

    Args:
        sent: what measures.
    """

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._stopped = False

    def measure(self, genotypes: Genotypes) -> list[Measurement]:
        """Measure a chunk ``(n, G)``; one thread at a time.

        Raises:
            LostError: the process died, or was stopped.
            DynasError: the settings are at fault.
            RuntimeError: measuring failed otherwise; holds the traceback.
        """
        process, pipe, known = self._alive()
        try:
            if not known:
                pipe.send(self._sent)
            pipe.send(genotypes)
            connection.wait([pipe, process.sentinel])
            if not pipe.poll():
                raise EOFError
            found: list[Measurement] | Exception = pipe.recv()
        except (EOFError, OSError):
            raise LostError(self._exitcode(process)) from None
        if isinstance(found, Exception):
            raise found
        return found

    def stop(self) -> None:
        """Kill it for good."""
        with _births:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def _alive(self) -> tuple[BaseProcess, Connection, bool]:
        """Return the process, its pipe, and whether it was there before; a new one waits for what measures."""
        with _births:
            if self._stopped:
                raise LostError(-signal.SIGTERM)
            if self._process is not None and self._pipe is not None and self._process.is_alive():
                return self._process, self._pipe, True
            self._pipe, theirs = SPAWN.Pipe()
            self._process = SPAWN.Process(target=serve, args=(theirs,), daemon=True)
            with deaf_children(), without_main():
                self._process.start()  # takes so little with it that it need not be there to receive it
            theirs.close()
            return self._process, self._pipe, False

    @staticmethod
    def _exitcode(process: BaseProcess) -> int:
        connection.wait([process.sentinel])
        with _births:
            process.join()
            return process.exitcode or 0


def serve(pipe: Connection) -> None:
    """Take what measures from a pipe, then answer what comes through it, until the other end is closed."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        sent: Sent = pipe.recv()
        hold(sent)
        while True:
            pipe.send(answer(sent, pipe.recv()))


def answer(sent: Sent, genotypes: Genotypes) -> list[Measurement] | Exception:
    """Return the measurements of a chunk, or why there are none, as what any process can unpickle."""
    try:
        return measure_held(sent.digest, sent.limits, genotypes)
    except DynasError as error:
        return DynasError(*error.args)
    except Exception as error:  # whatever it is, the main process shall raise it
        return RuntimeError("".join(traceback.format_exception(error)))


def end_with_parent() -> None:
    """Wait for the end of the main process, then end this one at once."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@contextmanager
def without_main() -> Iterator[None]:
    """Let a process that is started not run the script of the main process again: what measures brings its own code."""
    main = vars(sys.modules["__main__"])
    kept: dict[str, Any] = {name: main.pop(name) for name in ("__file__", "__spec__") if name in main}
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update(kept)


@contextmanager
def deaf_children() -> Iterator[None]:
    """Let processes that are started by this thread, or by threads that it starts, never hear of Ctrl-C or SIGTERM.

    Both may reach all processes of a terminal or a job. The main process stops its workers, which must not die before.
    """
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # which otherwise opens this thread's ears again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
