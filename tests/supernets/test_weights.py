"""Public checkpoints under their historic names, and what is told of files that do not fit."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from dynas.errors import DynasError
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.supernets.weights.public import INVERTED_RESIDUALS, inverted_residuals

State = dict[str, torch.Tensor]


def narrow(weights: str = "random", **changes: Any) -> MobileNetV3Supernet:
    shape = {"width": 0.25, "resolution": (32, 32), "channels": 1, "classes": 10, "stem_stride": 2}
    return MobileNetV3Supernet(weights, **(shape | {"strides": (2, 1, 2, 1, 2), "seed": 0} | changes))


@pytest.fixture(scope="module")
def state() -> State:
    return narrow(seed=5).elastic.state_dict()


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., State]:
    """Writes a checkpoint and returns what a narrow supernet holds after reading it."""

    def write_and_read(content: object, **settings: Any) -> State:
        torch.save(content, tmp_path / "net", **settings)
        return narrow(str(tmp_path / "net")).elastic.state_dict()

    return write_and_read


def old_names(state: State) -> State:
    """The names in the first public checkpoints: every block has a ``mobile_inverted_conv``."""
    renamed = {}
    for key, value in state.items():
        block = key.split(".")[:3]
        found = block[0] == "blocks" and block[2] == "conv"
        renamed[key.replace(".conv.", ".mobile_inverted_conv.", 1) if found else key] = value
    return renamed


def same(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_the_historic_names_and_format_are_read(load: Callable[..., State], state: State) -> None:
    old = old_names(state)
    assert "blocks.1.mobile_inverted_conv.depth_conv.conv.5to3_matrix" in old
    assert same(load({"state_dict": old}, _use_new_zipfile_serialization=False), state)


def test_names_from_data_parallel_are_read_only_where_all_have_the_prefix(
    load: Callable[..., State], state: State
) -> None:
    prefixed = {f"module.{key}": value for key, value in state.items()}
    assert same(load(prefixed), state)
    first = next(iter(state))
    with pytest.raises(DynasError, match=rf"it lacks 'first_conv.*; it has unexpected 'module\.{first}'$"):
        load({f"module.{first}" if key == first else key: value for key, value in state.items()})


def test_the_first_three_faults_of_each_kind_are_named(load: Callable[..., State], state: State) -> None:
    wrong: dict[str, Any] = {key: value for key, value in state.items() if not key.startswith("classifier.")}
    wrong |= {"a": torch.ones(1), "b": torch.ones(1), "c": torch.ones(1), "d": torch.ones(1), "e": torch.ones(1)}
    wrong["first_conv.bn.bias"] = torch.ones(5)
    message = (
        r"it lacks 'classifier\.linear\.weight', 'classifier\.linear\.bias'; "
        r"it has unexpected 'a', 'b', 'c' and 2 more; it has 'first_conv\.bn\.bias' as \(5,\) instead of \(8,\)$"
    )
    with pytest.raises(DynasError, match=message):
        load(wrong)


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"width": 0.5}, r"it has 'blocks\.1\..* and 342 more; .*another width \(supernet\.width\)$"),
        ({"classes": 12}, r"another number of classes \(supernet\.classes\)$"),
        ({"channels": 3}, r"it has 'first_conv\.conv\.weight' as \(8, 3, 3, 3\) instead of \(8, 1, 3, 3\)$"),
    ],
    ids=str,
)
def test_what_a_checkpoint_seems_to_be_is_told(load: Callable[..., State], change: dict[str, Any], hint: str) -> None:
    with pytest.raises(DynasError, match=hint):
        load(narrow(**change).elastic.state_dict())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_finite_numbers_are_refused(
    load: Callable[..., State], state: State, value: float, tmp_path: Path
) -> None:
    key = "blocks.3.conv.depth_conv.bn.bn.running_var"
    wrong = state | {key: torch.full_like(state[key], value)}
    with pytest.raises(DynasError, match=rf"no finite numbers in '{key}'"):
        load(wrong)
    save_file(wrong, tmp_path / "net.safetensors")
    with pytest.raises(DynasError, match=rf"no finite numbers in '{key}'"):
        narrow(str(tmp_path / "net.safetensors"))


def test_tensors_of_another_kind_are_refused(load: Callable[..., State], state: State) -> None:
    key = "classifier.linear.bias"
    for odd in (state[key].to(torch.complex64), state[key].to_sparse(), state[key].to(torch.float64) + 1e300):
        with pytest.raises(DynasError, match=rf"no finite numbers in '{key}'"):
            load(state | {key: odd})


@pytest.mark.parametrize("suffix", ["", ".pth", ".safetensors"])
def test_a_web_page_is_no_checkpoint(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"net{suffix}"
    path.write_text("<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>")
    with pytest.raises(DynasError, match=rf"'{path}'"):
        narrow(str(path))


def test_archives_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    small, bomb = tmp_path / "small.pth", tmp_path / "bomb.pth"
    torch.save({"a": torch.zeros(1_000_000)}, small)
    with zipfile.ZipFile(small) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
    assert bomb.stat().st_size < small.stat().st_size / 100
    with pytest.raises(DynasError, match=r"bomb\.pth' is no torch checkpoint"):
        narrow(str(bomb))
    small.write_bytes(small.read_bytes()[:2000] + small.read_bytes()[-2000:])  # still ends with the list of its entries
    with pytest.raises(DynasError, match=r"small\.pth' is no torch checkpoint"):
        narrow(str(small))


def test_only_the_published_shapes_have_a_public_checkpoint() -> None:
    assert inverted_residuals("mbv3", 1.0, 3, 1000, 2, [2, 2, 2, 1, 2]) is INVERTED_RESIDUALS["mbv3", 1.0]
    assert inverted_residuals("mbv3", 1.2, 3, 1000, 2, (2, 2, 2, 1, 2)) is INVERTED_RESIDUALS["mbv3", 1.2]
    assert inverted_residuals("proxyless", 1.3, 3, 1000, 2, (2, 2, 2, 1, 2, 1)) is INVERTED_RESIDUALS["proxyless", 1.3]
    assert inverted_residuals("mbv3", 1.1, 3, 1000, 2, (2, 2, 2, 1, 2)) is None
    assert inverted_residuals("mbv3", 1.0, 3, 100, 2, (2, 2, 2, 1, 2)) is None
    with pytest.raises(DynasError, match=r"this shape of supernet 'mbv3': give supernet=ofa_mbv3 or ofa_mbv3_w12 or"):
        narrow("ofa")


def full(weights: str, width: float) -> MobileNetV3Supernet:
    return MobileNetV3Supernet(weights, width, (160, 160), 3, 1000, 2, (2, 2, 2, 1, 2))


def test_ofa_reads_the_cache_and_says_what_is_wrong_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Uses width 1.2, for which no digest is known, with files as a user would put them there by hand."""
    monkeypatch.setenv("DYNAS_CACHE", str(tmp_path))
    path = tmp_path / INVERTED_RESIDUALS["mbv3", 1.2].file
    wide = full("random", 1.2).elastic.state_dict()
    torch.save({"state_dict": old_names(wide)}, path)
    supernet = full("ofa", 1.2)
    assert same(supernet.elastic.state_dict(), wide)
    assert len(supernet.weights_digest) == 64
    torch.save(full("random", 1.0).elastic.state_dict(), path)
    with pytest.raises(DynasError, match=rf"another width \(supernet\.width\); delete '{path}' to download it again$"):
        full("ofa", 1.2)
