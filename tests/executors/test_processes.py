"""What is special to workers on this machine: their end, their limits, and what cannot be sent to them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from dynas import DynasError
from dynas.executors.processes import Processes
from dynas.testing.perilous import measure
from tests.helpers.process_tree import alive, descendants


def test_workers_end_with_the_main_process_even_if_it_is_killed() -> None:
    text = (
        "import time\n"
        "from dynas.executors.processes import Processes\n"
        "from dynas.testing.perilous import candidates, slow\n"
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
    lock = threading.Lock()
    with pytest.raises(DynasError, match=r"goes to the workers by pickle.*executor=serial"):
        Processes(lambda rows: measure(rows) if lock else ())
