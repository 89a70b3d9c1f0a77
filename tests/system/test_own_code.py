from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from dynas.system import own_code
from dynas.system.own_code import own_code_digest, own_files


def test_only_code_of_ones_own_counts_and_every_change_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "no_module", object())  # type: ignore[arg-type]
    monkeypatch.setattr(own_code, "PLACES", (*own_code.PLACES, *own_files()))  # the tests themselves
    assert own_code_digest() is None
    (tmp_path / "mine_to_digest.py").write_text("SLOPE = 0.1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import_module("mine_to_digest")
    first = own_code_digest()
    assert first is not None
    assert own_code_digest() == first
    (tmp_path / "mine_to_digest.py").write_text("SLOPE = 0.2\n")
    assert own_code_digest() not in (first, None)
    del sys.modules["mine_to_digest"]
    assert own_code_digest() is None
