"""Public checkpoints under their historic names, and what is told of files that do not fit."""

from __future__ import annotations

import argparse
import gzip
import io
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from dynas.errors import DynasError
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.supernets.weights.public import INVERTED_RESIDUALS, inverted_residuals
from dynas.supernets.weights.state import read_state

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
    for odd in (state[key].to(torch.complex64), state[key].to(torch.float64) + 1e300, state[key].int()):
        with pytest.raises(DynasError, match=rf"no finite numbers in '{key}'"):
            load(state | {key: odd})
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    quantised = torch.quantize_per_tensor(state[key], 0.1, 0, torch.qint8)
    for odd in (state[key].to_sparse(), state[key].to("meta"), nested, quantised):
        with pytest.raises(DynasError, match=rf"has '{key}' as a tensor that is sparse, nested, quantised or"):
            load(state | {key: odd})


WRAPPED: dict[str, Callable[[State], Any]] = {
    "torch.compile": lambda state: prefixed("_orig_mod.", state),
    "Lightning": lambda state: {"state_dict": prefixed("model.", state), "epoch": 3, "optimizer_states": [{"a": 1}]},
    "all of them": lambda state: prefixed("module._orig_mod.model.", state),
    "averaged": lambda state: prefixed("module.", state) | {"n_averaged": torch.tensor(3)},
    "EMA": lambda state: {"state_dict_ema": state, "arch": "mbv3"},
    "nested twice": lambda state: {"model": {"state_dict": state}},
    "parameters": lambda state: {key: torch.nn.Parameter(value, False) for key, value in state.items()},
    **{
        name: lambda state, name=name: {name: state, "epoch": 1} for name in ("model_state_dict", "net", "model", "ema")
    },
    "numbers of NumPy": lambda state: {"model": state, "best": np.float64(1.5), "list": [np.int32(3), np.bool_(True)]},
    "arrays of NumPy": lambda state: {"model": state, "curve": np.arange(3.0), "names": np.array(["a", "b"])},
    "a path": lambda state: {"model": state, "folder": Path("/tmp"), "args": argparse.Namespace(path=Path("x"))},
    "a date": lambda state: {"model": state, "when": datetime.now(UTC).replace(tzinfo=None)},
}


def prefixed(prefix: str, state: State) -> State:
    return {prefix + key: value for key, value in state.items()}


@pytest.mark.parametrize("wrap", WRAPPED)
@pytest.mark.parametrize("zipped", [True, False], ids=["", "legacy"])
def test_what_training_programs_wrap_around_weights_is_taken_off(
    load: Callable[..., State], state: State, wrap: str, zipped: bool
) -> None:
    assert same(load(WRAPPED[wrap](state), _use_new_zipfile_serialization=zipped), state)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"epoch": 3, "optimizer": {"lr": 1}, "w": torch.ones(1)},
            r"holds no state dict of tensors: it has 'epoch' \(int\), 'optimizer' \(dict\), 'w' \(Tensor\); looked for",
        ),
        ({"state_dict": {"a": torch.ones(1), "b": None}}, r"it has 'b' \(NoneType\), 'a' \(Tensor\)"),
        ({str(n): n for n in range(20)}, r"'7' \(int\) and 12 more"),
        ({}, "it has nothing in it"),
        ([torch.ones(1)], "no state dict of tensors, but an object of the type list"),
        (torch.ones(1), "but an object of the type torch.Tensor"),
        (torch.nn.Linear(1, 1), r"needs torch\.nn\.modules\.linear\.Linear to be run, as a pickled network or"),
        ({"model": torch.nn.Linear(1, 1)}, r"nothing was loaded: save the network's state_dict"),
        ({"state_dict": {}, "f": os.getcwd}, r"needs posix\.getcwd to be run"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("zipped", [True, False], ids=["", "legacy"])
def test_what_a_checkpoint_holds_instead_of_weights_is_named(
    load: Callable[..., State], content: object, message: str, zipped: bool
) -> None:
    with pytest.raises(DynasError, match=message):
        load(content, _use_new_zipfile_serialization=zipped)


def test_safetensors_are_known_by_what_they_hold(tmp_path: Path, state: State) -> None:
    save_file({key: value.clone() for key, value in state.items()}, tmp_path / "net.pth")
    assert same(narrow(str(tmp_path / "net.pth")).elastic.state_dict(), state)
    torch.save(state, tmp_path / "net.safetensors")
    assert same(narrow(str(tmp_path / "net.safetensors")).elastic.state_dict(), state)


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones(2))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no checkpoint, it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "a pointer of Git LFS"),
        (b"<!DOCTYPE html><html>Not found</html>", "a web page"),
        (b"\n <html>", "a web page"),
        (gzip.compress(b"weights", mtime=0), "compressed by gzip: unpack it first"),
        (npz(), "an archive of NumPy's arrays"),
        (b"\x93NUMPY\x01\x00", "an array of NumPy"),
        (b"no weights at all", "is no torch checkpoint that holds tensors only; nothing was loaded"),
        ((10**15).to_bytes(8, "little") + b'{"a"', "cannot read weights"),
        ((20).to_bytes(8, "little") + b"{" * 30, "cannot read weights"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_that_is_no_checkpoint_is_called_what_it_is(
    tmp_path: Path, content: bytes, message: str, suffix: str
) -> None:
    (tmp_path / f"net{suffix}").write_bytes(content)
    with pytest.raises(DynasError, match=message):
        read_state(tmp_path / f"net{suffix}")


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
