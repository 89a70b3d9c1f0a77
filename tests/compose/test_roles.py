"""What a config names must play its role: it inherits from the contract and has what that asks for."""

from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from dynas import DynasError
from dynas.compose.problem import build_metric
from dynas.compose.roles import check_role
from dynas.core.bench import Meter
from dynas.core.data import Data
from dynas.core.supernet import Supernet
from tests.helpers.own.mine import Perceptrons


class Alike:
    """Has everything that a supernet has but its contract."""

    name, task, weights_digest = "alike", "classification", "none"


class Taskless(Perceptrons):
    """Forgets what it is for."""


def test_what_does_not_inherit_is_refused_with_the_contract_to_inherit_from() -> None:
    for part, role in (("supernet", Supernet), ("data", Data), ("hardware", Meter)):
        with pytest.raises(DynasError, match=rf"{part}\._target_ makes a Alike, which does not inherit from dynas"):
            check_role(part, Alike(), role)


def test_what_lacks_an_attribute_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    check_role("supernet", Taskless(), Supernet)
    monkeypatch.delattr(Perceptrons, "task")
    with pytest.raises(DynasError, match=r"supernet: Taskless has no task, which dynas\.core\.supernet\.Supernet asks"):
        check_role("supernet", Taskless(), Supernet)


def test_what_is_no_metric_is_refused() -> None:
    config: Any = OmegaConf.create({"objectives": {"x": {"metric": {"_target_": "builtins.dict"}}}})
    with pytest.raises(DynasError, match=r"objectives\.x\.metric is no metric: dict does not inherit from dynas\.core"):
        build_metric(config, "x")
