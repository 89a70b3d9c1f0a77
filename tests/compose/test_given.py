"""Overrides as users type them: read as they were meant, or refused with what to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynas.compose.given import parsed, read_overrides
from dynas.compose.overrides import quoted
from dynas.errors import DynasError

TEXTS = ("a", "a\\", "a\\b", 'a"b', 'a\\"b', "x\\\\", "a=1,b", "ü#~ [x]{", "", "it's", "${")


@pytest.mark.parametrize("text", TEXTS)
def test_quoted_text_is_read_back_as_it_was(text: str) -> None:
    assert parsed(f"key={quoted(text)}").value() == text


@pytest.mark.parametrize(
    "value",
    ["ckpt/epoch=10-acc=0.7.ckpt", "run#3.pth", "100%.pth", "a b.pth", "Bücher/~x", "a;b&c!.pth", "a<b>.pth", "x:y@z"],
)
def test_a_path_with_special_signs_needs_no_quotes(value: str) -> None:
    (given,) = read_overrides([f"supernet.weights={value}"], "search")
    assert parsed(given).value() == value


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (given,) = read_overrides(["data.path=~/images,all"], "search")
    assert parsed(given).value() == f"{tmp_path}/images,all"


def test_flags_keep_their_values() -> None:
    flags = ["--config-dir", "a=b#", "-m", "seed=1,2"]
    assert read_overrides(flags, "search") == flags


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("seed=1,2", "dynas search -m seed=1,2, or quote a value that has a comma in it, 'seed=\"1,2\"'"),
        ("seed=range(1,4)", "gives several values: sweep over them, dynas search -m seed=range(1,4)"),
        ("data.path=[a]/b", "quote it twice, 'data.path=\"[a]/b\"'"),
        ("seed", "write key=value"),
        ("data.path=/x/\udcff", "is no UTF-8"),
        ("x=" + "[" * 30_000, "is longer than"),
        ("x=" + "[" * 9_000, "cannot read the override"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_type(given: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DynasError) as refused:
        read_overrides([given], "search")
    assert message in refused.value.args[0]
