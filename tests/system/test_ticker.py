"""Tickers: called from their thread every so often, never while something is timed, never after their end."""

from __future__ import annotations

import threading

from dynas.system.ticker import Ticker, quiet

SECONDS = 10.0


def test_it_ticks_from_another_thread_until_its_end() -> None:
    threads: list[threading.Thread] = []
    thrice = threading.Event()

    def tick() -> None:
        threads.append(threading.current_thread())
        if len(threads) == 3:
            thrice.set()

    with Ticker(0.001, tick):
        assert thrice.wait(SECONDS)
    number = len(threads)
    assert threading.current_thread() not in threads
    assert not threading.Event().wait(0.01)
    assert len(threads) == number


def test_it_keeps_quiet_and_makes_up_for_it_at_once() -> None:
    calls: list[int] = []
    with Ticker(0.001, lambda: calls.append(1)):
        with quiet():
            before = len(calls)
            threading.Event().wait(0.02)
            assert len(calls) == before
        assert len(calls) > before


def test_an_output_that_is_closed_ends_it() -> None:
    calls: list[int] = []
    once = threading.Event()

    def tick() -> None:
        calls.append(1)
        once.set()
        raise BrokenPipeError

    with Ticker(0.001, tick):
        assert once.wait(SECONDS)
        with quiet():
            threading.Event().wait(0.02)
    assert len(calls) == 1


def test_its_thread_has_ended_with_its_block() -> None:
    for _ in range(20):
        with Ticker(60, lambda: None):
            pass
        assert not any(thread.name == "ticker" for thread in threading.enumerate())
