"""The one exception that users are meant to see, and the one warning."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TextIO

LONGEST = 1000  # characters of a message; what was given may be a whole file


class DynasError(Exception):
    """A request that cannot be met: its message says what was given, what is allowed and what to type.

    As text it is one line without signs that a terminal obeys, whatever the files and values hold that it quotes.
    """

    def __str__(self) -> str:
        return one_line(super().__str__())


def one_line(text: str) -> str:
    """Return a text as one printable line, without its middle where it is very long."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST * 3 // 4]} ... {text[-LONGEST // 4 :]}"
    return " ".join(
        "".join(sign if sign.isprintable() or sign.isspace() else ascii(sign)[1:-1] for sign in text).split()
    )


def shown(value: object) -> str:
    """Return a value as Python writes it; its type where that fails, as with an integer of thousands of digits."""
    try:
        return repr(value)
    except Exception:  # whatever the class of the value does
        return f"a value of type {type(value).__name__}"


def one_of(what: str, given: object, allowed: object) -> DynasError:
    """Return the error for a value outside a closed list of names."""
    known = sorted(str(name) for name in allowed)  # type: ignore[attr-defined]
    return DynasError(f"unknown {what} '{given}': choose one of {', '.join(known)}{did_you_mean(str(given), known)}")


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return a half-sentence that names what is spelt most like ``given``; empty where nothing is."""
    nearest = get_close_matches(given, list(known), n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


class DynasWarning(UserWarning):
    """A request that can be met, but that another one would serve better."""


def plain_warnings() -> None:
    """Show each of our own warnings once, as one line; all others stay as they are."""
    usual, shown = warnings.showwarning, set[str]()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if not issubclass(category, DynasWarning):
            usual(message, category, filename, lineno, file, line)
        elif str(message) not in shown:
            shown.add(str(message))
            print(f"dynas: warning: {message}", file=file or sys.stderr)

    warnings.showwarning = show
    # not "once": Python forgets what it has shown whenever any library touches the filters
    warnings.filterwarnings("always", category=DynasWarning)


def os_sentence(error: OSError) -> str:
    """Return what the operating system refused in one sentence."""
    return f"'{error.filename}': {error.strerror}" if error.filename else str(error.strerror or error)


def reason(error: Exception) -> str:
    """Return an error as one line of text."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
