"""What tables show of an architecture of which parts are switched off."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from dynas import DynasError
from dynas.core.design import DesignVariable, Gate, depth_gates
from dynas.core.space import SearchSpace
from dynas.report.text import compact
from dynas.runs.gates import ABSENT, gates_of, present

SPACE = SearchSpace(
    [
        DesignVariable("d", (1, 2), length=2),
        DesignVariable("ks", (3, 5), length=4, gates=depth_gates("d", [2, 2])),
        DesignVariable("wide", (False, True), gates=(Gate("ks", 1, 5),)),
        DesignVariable("e", (4, 6), constants=(9,)),
    ]
)


@pytest.mark.parametrize(
    ("architecture", "shown"),
    [
        ({"d": [2, 2], "ks": [3, 5, 3, 5], "wide": True, "e": [6, 9]}, {"ks": "3535", "wide": "True", "e": "69"}),
        ({"d": [1, 2], "ks": [5, 3, 3, 5], "wide": False, "e": [4, 9]}, {"ks": "5-35", "wide": "-", "e": "49"}),
        ({"d": [2, 1], "ks": [5, 3, 5, 3], "wide": False, "e": [4, 9]}, {"ks": "535", "wide": "-", "e": "49"}),
    ],
)
def test_what_is_switched_off_is_not_shown(architecture: dict[str, Any], shown: dict[str, str]) -> None:
    gates = json.loads(json.dumps(gates_of(SPACE)))
    texts = {name: compact(value) for name, value in present(architecture, gates).items()}
    assert {name: texts[name] for name in shown} == shown


def test_just_the_active_genes_are_shown() -> None:
    for genotype in SPACE.sample(30, np.random.default_rng(0)):
        architecture = json.loads(json.dumps(SPACE.decode(genotype)))
        seen = present(architecture, gates_of(SPACE))
        flat = [value for one in seen.values() for value in (one if isinstance(one, list) else [one])]
        active = [*SPACE.active(genotype[None])[0], True]  # and the constant
        assert [value != ABSENT for value in flat] == active


@pytest.mark.parametrize(
    "gates",
    [7, {"ks": 7}, {"ks": [7]}, {"ks": [["d"]]}, {"ks": [["f", 0, 1]]}, {"ks": [["d", 9, 1]]}, {"ks": [["d", 0, "x"]]},
     {"ks": [["ks", 0, 1]]}],
)  # fmt: skip
def test_gates_that_make_no_sense_are_refused(gates: Any) -> None:
    with pytest.raises(DynasError, match=r"'gates' in run\.json does not fit"):
        present({"d": [2, 2], "ks": [3, 5, 3, 5]}, gates)
