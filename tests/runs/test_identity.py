"""What has to be the same so that a quality is."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from dynas.runs.identity import difference, digest, identity

FACTS: dict[str, Any] = {
    "weights_sha256": "ab", "data_sha256": "cd", "code_sha256": None, "versions": {"dynas": "0.2.0", "torch": "2.9"},
    "space": [{"name": "ks", "choices": (3, 5), "length": 2}], "gates": {},
    "config": {
        "seed": 0, "precision": "fp32",
        "supernet": {"_target_": "Net", "width": 1.0, "precision_choices": None},
        "data": {"_target_": "Images", "validation_size": 100},
        "hardware": {"_target_": "Cpu", "threads": 1},
        "objectives": {"top1": {"bound": None, "metric": {"_target_": "Top1"}}},
    },
}  # fmt: skip


def changed(*path: str, value: object) -> dict[str, Any]:
    facts = copy.deepcopy(FACTS)
    inner = facts
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return facts


def test_it_is_the_same_once_it_was_written_and_read() -> None:
    now, read = identity(FACTS, "top1"), identity(json.loads(json.dumps(FACTS)), "top1")
    assert now is not None
    assert now == read
    assert digest(now) == digest(read)
    assert difference(read, now) == ""


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("weights_sha256",), "xy", "weights"),
        (("data_sha256",), "xy", "data"),
        (("config", "data", "validation_size"), 200, "data"),
        (("config", "supernet", "width"), 1.2, "settings of the supernet"),
        (("space",), [], "settings of the supernet"),
        (("config", "objectives", "top1", "metric", "k"), 5, "settings of top1"),
        (("config", "precision"), "int8", "precision"),
        (("config", "trial"), 20, "steps of fine-tuning"),
        (("versions", "dynas"), "0.3.0", "version of dynas"),
        (("code_sha256",), "ef", "code of your own"),
    ],
)
def test_whatever_it_depends_on_makes_it_another(path: tuple[str, ...], value: object, said: str) -> None:
    now, earlier = identity(FACTS, "top1"), identity(changed(*path, value=value), "top1")
    assert now is not None
    assert earlier is not None
    assert digest(now) != digest(earlier)
    assert difference(earlier, now) == f"was measured with other {said}"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("config", "seed"), 1),
        (("config", "supernet", "weights"), "elsewhere.safetensors"),
        (("config", "hardware"), {"_target_": "OnnxRuntime"}),
        (("config", "objectives", "top1", "bound"), 70),
        (("versions", "torch"), "2.10"),
    ],
)
def test_what_the_device_is_and_how_it_was_searched_does_not_count(path: tuple[str, ...], value: object) -> None:
    assert identity(changed(*path, value=value), "top1") == identity(FACTS, "top1")


def test_hardware_that_quantises_does_count() -> None:
    def int8(threads: int) -> dict[str, Any]:
        facts = changed("config", "precision", value="int8")
        facts["config"]["hardware"] = {"calibration_images": threads}
        return facts

    assert identity(int8(100), "top1") == identity(int8(100), "top1")
    assert identity(int8(100), "top1") != identity(int8(200), "top1")


@pytest.mark.parametrize(
    "unclear",
    [
        lambda: changed("weights_sha256", value="random"),
        lambda: changed("data_sha256", value=None),
        lambda: changed("config", value=None),
        lambda: changed("config", "objectives", value={}),
        lambda: {},
    ],
)
def test_a_run_that_does_not_tell_everything_has_none(unclear: Callable[[], dict[str, Any]]) -> None:
    now = identity(FACTS, "top1")
    assert now is not None
    assert identity(unclear(), "top1") is None
    assert difference(None, now) == "does not tell what it measured by"
