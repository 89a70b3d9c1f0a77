"""Which processes there are beneath one."""

from __future__ import annotations

import os


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


def measuring() -> list[int]:
    """Return the workers beneath this process that measure: the youngest of each line."""
    return [pid for pid in descendants(os.getpid()) if holds_measure(pid)]


def holds_measure(pid: int) -> bool:
    text = command(pid)
    return not children(pid) and ("spawn_main" in text or "ray::measure" in text)
