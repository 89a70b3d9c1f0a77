"""YAML of somebody else's: aliases do not let it grow."""

from __future__ import annotations

import pytest

from dynas.compose.yaml_files import check_aliases
from dynas.errors import DynasError

LEVELS = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 9)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n".join(["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]", *LEVELS]), "holds more than 100,000 values"),
        ("a: &x [*x]", "means what it is part of"),
        ("a: " + "[" * 5000, "nested too deeply"),
    ],
)
def test_what_grows_is_refused_at_once(text: str, message: str) -> None:
    with pytest.raises(DynasError, match=message):
        check_aliases(text, "mine.yaml")


def test_ordinary_aliases_are_fine() -> None:
    check_aliases("a: &a {population: 5}\nb: *a\nc: *a", "mine.yaml")
    check_aliases("", "empty.yaml")
