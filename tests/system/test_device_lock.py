from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from dynas.system.device_lock import CPU, turn

PATIENCE = 20  # seconds


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return


class Users:
    """Threads that use a device, with a log of who came and went."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.inside: set[str] = set()
        self.together: list[set[str]] = []
        self.leave: dict[str, threading.Event] = {}
        self.threads: list[threading.Thread] = []

    def come(self, name: str, alone: bool, device: str = CPU) -> None:
        self.leave[name] = threading.Event()

        def use() -> None:
            with turn(device, alone):
                self.inside.add(name)
                self.log.append(name)
                self.together.append(set(self.inside))
                self.leave[name].wait(PATIENCE)
                self.inside.discard(name)

        self.threads.append(threading.Thread(target=use, daemon=True))
        self.threads[-1].start()

    def wait_for(self, name: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while name not in self.log and time.monotonic() < deadline:
            time.sleep(0.01)
        assert name in self.log

    def all_leave(self) -> None:
        for event in self.leave.values():
            event.set()
        for thread in self.threads:
            thread.join(PATIENCE)


def test_many_share_a_device_but_one_who_times_is_alone() -> None:
    users = Users()
    for name in "abc":
        users.come(name, alone=False)
        users.wait_for(name)
    assert users.inside == set("abc")
    users.come("timer", alone=True)
    time.sleep(0.1)
    assert "timer" not in users.log
    users.all_leave()
    assert users.together[-1] == {"timer"}


def test_nobody_overtakes_one_who_waits_to_be_alone() -> None:
    users = Users()
    users.come("first", alone=False)
    users.wait_for("first")
    users.come("timer", alone=True)
    time.sleep(0.2)
    users.come("late", alone=False)
    time.sleep(0.2)
    assert users.log == ["first"]
    users.all_leave()
    assert users.log == ["first", "timer", "late"]


def test_users_of_another_device_need_not_wait() -> None:
    users = Users()
    users.come("timer", alone=True)
    users.wait_for("timer")
    users.come("other", alone=True, device="cuda:0")
    users.wait_for("other")
    users.all_leave()


def test_a_killed_process_holds_nobody_up(tmp_path: Path) -> None:
    text = (
        "import sys, tempfile, time\n"
        "tempfile.tempdir = sys.argv[1]\n"
        "from dynas.system.device_lock import turn\n"
        "with turn('cpu', alone=True):\n"
        "    print('in', flush=True)\n"
        "    time.sleep(600)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", text, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "in\n"
    users = Users()
    users.come("next", alone=True)
    time.sleep(0.2)
    assert users.log == []
    holder.kill()
    holder.wait()
    users.wait_for("next")
    users.all_leave()


def test_waiting_for_others_does_not_count_towards_a_time_limit() -> None:
    text = (
        "import time\n"
        "from dynas.system.limits import paused, time_limit\n"
        "with time_limit(0.5):\n"
        "    with paused():\n"
        "        time.sleep(1)\n"
        "    print('still there', flush=True)\n"
        "    time.sleep(600)\n"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout == "still there\n"
    assert done.returncode == -14, "killed by SIGALRM"
