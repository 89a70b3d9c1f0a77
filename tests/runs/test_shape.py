"""A run.json that somebody has edited: one sentence for whatever is of another kind, wherever it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dynas.errors import DynasError
from dynas.runs.load import load_run
from dynas.runs.record import read_run
from dynas.runs.shape import SHAPE, misshapen
from tests.helpers.run_folders import FIVE, TOP1, write_search

OTHERS = (None, True, 7, -1.5, "text", ["text"], [7], {"a": 1}, {"a": "text"})


@pytest.mark.parametrize("name", SHAPE)
def test_each_fact_has_its_kind(name: str) -> None:
    refused = [value for value in OTHERS if misshapen({name: value})]
    assert 0 < len(refused) < len(OTHERS)
    assert all(misshapen({name: value}).startswith(f"its '{name}' is not") for value in refused)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"notes": 7}, "its 'notes' is not a list of texts"),
        ({"objectives": [TOP1 | {"name": f"o{number}"} for number in range(800)]}, "it has 800 objectives"),
        ({"objectives": [TOP1 | {"bound": 10**400}]}, "the number at 'objectives.0.bound' makes no sense"),
        ({"seconds": 10**400}, "the number at 'seconds' makes no sense"),
        ({"budget": 10**53}, "the number at 'budget' makes no sense"),
        ({"config": {"mode": {"population": float("nan")}}}, "the number at 'config.mode.population' makes no sense"),
        ({"objectives": []}, "has no valid objectives"),
        ({"objectives": [[]]}, "has no valid objectives"),
        ({"objectives": [TOP1 | {"direction": ["max"]}]}, "has no valid objectives"),
    ],
)
def test_what_makes_no_sense_is_named(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = write_search(tmp_path / "run", FIVE) / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(DynasError, match=said):
        load_run(tmp_path / "run")


def test_an_astronomic_space_is_fine(tmp_path: Path) -> None:
    write_search(tmp_path / "run", FIVE, space_size=10**200, later=[None])
    assert read_run(tmp_path / "run")["space_size"] == 10**200
