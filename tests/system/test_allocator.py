"""Threads share one pool of memory: counted by glibc itself, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

POOLS = """
import ctypes, re, sys, tempfile, threading
from dynas.system.allocator import give_back, share_memory

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.fopen.restype = ctypes.c_void_p, ctypes.c_void_p
{begin}
together = threading.Barrier(4)

def ask() -> None:
    libc.malloc(1000)  # without the interpreter's lock, so that threads meet
    together.wait()

threads = [threading.Thread(target=ask) for _ in range(4)]
for one in threads:
    one.start()
for one in threads:
    one.join()
give_back()
with tempfile.NamedTemporaryFile("r") as told:
    file = ctypes.c_void_p(libc.fopen(told.name.encode(), b"w"))
    libc.malloc_info(0, file)
    libc.fclose(file)
    print(len(re.findall("<heap nr=", told.read())))
"""


def pools(begin: str, **environment: str) -> int:
    """Return how many pools four threads have taken memory from, after some statement."""
    done = subprocess.run(
        [sys.executable, "-c", POOLS.format(begin=begin)],
        env={key: value for key, value in os.environ.items() if key != "MALLOC_ARENA_MAX"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries than glibc have no such pools")
def test_threads_share_a_pool_unless_the_user_says_otherwise() -> None:
    assert pools("") > 1
    assert pools("share_memory()") == 1
    assert pools("share_memory()", MALLOC_ARENA_MAX="3") > 1
