"""A supernet made from one trained ResNet: it keeps the network's logits, and reads every ordinary ResNet."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from dynas import DynasError
from dynas.supernets.bootstrap_resnet50 import BootstrapResNet50Supernet
from tests.helpers.resnets import NARROW, OPTIONS, bootstrapped, random_state

State = dict[str, Tensor]


def logits_of(state: State, x: Tensor, stem_stride: int, pooling: bool, strides: tuple[int, ...]) -> Tensor:
    """Compute a ResNet from its weights alone: as torchvision does, strides in the 3x3 convolutions."""

    def norm(y: Tensor, name: str) -> Tensor:
        parts = [state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(y, *parts)

    kernel = state["conv1.weight"].shape[2]
    x = F.relu(norm(F.conv2d(x, state["conv1.weight"], None, stem_stride, kernel // 2), "bn1"))
    x = F.max_pool2d(x, 3, 2, 1) if pooling else x
    for stage, first_stride in enumerate(strides, start=1):
        block = 0
        while f"layer{stage}.{block}.conv1.weight" in state:
            name, stride = f"layer{stage}.{block}", first_stride if block == 0 else 1
            y = F.relu(norm(F.conv2d(x, state[f"{name}.conv1.weight"]), f"{name}.bn1"))
            y = F.relu(norm(F.conv2d(y, state[f"{name}.conv2.weight"], None, stride, 1), f"{name}.bn2"))
            y = norm(F.conv2d(y, state[f"{name}.conv3.weight"]), f"{name}.bn3")
            if block == 0:
                x = norm(F.conv2d(x, state[f"{name}.downsample.0.weight"], None, stride), f"{name}.downsample.1")
            x, block = F.relu(x + y), block + 1
    return F.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])


# kernel, stem, outputs, expansion, blocks, then what follows from the kernel: stride of the stem, pooling
RESNETS: dict[str, tuple[State, int, bool, tuple[int, ...], dict[str, Any]]] = {
    "narrow 50": (random_state(1, 100, 7, 8, (32, 64, 128, 256), (3, 4, 6, 3)), 2, True, (1, 2, 2, 2), {}),
    "26 for small images": (
        random_state(3, 10, 3, 16, (64, 128, 256, 512), (2, 2, 2, 2)),
        *(1, False, (1, 2, 2, 2)),
        {"resolution": (32, 32), "divisor": 2},
    ),
    "three stages, one block each": (random_state(3, 5, 3, 8, (32, 64, 128), (1, 1, 1)), 1, False, (1, 2, 2), {}),
    "wide": (
        random_state(3, 4, 5, 16, (64, 128), (2, 3), 0.5),
        *(2, True, (2, 3)),
        {"expansions": (0.4, 0.5), "stem_stride": 2, "pooling": True, "strides": (2, 3)},
    ),
}


@pytest.fixture(params=RESNETS)
def resnet(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, State, Path]:
    state = RESNETS[request.param][0]
    path = tmp_path / "resnet.pth"
    torch.save(state, path)
    return request.param, state, path


def largest(supernet: BootstrapResNet50Supernet) -> torch.nn.Module:
    return supernet.subnet(supernet.space.decode(supernet.space.largest()))


def test_the_largest_sub_network_has_the_logits_of_the_original(resnet: tuple[str, State, Path]) -> None:
    kind, state, path = resnet
    supernet = BootstrapResNet50Supernet(str(path), **(OPTIONS | RESNETS[kind][4]))
    (images,) = supernet.example_inputs(8)
    with torch.inference_mode():
        expected = logits_of(state, images, *RESNETS[kind][1:4])
        found, elastic = (
            largest(supernet)(images),
            supernet.elastic(images, supernet.space.decode(supernet.space.largest())),
        )
    whole = supernet.params(supernet.space.largest()[None]) == sum(
        value.numel() for name, value in state.items() if "running" not in name
    )
    assert (supernet.original is not None) == bool(whole), "it is one where all of it is left"
    scale = expected.abs().max()
    assert expected.std() > 0.01 * scale, "logits that tell images and classes apart"
    for logits in (found, elastic):
        assert (logits - expected).abs().max() <= 1e-5 * scale


def test_a_full_size_resnet50_of_timm_keeps_its_logits(tmp_path: Path) -> None:
    state = random_state(3, 1000, 7, 64, (256, 512, 1024, 2048), (3, 4, 6, 3))
    state |= {f"{name[:-6]}num_batches_tracked": torch.tensor(9) for name in state if name.endswith("bn1.weight")}
    save_file(state, tmp_path / "model.safetensors")
    settings = OPTIONS | {"resolution": (64, 64), "divisor": 8}
    supernet = BootstrapResNet50Supernet(str(tmp_path / "model.safetensors"), **settings)
    assert (
        sum(value.numel() for name, value in state.items() if "running" not in name and "num" not in name) == 25_557_032
    )
    assert supernet.params(supernet.space.largest()[None]).tolist() == [25_557_032]
    assert supernet.space.size == 80_621_568
    (images,) = supernet.example_inputs(2)
    with torch.inference_mode():
        expected, found = logits_of(state, images, 2, True, (1, 2, 2, 2)), largest(supernet)(images)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


def test_a_resnet50_costs_what_is_known_of_it() -> None:
    layout = {"channels": 3, "classes": 1000, "kernel": 7, "stem": 64, "outputs": [256, 512, 1024, 2048]}
    layout |= {"middles": [[64] * 3, [128] * 4, [256] * 6, [512] * 3]}
    supernet = bootstrapped(network=layout, resolution=(224, 224), divisor=8)
    assert supernet.macs(supernet.space.largest()[None]).tolist() == [4_089_184_256]  # 4.1 G in torchvision's table


def norms_of(weight: Tensor) -> Tensor:
    return weight.abs().flatten(1).sum(1)


def test_channels_are_in_order_of_importance_in_all_layers_that_share_them(tmp_path: Path) -> None:
    state = random_state(1, 100, 7, 8, (32, 64), (2, 3))
    save_file(state, tmp_path / "resnet.safetensors")
    ordered = BootstrapResNet50Supernet(str(tmp_path / "resnet.safetensors"), **OPTIONS).elastic.largest.state_dict()
    alone = ["conv1", *(f"layer{stage}.{block}.conv{conv}" for stage, block in ((1, 0), (2, 2)) for conv in (1, 2))]
    sums = [norms_of(ordered[f"{name}.weight"]) for name in alone]
    for stage, blocks in ((1, 2), (2, 3)):
        makers = [f"layer{stage}.0.downsample.0", *(f"layer{stage}.{block}.conv3" for block in range(blocks))]
        sums.append(torch.stack([norms_of(ordered[f"{name}.weight"]) for name in makers]).sum(0))
    for norms in sums:
        assert (norms[:-1] >= norms[1:] - 1e-4).all()
        assert norms[0] > norms[-1]


def test_a_trained_supernet_keeps_its_order_of_channels(tmp_path: Path) -> None:
    state = {f"largest.{name}": value for name, value in random_state(1, 10, 3, 8, (32, 64), (2, 2)).items()}
    save_file(state, tmp_path / "supernet.safetensors")
    loaded = BootstrapResNet50Supernet(str(tmp_path / "supernet.safetensors"), **OPTIONS).elastic.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in state.items())


def test_skipped_blocks_are_the_last_ones_and_their_expansions_change_nothing() -> None:
    supernet = bootstrapped()
    space = supernet.space
    assert space.size == 3**5 * (3 * 2**2) * (3 * 2**3) * (3 * 2**5) * (3 * 2**2) == 80_621_568
    architecture = space.decode(space.largest())
    architecture["d"][2] = 0
    subnet = supernet.subnet(architecture)
    assert [len(subnet.get_submodule(f"layer{stage}")) for stage in (1, 2, 3, 4)] == [3, 4, 5, 3]
    other = architecture | {"e": [0.2 if block == 12 else 0.25 for block in range(16)]}
    assert space.key(space.encode(architecture)) == space.key(space.encode(other))
    other["e"] = [0.2 if block == 11 else 0.25 for block in range(16)]
    assert space.key(space.encode(architecture)) != space.key(space.encode(other))


def test_one_block_of_a_stage_always_stays() -> None:
    network = NARROW | {"outputs": [32, 64], "middles": [[8], [16, 16]]}
    supernet = bootstrapped(network=network, depths=(0, 1, 2))
    space = supernet.space
    # a stage of one block has no choice of depth; one of two has one block or, for depth 2, two
    assert space.size == 3**3 * 2 * (2 + 4)
    kept = set()
    for row in space.sample(50, np.random.default_rng(0)):
        subnet = supernet.subnet(space.decode(row))
        kept.add((len(subnet.layer1), len(subnet.layer2)))
    assert kept == {(1, 1), (1, 2)}


def test_widths_and_expansions_scale_the_channels() -> None:
    supernet = bootstrapped()
    subnet = supernet.subnet(supernet.space.decode(supernet.space.smallest()))
    shapes = {name: tuple(value.shape) for name, value in subnet.state_dict().items()}
    assert shapes["conv1.weight"] == (5, 1, 7, 7)  # 0.65 * 8
    assert shapes["layer2.1.conv2.weight"] == (8, 8, 3, 3)  # 0.2 * 42
    assert shapes["layer2.1.conv3.weight"] == (42, 8, 1, 1)  # 0.65 * 64
    assert shapes["fc.weight"] == (100, 166)


def dropped(*names: str) -> Callable[[State], State]:
    return lambda state: {name: value for name, value in state.items() if name not in names}


def with_basic_blocks(state: State) -> State:
    return {name: value for name, value in state.items() if "conv3" not in name and "bn3" not in name}


def grouped(state: State) -> State:
    return {name: value[:, :2] if "conv2" in name else value for name, value in state.items()}


NO_RESNETS: dict[str, tuple[Callable[[State], State], str]] = {
    "something else": (
        lambda state: {"a.weight": torch.ones(2)},
        "is no ResNet, it lacks 'conv1.weight': give the state",
    ),
    "no head": (dropped("fc.weight", "fc.bias"), "is no ResNet, it lacks 'fc.weight'"),
    "basic blocks": (with_basic_blocks, "has no bottlenecks, 'layer1.0' lacks a third convolution"),
    "groups": (grouped, "has grouped convolutions in 'layer1.0', as in ResNeXt"),
    "no shortcut": (
        dropped(*(f"layer1.0.downsample.{part}" for part in ("0.weight", "1.weight", "1.bias"))),
        "lacks 'layer1.0.downsample.0.weight', 'layer1.0.downsample.1.weight'",
    ),
    "attention": (
        lambda state: state | {"layer1.0.se.fc1.weight": torch.ones(2, 2)},
        "unexpected 'layer1.0.se.fc1.weight'",
    ),
    "odd stem": (lambda state: state | {"conv1.weight": torch.ones(8, 1, 4, 4)}, "has 'conv1.weight' as (8, 1, 4, 4)"),
    "a gap": (
        lambda state: {name.replace("layer2", "layer3"): value for name, value in state.items()},
        "lacks 'layer2.0",
    ),
    "not finite": (lambda state: state | {"fc.bias": torch.full((10,), torch.nan)}, "no finite numbers in 'fc.bias'"),
}


@pytest.mark.parametrize("kind", NO_RESNETS)
def test_what_is_no_resnet_is_refused_in_one_sentence(kind: str, tmp_path: Path) -> None:
    change, message = NO_RESNETS[kind]
    torch.save(change(random_state(1, 10, 3, 8, (32, 64), (2, 2))), tmp_path / "net.pth")
    with pytest.raises(DynasError, match=re.escape(message)) as caught:
        BootstrapResNet50Supernet(str(tmp_path / "net.pth"), **OPTIONS)
    assert "\n" not in str(caught.value)
    assert "net.pth" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": None}, "is made from a trained ResNet: give the path"),
        ({"network": NARROW | {"middles": [[8]]}}, "supernet.network={"),
        ({"network": NARROW | {"groups": 2}}, "supernet.network={"),
        ({"network": {"channels": 1}}, "supernet.network={"),
        ({"network": NARROW | {"kernel": 4}}, "an odd kernel"),
        ({"resolution": (28,)}, "needs resolution=[height,width] and positive numbers"),
        ({"resolution": (0, 56)}, "needs resolution=[height,width] and positive numbers"),
        ({"divisor": 0}, "positive numbers for divisor"),
        ({"stem_stride": 0}, "positive numbers for divisor, stem_stride and strides"),
        ({"strides": (1, 2)}, "supernet.strides=[1, 2]: give 4 strides"),
        ({"strides": (1, 0, 2, 2)}, "positive numbers for divisor, stem_stride and strides"),
        ({"depths": (1, 0)}, "needs ascending options such as depths=[0,1]"),
        ({"depths": ()}, "needs ascending options such as depths=[0,1]"),
        ({"widths": (0.5, 0.9)}, "the last being 1"),
        ({"widths": (0.0, 1.0)}, "needs ascending options"),
        ({"expansions": (0.2, 0.5)}, "the last of supernet.expansions must be the network's own, 0.25 here"),
        ({"divisor": 8}, "options with the same channels at divisor=8: give a smaller supernet.divisor"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DynasError, match=re.escape(message)):
        bootstrapped(**change)


def test_a_layout_that_the_weights_do_not_have_is_refused(tmp_path: Path) -> None:
    torch.save(random_state(1, 10, 3, 8, (32, 64), (2, 2)), tmp_path / "net.pth")
    with pytest.raises(
        DynasError, match=r"supernet\.network is not the layout of '.*net\.pth': give supernet\.network=null"
    ):
        BootstrapResNet50Supernet(str(tmp_path / "net.pth"), **(OPTIONS | {"network": NARROW}))


def test_what_the_weights_decide_makes_an_untrained_one_of_the_same_shape(tmp_path: Path) -> None:
    torch.save(random_state(1, 10, 3, 8, (32, 64), (2, 2)), tmp_path / "net.pth")
    trained = BootstrapResNet50Supernet(str(tmp_path / "net.pth"), **OPTIONS)
    assert BootstrapResNet50Supernet("random", **(OPTIONS | trained.inferred)).shape == trained.shape
    assert trained.classes == 10
