"""The screen that commands print to."""

from __future__ import annotations

import sys
from typing import IO

from rich.console import Console

NO_TERMINAL = 10_000  # columns of what is no terminal: enough for every table, and no line is broken


def screen(file: IO[str] | None = None) -> Console:
    """Return a console as wide as its terminal that prints texts as they are: no markup, no emoji, no colours in words.

    Args:
        file: where it prints; standard output by default. A file or a pipe gets every line in full.
    """
    file = file or sys.stdout
    width = None if file.isatty() else NO_TERMINAL
    return Console(file=file, width=width, markup=False, emoji=False, highlight=False)
