"""What commands print is printed as it is."""

from __future__ import annotations

import io

import pytest

from dynas.system.screen import screen


def test_texts_are_neither_markup_nor_broken_where_there_is_no_terminal() -> None:
    file = io.StringIO()
    text = "/tmp/a [/b] [red] :car: " + "word " * 500 + "end"
    screen(file).print(text)
    assert file.getvalue() == text + "\n"


def test_a_terminal_keeps_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "72")
    assert screen(Terminal()).width == 72
    assert screen(io.StringIO()).width > 1000
