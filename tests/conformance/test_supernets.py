"""What every supernet promises (see `dynas.core.supernet`): add new ones to ``SUPERNETS``."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from dynas import DynasError
from dynas.supernets.mbconv.supernet import MBConvSupernet
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.supernets.ncf import NcfSupernet
from dynas.supernets.proxyless import ProxylessSupernet
from dynas.supernets.resnet50 import ResNet50Supernet
from dynas.supernets.transformer import TransformerSupernet
from dynas.supernets.weights.storage import save_weights
from tests.helpers.resnets import bootstrapped, odd_bootstrapped

NARROW: dict[str, Any] = {
    "weights": "random",
    "width": 0.25,
    "resolution": (28, 56),
    "channels": 1,
    "classes": 100,
    "stem_stride": 2,
    "strides": (2, 1, 2, 1, 2),
}


# image sides that no stride divides
ODD = NARROW | {"width": 0.35, "resolution": (37, 23), "channels": 3, "classes": 7, "stem_stride": 1}
ELASTIC = {"resolutions": (20, 24, 28)}
JOINT = {"precision_choices": ("fp32", "int8")}
SIX = {"strides": (2, 1, 2, 1, 2, 1)}  # a stage more


def narrow(**changes: Any) -> MobileNetV3Supernet:
    """The network whose weights are embedded in the package, untrained."""
    return MobileNetV3Supernet(**(NARROW | changes))


def maker(family: type[MBConvSupernet], **settings: Any) -> Callable[..., MBConvSupernet]:
    """Return what makes a supernet; what it is called with comes on top of ``settings``."""
    return lambda **changes: family(**(settings | changes))


NARROW_RESNET50: dict[str, Any] = NARROW | {"width": 0.125, "strides": (1, 2, 2, 2), "divisor": 1}
ODD_RESNET50: dict[str, Any] = ODD | {"strides": (2, 2, 3, 1), "divisor": 4, "stem_stride": 2}


def narrow_transformer(**changes: Any) -> TransformerSupernet:
    """HAT's space at an eighth of its widths."""
    shape: dict[str, Any] = {
        "weights": "random",
        "source_vocabulary": 100,
        "target_vocabulary": 100,
        "shared_embeddings": True,
        "embed_dims": (64, 80),
        "ffn_dims": (128, 256, 384),
        "heads": (4, 8),
        "qkv_dim": 64,
        "encoder_layers": 6,
        "decoder_layers": 6,
        "max_positions": 64,
        "sentence_length": 12,
        "latency_beam": 5,
    }
    return TransformerSupernet(**(shape | changes))


def odd_transformer(**changes: Any) -> TransformerSupernet:
    """One with two dictionaries, other numbers of layers and heads, and a width of one option."""
    odd = {"source_vocabulary": 50, "target_vocabulary": 70, "shared_embeddings": False, "embed_dims": (14, 24, 40)}
    odd |= {"ffn_dims": (30,), "heads": (1, 3, 6), "qkv_dim": 18, "encoder_layers": 3, "decoder_layers": 4}
    return narrow_transformer(**(odd | {"sentence_length": 7} | changes))


def narrow_ncf(**changes: Any) -> NcfSupernet:
    """The paper's space for few users and items."""
    shape: dict[str, Any] = {
        "weights": "random",
        "users": 20,
        "items": 30,
        "embed_dims": (8, 16, 32, 64, 128),
        "hidden_sizes": (8, 16, 32, 64, 128, 256, 512, 1024),
        "layers": 6,
    }
    return NcfSupernet(**(shape | changes))


def odd_ncf(**changes: Any) -> NcfSupernet:
    """One with other options and fewer layers."""
    return narrow_ncf(**({"users": 7, "embed_dims": (3, 5), "hidden_sizes": (1, 6, 11), "layers": 3} | changes))


SUPERNETS: dict[str, Callable[..., Any]] = {
    "narrow mbv3": narrow,
    "odd mbv3": maker(MobileNetV3Supernet, **ODD),
    "elastic mbv3": maker(MobileNetV3Supernet, **NARROW | ELASTIC),
    "joint mbv3": maker(MobileNetV3Supernet, **NARROW | JOINT),
    "narrow proxyless": maker(ProxylessSupernet, **NARROW | SIX),
    "odd elastic proxyless": maker(ProxylessSupernet, **ODD | SIX | {"resolutions": (7, 23, 37, 41)}),
    "narrow resnet50": maker(ResNet50Supernet, **NARROW_RESNET50),
    "odd resnet50": maker(ResNet50Supernet, **ODD_RESNET50),
    "elastic resnet50": maker(ResNet50Supernet, **NARROW_RESNET50 | ELASTIC),
    "joint elastic resnet50": maker(ResNet50Supernet, **NARROW_RESNET50 | ELASTIC | JOINT),
    "narrow bootstrapped": bootstrapped,
    "odd bootstrapped": odd_bootstrapped,
    "joint elastic bootstrapped": lambda **changes: bootstrapped(**(ELASTIC | JOINT | changes)),
    "narrow transformer": narrow_transformer,
    "odd transformer": odd_transformer,
    "narrow ncf": narrow_ncf,
    "odd ncf": odd_ncf,
}
OF_IMAGES = [kind for kind in SUPERNETS if not kind.endswith(("transformer", "ncf"))]
OF_WIDTHS = [kind for kind in OF_IMAGES if "bootstrapped" not in kind]  # the others take their shape from weights
HEADS = {"encoder_heads", "decoder_self_heads", "decoder_cross_heads"}
FREE = {  # the design variables whose options all cost the same
    ("mbv3", "macs"): {"p"},
    ("mbv3", "params"): {"r", "p"},
    ("proxyless", "params"): {"r"},
    ("resnet50", "macs"): {"p"},
    ("resnet50", "params"): {"r", "p"},
    ("bootstrap_resnet50", "macs"): {"p"},
    ("bootstrap_resnet50", "params"): {"r", "p"},
    ("transformer", "macs"): HEADS,
    ("transformer", "params"): HEADS | {"decoder_attend"},
}


@pytest.fixture(scope="module", params=SUPERNETS)
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return SUPERNETS[request.param]


@pytest.fixture(scope="module")
def supernet(make: Callable[..., Any]) -> Any:
    """An untrained supernet whose norms, biases and kernel transforms are away from their neutral start."""
    supernet = make()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in supernet.elastic.state_dict().items():
            if name.endswith(("running_var", "bn.weight", "norm.weight")):
                value.copy_(1 + 0.3 * torch.rand(value.shape, generator=generator))
            elif name.endswith(("running_mean", "bias")):
                value.copy_(0.3 * torch.randn(value.shape, generator=generator))
            elif name.endswith("_matrix"):
                value.add_(0.1 * torch.randn(value.shape, generator=generator))
    return supernet


def check_against_the_elastic_path(supernet: Any, genotype: np.ndarray) -> None:
    architecture = supernet.space.decode(genotype)
    subnet = supernet.subnet(architecture)
    inputs = supernet.example_inputs(2, subnet)
    assert not any(module.training for module in subnet.modules())
    with torch.inference_mode():
        alone, within = subnet(*inputs), supernet.elastic(*inputs, architecture)
    assert alone.std() > 0
    torch.testing.assert_close(alone, within, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("which", ["smallest", "largest"])
def test_the_ends_of_the_space_compute_what_the_supernet_computes(supernet: Any, which: str) -> None:
    check_against_the_elastic_path(supernet, getattr(supernet.space, which)())


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25)
def test_an_extracted_sub_network_computes_what_the_supernet_computes(supernet: Any, seed: int) -> None:
    check_against_the_elastic_path(supernet, supernet.space.sample(1, np.random.default_rng(seed))[0])


def check_costs(supernet: Any, genotype: np.ndarray) -> None:
    macs, params = supernet.macs(genotype[None]), supernet.params(genotype[None])
    assert macs.dtype == params.dtype == np.int64
    subnet = supernet.subnet(supernet.space.decode(genotype))
    assert params.tolist() == [sum(parameter.numel() for parameter in subnet.parameters())]
    # fused attention would not be counted
    with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        subnet(*supernet.example_inputs(1, subnet))
    assert 2 * macs.tolist()[0] == counter.get_total_flops()


@pytest.mark.parametrize("which", ["smallest", "largest"])
def test_counted_costs_are_right_at_the_ends_of_the_space(supernet: Any, which: str) -> None:
    check_costs(supernet, getattr(supernet.space, which)())


@given(seed=st.integers(0, 2**32))
@settings(max_examples=12)
def test_counted_costs_are_those_of_the_extracted_sub_network(supernet: Any, seed: int) -> None:
    check_costs(supernet, supernet.space.sample(1, np.random.default_rng(seed))[0])


def test_costs_of_many_are_those_of_each(supernet: Any) -> None:
    rows = supernet.space.sample(20, np.random.default_rng(0))
    for count in (supernet.macs, supernet.params):
        assert count(rows).tolist() == [count(row[None])[0] for row in rows]


def test_a_larger_option_never_costs_less(supernet: Any) -> None:
    largest = supernet.space.largest()
    genes = np.flatnonzero(supernet.space.cardinality > 1)
    rows = np.repeat(largest[None], len(genes), axis=0)
    rows[np.arange(len(rows)), genes] -= 1
    rows = supernet.space.canonical(rows)
    names = np.array([variable.name for variable in supernet.space.variables for _ in range(variable.length)])[genes]
    for cost in ("macs", "params"):
        count = getattr(supernet, cost)
        free = np.isin(names, sorted(FREE.get((supernet.name, cost), ())))
        assert (count(rows[~free]) < count(largest[None])).all()
        assert (count(rows[free]) == count(largest[None])).all()


def test_different_sub_networks_compute_different_things(supernet: Any) -> None:
    rows = supernet.space.sample_distinct(12, np.random.default_rng(0))
    logits = set()
    for row in rows:
        subnet = supernet.subnet(supernet.space.decode(row))
        with torch.inference_mode():
            logits.add(tuple(subnet(*supernet.example_inputs(1, subnet)).flatten().tolist()))
    assert len(logits) == 12


def test_changing_a_sub_network_leaves_the_supernet_alone(supernet: Any) -> None:
    architecture = supernet.space.decode(supernet.space.largest())
    before = {name: value.clone() for name, value in supernet.elastic.state_dict().items()}
    subnet = supernet.subnet(architecture)
    with torch.no_grad():
        for value in subnet.state_dict().values():
            value.add_(1)
    subnet.train()
    subnet(*supernet.example_inputs(2))
    for name, value in supernet.elastic.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not supernet.elastic.training


def test_example_inputs_are_the_same_every_time(supernet: Any) -> None:
    for first, second, more in zip(*(supernet.example_inputs(n) for n in (3, 3, 4)), strict=True):
        assert torch.equal(first, second)
        assert (len(first), len(more)) == (3, 4)


@pytest.mark.parametrize("kind", OF_IMAGES)
def test_example_inputs_have_the_size_that_a_sub_network_takes(kind: str) -> None:
    supernet = SUPERNETS[kind]()
    sizes = {genotype.tobytes(): genotype for genotype in supernet.space.sample(40, np.random.default_rng(0))}
    met = set()
    for genotype in sizes.values():
        subnet = supernet.subnet(supernet.space.decode(genotype))
        (images,) = supernet.example_inputs(1, subnet)
        assert tuple(images.shape[1:]) == (supernet.shape.channels, *subnet.resolution)
        met.add(subnet.resolution)
    assert met == set(supernet.resolutions)


def test_untrained_weights_are_decided_by_their_seed_alone(make: Callable[..., Any]) -> None:
    torch.manual_seed(123)
    state = torch.get_rng_state()
    first = make(seed=4).elastic.state_dict()
    assert torch.equal(torch.get_rng_state(), state), "the global random state is left alone"
    torch.manual_seed(321)
    same, other = make(seed=4).elastic.state_dict(), make(seed=5).elastic.state_dict()
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_saved_weights_load_again_in_half_precision(make: Callable[..., Any], tmp_path: Path) -> None:
    source = make(seed=4)
    path = tmp_path / "deep" / "weights.safetensors"
    save_weights(source.elastic, path)
    loaded = make(weights=str(path))
    assert loaded.weights_digest == hashlib.sha256(path.read_bytes()).hexdigest()
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


LAST = r"[\w.]+\.bias"
MISFITS: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "missing": (without_last, f"lacks '{LAST}'"),
    "unexpected": (lambda state: state | {"head.bias": torch.ones(3)}, r"has unexpected 'head\.bias'"),
    "shape": (
        lambda state: state | {list(state)[-1]: torch.ones(3)},
        rf"has '{LAST}' as \(3,\) instead of \(\d+,\)",
    ),
    "several": (lambda state: without_last(state) | {"a": torch.ones(1)}, rf"lacks '{LAST}'; it has unexpected 'a'"),
}


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("misfit", MISFITS)
def test_weights_that_do_not_fit_are_refused_by_name(
    make: Callable[..., Any], tmp_path: Path, misfit: str, suffix: str
) -> None:
    change, message = MISFITS[misfit]
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


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_checkpoint_with_code_is_refused_and_the_code_does_not_run(
    make: Callable[..., Any], tmp_path: Path, suffix: str
) -> None:
    victim = tmp_path / "victim"
    torch.save(make().elastic.state_dict() | {"extra": Harmful(str(victim))}, tmp_path / f"weights{suffix}")
    with pytest.raises(DynasError, match=rf"weights{suffix}'"):
        make(weights=str(tmp_path / f"weights{suffix}"))
    assert not victim.exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\x80\x02}q\x00.", bytes(4096), b"PK\x03\x04" + bytes(99)])
def test_a_broken_file_is_refused(make: Callable[..., Any], tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(DynasError, match=rf"weights{suffix}'"):
        make(weights=str(path))


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
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
    for path in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(DynasError, match=r"no weights at .* give supernet\.weights=embedded or the path"):
            make(weights=str(path))


@pytest.mark.parametrize(
    "change",
    [
        {"resolution": (28,)},
        {"strides": (2, 2)},
        {"resolution": (0, 56)},
        {"resolution": (-28, 56)},
        {"width": 0.0},
        {"width": -1.0},
        {"channels": 0},
        {"classes": 0},
        {"stem_stride": 0},
        {"strides": (2, 1, 0, 1, 2)},
        {"strides": (1, 0, 2, 2)},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", OF_WIDTHS)
def test_a_shape_of_images_that_makes_no_sense_is_refused(kind: str, change: dict[str, Any]) -> None:
    with pytest.raises(DynasError, match=f"supernet {kind.split()[-1]} needs"):
        SUPERNETS[kind](**change)


def test_image_widths_follow_the_aspect() -> None:
    assert narrow(resolutions=[20, 24, 28]).resolutions == ((20, 40), (24, 48), (28, 56))
    assert narrow(resolution=(37, 23), resolutions=[7, 40]).resolutions == ((7, 4), (40, 25))
    assert narrow().resolutions == ((28, 56),)


@pytest.mark.parametrize(
    "resolutions",
    [[], [28], [28, 24], [24, 24, 28], [0, 28], [-4, 28], [20.5, 28], ["20", 28], 28, "28", {"start": 28}],
)
def test_resolutions_that_make_no_sense_are_refused(resolutions: Any) -> None:
    message = r"supernet\.resolutions=.*give two or more image heights in ascending order, such as \[128,"
    with pytest.raises(DynasError, match=message):
        narrow(resolutions=resolutions)
