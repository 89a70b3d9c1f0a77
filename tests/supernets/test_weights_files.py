"""Weights files of every family: what is saved loads again, and what does not fit is refused."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from dynas import DynasError
from dynas.supernets.weights.storage import save_weights
from tests.helpers.pairs import pairwise
from tests.helpers.supernets import SUPERNETS

pytestmark = pytest.mark.slow

OF_FOLDERS = [SUPERNETS[kind] for kind in SUPERNETS if kind.endswith("decoder")]  # whose config.json counts, too
SUFFIXES = (".safetensors", ".pth")
BROKEN = (b"", b"no checkpoint", b"\x80\x02}q\x00.", bytes(4096), b"PK\x03\x04" + bytes(99))


@pytest.fixture(scope="module", params=SUPERNETS)
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return SUPERNETS[request.param]


def test_saved_weights_load_again_in_half_precision(make: Callable[..., Any], tmp_path: Path) -> None:
    source = make(seed=4)
    path = tmp_path / "deep" / "weights.safetensors"
    save_weights(source.elastic, path)
    loaded = make(weights=str(path))
    assert (loaded.weights_digest == hashlib.sha256(path.read_bytes()).hexdigest()) == (make not in OF_FOLDERS)
    states = [net.elastic.state_dict() for net in (source, loaded)]
    for name, value in states[0].items():
        assert torch.equal(value.half().float() if value.is_floating_point() else value, states[1][name]), name
    assert all(value.dtype in (torch.float32, torch.int64) for value in states[1].values())


def test_saved_weights_load_again_from_eight_bits(make: Callable[..., Any], tmp_path: Path) -> None:
    source = make(seed=4)
    save_weights(source.elastic, tmp_path / "half.safetensors")
    save_weights(source.elastic, path := tmp_path / "weights.safetensors", "int8")
    if source.params(source.space.largest()[None])[0] > 10_000:
        assert path.stat().st_size < 0.75 * (tmp_path / "half.safetensors").stat().st_size
    states = [net.elastic.state_dict() for net in (source, make(weights=str(path)))]
    for name, value in states[0].items():
        if value.ndim > 1:
            step = value.flatten(1).abs().amax(1) / 127
            assert ((value - states[1][name]).flatten(1).abs().amax(1) <= 0.501 * step).all(), name


def as_in_fairseq(state: dict[str, Any]) -> dict[str, Any]:
    args = argparse.Namespace(arch="transformer", lr=[0.1], share_all_embeddings=True)
    return {"args": args, "model": state, "extra_state": {"epoch": 3}}


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state, "epoch": 3}, as_in_fairseq])
def test_torch_checkpoints_load_too(make: Callable[..., Any], tmp_path: Path, wrap: Callable[[Any], Any]) -> None:
    source = make(seed=4).elastic.state_dict()
    torch.save(wrap(source), tmp_path / "weights.pth")
    loaded = make(weights=str(tmp_path / "weights.pth")).elastic.state_dict()
    assert all(torch.equal(source[name], loaded[name]) for name in source)


def without_last(state: dict[str, Any]) -> dict[str, Any]:
    return dict(list(state.items())[:-1])


def save(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint of its suffix; safetensors wants no shared memory."""
    if path.suffix == ".safetensors":
        save_file({name: value.clone() for name, value in state.items()}, path)
    else:
        torch.save(state, path)


LAST = r"[\w.]+\.(bias|weight)"
MISFITS: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "missing": (without_last, f"lacks '{LAST}'"),
    "unexpected": (lambda state: state | {"extra.bias": torch.ones(3)}, r"has unexpected 'extra\.bias'"),
    "shape": (
        lambda state: state | {list(state)[-1]: torch.ones(3)},
        rf"has '{LAST}' as \(3,\) instead of \([\d, ]+\)",
    ),
    "several": (lambda state: without_last(state) | {"a": torch.ones(1)}, rf"lacks '{LAST}'; it has unexpected 'a'"),
}


@pairwise(kind=SUPERNETS, misfit=MISFITS, suffix=SUFFIXES)
def test_weights_that_do_not_fit_are_refused_by_name(kind: str, tmp_path: Path, misfit: str, suffix: str) -> None:
    make, (change, message) = SUPERNETS[kind], MISFITS[misfit]
    state = change(make().elastic.state_dict())
    path = tmp_path / f"weights{suffix}"
    save(state, path)
    with pytest.raises(DynasError, match=message):
        make(weights=str(path))


class Harmful:
    """Unpickling this makes a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_checkpoint_with_code_is_refused_and_the_code_does_not_run(
    make: Callable[..., Any], tmp_path: Path, suffix: str
) -> None:
    victim = tmp_path / "victim"
    torch.save(make().elastic.state_dict() | {"extra": Harmful(str(victim))}, tmp_path / f"weights{suffix}")
    with pytest.raises(DynasError, match=rf"weights{suffix}'"):
        make(weights=str(tmp_path / f"weights{suffix}"))
    assert not victim.exists()


@pairwise(kind=SUPERNETS, content=BROKEN, suffix=SUFFIXES)
def test_a_broken_file_is_refused(kind: str, tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(DynasError, match=rf"weights{suffix}'"):
        SUPERNETS[kind](weights=str(path))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_torn_file_is_refused(make: Callable[..., Any], tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    state = make().elastic.state_dict()
    save(state, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DynasError, match=rf"weights{suffix}'"):
        make(weights=str(path))


@pytest.mark.parametrize(
    "content",
    [[torch.ones(2)], torch.ones(2), {"epoch": 3}, {"state_dict": {"a": 1}}, {0: torch.ones(1)}],
    ids=["list", "tensor", "number", "number inside", "numbered"],
)
def test_a_torch_file_of_something_else_is_refused(make: Callable[..., Any], tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(DynasError, match=r"weights\.pth'"):
        make(weights=str(tmp_path / "weights.pth"))


def test_a_missing_file_is_refused_with_a_way_out(make: Callable[..., Any], tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.pth", "there is no such file"), (tmp_path, "the folder has neither")):
        with pytest.raises(DynasError, match=rf"no weights at .*, {why}.*: give "):
            make(weights=str(path))
