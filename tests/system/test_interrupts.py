"""Signals: each raises in the main thread, waits for what is being closed, and does afterwards what it did before."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from dynas.system.interrupts import Interrupted, Interrupts, interrupt_behind, uninterrupted


@pytest.fixture(autouse=True)
def default_signals() -> Iterator[None]:
    """Signals as in a fresh process, whatever runs the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler), signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before[0])
    signal.signal(signal.SIGTERM, before[1])


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_raises_and_gives_the_status_of_shells(number: int, status: int) -> None:
    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        assert interrupts.status == status
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_the_first_signal_decides_the_status() -> None:
    with Interrupts() as interrupts:
        for number in (signal.SIGTERM, signal.SIGINT):
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
        assert interrupts.status == 143


def test_what_is_being_closed_is_closed_first() -> None:
    closed = []

    def close() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            closed.append(1)

    with Interrupts():
        with pytest.raises(KeyboardInterrupt):
            close()
        with uninterrupted():
            closed.append(2)
    assert closed == [1, 2]


def test_ignored_signals_stay_ignored_and_an_outer_listener_hears() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with Interrupts():
        signal.raise_signal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with Interrupts() as outer:
        with Interrupts(), pytest.raises(KeyboardInterrupt), uninterrupted():
            signal.raise_signal(signal.SIGTERM)
        assert outer.status == 143


def test_other_threads_change_no_signal() -> None:
    seen = []

    def run() -> None:
        with Interrupts(), uninterrupted():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


def test_an_interrupt_while_a_class_is_made_is_one() -> None:
    class Interrupting:
        def __set_name__(self, owner: type, name: str) -> None:
            raise Interrupted

    with pytest.raises((Interrupted, RuntimeError)) as raised:
        type("Made", (), {"member": Interrupting()})
    if isinstance(raised.value, RuntimeError):  # before Python 3.12
        assert isinstance(interrupt_behind(raised.value), Interrupted)
    assert interrupt_behind(RuntimeError("an error")) is None
