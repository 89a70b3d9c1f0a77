"""How the C library keeps freed memory."""

from __future__ import annotations

import ctypes
import os
import sys

ARENAS = -8  # glibc's M_ARENA_MAX


def share_memory() -> None:
    """Let all threads take memory from one pool, under glibc, where the user has not set MALLOC_ARENA_MAX.

    Else each thread gets a pool of its own, and what it frees there is kept from the others. Networks ask for few and
    large pieces, so that threads hardly wait for each other.
    """
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
        if set_option is not None:
            set_option(ARENAS, 1)


def give_back() -> None:
    """Give memory that is free back to the system, under glibc; else little pieces that stay keep large ones."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)
