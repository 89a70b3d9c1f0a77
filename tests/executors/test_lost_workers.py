"""Executors whose workers are processes of their own answer each candidate once, whatever becomes of the worker."""

from __future__ import annotations

import os
import random
import signal
import threading
import time

import numpy as np
import pytest

from dynas.core.evaluator import Evaluator
from dynas.testing.perilous import PROBLEM, candidates, slow
from tests.helpers.executors import APART, make
from tests.helpers.process_tree import descendants, is_tracker, measuring

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", APART)
def test_candidates_that_kill_or_stall_workers_fail_and_the_others_do_not(name: str) -> None:
    executor = make(name, time_limit_s=2, memory_gib=1.5)
    mixed = [
        candidates("healthy", range(3)), candidates("crash", range(1)), candidates("healthy", range(3, 6)),
        candidates("hang", range(1)), candidates("hog", range(1)), candidates("healthy", range(6, 8)),
    ]  # fmt: skip
    try:
        evaluate = Evaluator(PROBLEM, executor, 11)
        batch = evaluate(np.concatenate(mixed))
    finally:
        executor.close()
    errors = [one.measurement.error for one in evaluate.history]
    assert batch.measured.tolist() == [error == "" for error in errors]
    assert np.flatnonzero(~batch.measured).tolist() == [3, 7, 8]
    assert "twice" in errors[3]
    assert "time_limit_s=2" in errors[7]
    assert errors[8] == "MemoryError"
    assert [one.index for one in evaluate.history] == list(range(1, 12))


@pytest.mark.parametrize("name", APART)
def test_a_worker_that_is_killed_from_outside_costs_nothing_but_time(name: str) -> None:
    executor = make(name, measure=slow, together=2)
    try:
        rows = candidates("healthy", range(24))
        executor.submit(rows)
        answers = list(executor.collect())
        deadline = time.monotonic() + 2
        while not (workers := measuring()):
            assert time.monotonic() < deadline
        os.kill(workers[0], signal.SIGKILL)
        while some := executor.collect():
            answers += some
    finally:
        executor.close()
    assert sorted(row.tolist() for row, _ in answers) == rows.tolist()
    assert not any(one.error for _, one in answers)


@pytest.mark.parametrize("seed", [1, 2])
def test_workers_may_be_killed_at_any_moment_again_and_again(seed: int) -> None:
    executor = make("processes", measure=slow, together=2)
    rng = random.Random(seed)
    done = threading.Event()

    def kill() -> None:
        while not done.wait(rng.uniform(0, 0.5)):
            if workers := measuring():
                os.kill(rng.choice(workers), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    rows = candidates("healthy", range(24))
    executor.submit(rows)
    killer.start()
    answers = []
    try:
        while some := executor.collect():
            answers += some
    finally:
        done.set()
        killer.join()
        executor.close()
    assert sorted(row.tolist() for row, _ in answers) == rows.tolist()
    assert all("SIGKILL" in one.error and "twice" in one.error for _, one in answers if one.error)


def test_a_crash_is_told_by_its_signal() -> None:
    executor = make("processes")
    executor.submit(candidates("crash", range(1)))
    ((_, failed),) = executor.collect()
    executor.close()
    assert failed.error == "the worker was killed by signal 11 (SIGSEGV) twice"
    assert len(failed.values) == 2


@pytest.mark.parametrize("name", APART)
def test_no_process_is_left_behind(name: str) -> None:
    before = set(descendants(os.getpid()))
    executor = make(name, measure=slow)
    executor.submit(candidates("healthy", range(20)))
    executor.collect()
    executor.close()
    deadline = time.monotonic() + 20
    while (left := [pid for pid in descendants(os.getpid()) if pid not in before and not is_tracker(pid)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.1)
    assert left == []
