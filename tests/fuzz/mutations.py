"""Damage, at random: to bytes, to lines, and to what JSON and YAML hold.

A test runs few examples, always the same; ``DYNAS_FUZZ=20 pytest tests/fuzz`` runs others, and 20 times as many.
``scripts/dev/fuzz.py`` counts them.
"""

from __future__ import annotations

import copy
import errno
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from dynas.errors import DynasError

TIMES = float(os.environ.get("DYNAS_FUZZ", "0"))
SECONDS = 120  # that an input may take
OUTCOMES: Counter[str] = Counter()  # of the inputs of this process

TOKENS = [
    *(b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r\n", b"\r", b"\n\n", b" ", b",", b",,,", b'"', b"'", b"\t"),
    *(b"nan", b"inf", b"-inf", b"-1", b"0", b"1e999", b"-0.0", b"9" * 30, b"9" * 5000, b"0x10", b"1_000", "²".encode()),
    *(b"null", b"true", b"{}", b"[]", b"{", b"[", b"[" * 3000, b"NaN", b"Infinity", b"\\", b"\\ud800", b"<script>"),
    *(b"[/red]", b"[bold]", b"\x1b[2J", b"${oc.env:HOME}", b"_target_: os.abort", b"!!python/object/apply:os.abort []"),
    *(b"&a", b"*a", b"- ", b": ", b"#", b"::", b"../..", "ä".encode(), "\u2028".encode(), b"x" * 200000),
]
VALUES: list[object] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**400, 0.5, -0.0, float("nan"), float("inf"), 1e308),
    *("", " ", "a\nb", "x" * 5000, "top1", "[/red]", "<b>", "\ud800", "${oc.env:HOME}", "\x1b[2J", "\0", "../../x"),
    *([], {}, [[]], [None], {"": None}, {"a": {"b": []}}, ["x", 1], {"name": "top1"}),
]


def fuzz(examples: int) -> Callable[[Any], Any]:
    """Return the settings of a fuzz test that runs so many examples in the test suite."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    checks.append(HealthCheck.large_base_example)
    return settings(
        max_examples=round((TIMES or 1) * examples), derandomize=not TIMES, suppress_health_check=checks, deadline=None
    )


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Cut out, repeat, replace or add a few pieces of a file."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.sampled_from([0, 1, 2, 5, 20, 100, 10**9])))
        new = draw(st.sampled_from(TOKENS) | st.binary(max_size=8) | st.just(content[start:end] * 2))
        content = content[:start] + new + content[end:]
    return content


@st.composite
def damaged_cells(draw: st.DrawFn, text: str, separator: str) -> str:
    """Replace cells of a table, or cut, repeat and swap its lines."""
    rows = [line.split(separator) for line in text.splitlines()]
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.integers(0, len(rows) - 1))
        column = draw(st.integers(0, max(0, len(rows[row]) - 1)))
        how = draw(st.sampled_from(["cell", "cell", "cell", "drop", "repeat", "swap", "shorten", "column"]))
        if how == "cell" and rows[row]:
            rows[row][column] = draw(st.sampled_from(TOKENS)).decode(errors="replace")
        elif how == "drop" and len(rows) > 1:
            del rows[row]
        elif how == "repeat":
            rows.insert(row, list(rows[row]))
        elif how == "swap":
            rows[row], rows[-1] = rows[-1], rows[row]
        elif how == "shorten":
            rows[row] = rows[row][:column]
        elif how == "column":
            rows = [cells[:column] + cells[column + 1 :] for cells in rows]
    return "\n".join(separator.join(cells) for cells in rows) + draw(st.sampled_from(["\n", ""]))


@st.composite
def damaged_tree(draw: st.DrawFn, tree: Any) -> Any:
    """Replace, remove or add a few entries of nested containers."""
    root = [copy.deepcopy(tree)]
    for _ in range(draw(st.integers(1, 3))):
        place: Any = root
        key: Any = 0
        while isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 3)):
            place = place[key]
            key = draw(st.sampled_from(sorted(place, key=str) if isinstance(place, dict) else range(len(place))))
        how = draw(st.sampled_from(["set", "set", "set", "remove", "add"]))
        if how == "set" or place is root:
            place[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif how == "remove":
            del place[key]
        elif isinstance(place, dict):
            place[draw(st.sampled_from(["", "x", "_target_", "index", "resume"]))] = draw(st.sampled_from(VALUES))
        else:
            place.append(draw(st.sampled_from(VALUES)))
    return root[0]


def accepted_or_refused(function: Callable[[], Any]) -> bool:
    """Return whether a call succeeds; it may fail with one sentence only, and soon."""
    try:
        with in_time():
            function()
    except DynasError as error:
        check_sentence(str(error))
        return count(False)
    except OSError as error:  # a path that no file can have; the command line says so
        if error.errno != errno.ENAMETOOLONG:
            raise
        return count(False)
    return count(True)


def count(accepted: bool) -> bool:
    """Note the outcome of an input, and return it."""
    OUTCOMES["accepted" if accepted else "refused"] += 1
    return accepted


@contextmanager
def in_time() -> Iterator[None]:
    """Fail where the block takes too long."""

    def stop(number: int, frame: object) -> None:
        raise AssertionError(f"it takes longer than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check_sentence(text: str) -> None:
    """Fail unless a text is one line that a person can read."""
    assert text.strip(), "an error without a word"
    assert len(text.splitlines()) == 1, text
    assert len(text) < 2000, f"{len(text)} characters: {text[:300]} ..."


def written(path: Path, content: bytes | str) -> Path:
    if isinstance(content, str):
        content = content.encode(errors="surrogatepass")
    path.write_bytes(content)
    return path
