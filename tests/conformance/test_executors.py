"""What every executor owes: each candidate answered once, whatever becomes of the worker."""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from dynas import DynasError
from dynas.core.evaluator import Evaluator
from dynas.core.executor import Executor
from dynas.executors.processes import Processes
from dynas.executors.serial import Serial
from tests.helpers.own.perilous import PROBLEM, candidates, measure, slow

NAMES = ("serial", "processes", "dask", "ray")
APART = NAMES[1:]  # whose workers are processes of their own
PACKAGES = {"dask": "distributed", "ray": "ray"}


def make(name: str, **settings: Any) -> Executor:
    function = settings.pop("measure", measure)
    group = settings.pop("together", 3)
    if name == "serial":
        return Serial(function, group)
    if name == "processes":
        return Processes(function, group, 2, workers=2, **settings)
    if importlib.util.find_spec(PACKAGES[name]) is None:
        pytest.skip(f"{PACKAGES[name]} is not installed")
    if name == "dask":
        from dynas.executors.dask import Dask

        return Dask(function, group, 2, workers=2, **settings)
    from dynas.executors.ray import Ray

    return Ray(function, group, 2, workers=2, **settings)


@pytest.fixture(params=NAMES)
def every(request: pytest.FixtureRequest) -> Iterator[Executor]:
    executor = make(request.param)
    yield executor
    executor.close()


def test_every_candidate_is_answered_once_with_its_own_values(every: Executor) -> None:
    rows = candidates("healthy", range(11))
    every.submit(rows[:5])
    every.submit(rows[5:])
    answers = []
    while some := every.collect():
        answers += some
    assert sorted(row.tolist() for row, _ in answers) == rows.tolist()
    assert all(one.values == (row[1], row[1] ** 2) for row, one in answers)
    assert every.collect() == []
    every.submit(candidates("healthy", range(20, 22)))
    assert len(every.collect()) > 0, "it can be used again"


def test_what_is_cancelled_and_what_is_collected_is_everything(every: Executor) -> None:
    rows = candidates("healthy", range(200))  # more than busy workers finish before the first is collected
    every.submit(rows)
    answers = list(every.collect())
    left = every.cancel()
    while some := every.collect():
        answers += some
    assert len(left) > 0
    everything = [*(row.tolist() for row, _ in answers), *left.tolist()]
    assert sorted(everything) == rows.tolist()


def test_settings_at_fault_end_the_search_with_their_sentence(every: Executor) -> None:
    every.submit(candidates("refuse", range(1)))
    with pytest.raises(DynasError, match="these settings make no sense"):
        every.collect()


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
        while not (workers := [pid for pid in descendants(os.getpid()) if holds_measure(pid)]):
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
            if workers := [pid for pid in descendants(os.getpid()) if holds_measure(pid)]:
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


def test_workers_end_with_the_main_process_even_if_it_is_killed() -> None:
    text = (
        "import time\n"
        "from dynas.executors.processes import Processes\n"
        "from tests.helpers.own.perilous import candidates, slow\n"
        "if __name__ == '__main__':\n"
        "    pool = Processes(slow, 1, 2, workers=2)\n"
        "    pool.submit(candidates('healthy', range(40)))\n"
        "    pool.collect()\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(600)\n"
    )
    main = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert main.stdout is not None
    assert main.stdout.readline() == "ready\n"
    workers = descendants(main.pid)
    assert len(workers) >= 2
    main.kill()
    main.wait()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(pid) for pid in workers)


@pytest.mark.parametrize("settings", [{"time_limit_s": 0}, {"memory_gib": -1}, {"threads": 0}])
def test_limits_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    name, value = next(iter(settings.items()))
    with pytest.raises(DynasError, match=rf"executor\.{name}={value}: give a positive number, or null"):
        Processes(measure, **settings)


def test_what_cannot_be_sent_is_refused_before_anything_is_measured() -> None:
    with pytest.raises(DynasError, match=r"go to the workers by pickle.*executor=serial"):
        Processes(lambda rows: measure(rows))


def descendants(pid: int) -> list[int]:
    """Return all processes beneath one."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def children(pid: int) -> list[int]:
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        return [int(one) for task in tasks for one in open(f"/proc/{pid}/task/{task}/children").read().split()]
    except OSError:
        return []


def command(pid: int) -> str:
    try:
        return open(f"/proc/{pid}/cmdline").read().replace("\0", " ")
    except OSError:
        return ""


def alive(pid: int) -> bool:
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def is_tracker(pid: int) -> bool:
    return "resource_tracker" in command(pid) or not alive(pid)


def holds_measure(pid: int) -> bool:
    """Return whether a process is a worker that measures: the youngest in its line."""
    text = command(pid)
    return not children(pid) and ("spawn_main" in text or "ray::measure" in text)
