"""Networks of timm and torchvision are pruned right, and in the same groups as torch-pruning finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from dynas.supernets.prune import PruneSupernet
from dynas.supernets.pruning.structure import find_structure
from dynas.supernets.pruning.trace import trace
from tests.helpers.zoo import from_zoo
from tests.supernets.pruning.test_memory import measured_peak
from tests.supernets.pruning.test_networks import without

pytestmark = pytest.mark.slow

GROUPS_AND_BLOCKS = {
    "torchvision resnet18": (12, 5),
    "torchvision mobilenet_v2": (25, 10),
    "torchvision shufflenet_v2_x1_0": (31, 0),
    "torchvision googlenet": (57, 0),
    "torchvision vit_b_16": (25, 24),
    "torchvision swin_t": (28, 24),
    "torchvision vgg16_bn": (15, 0),
    "torchvision densenet121": (120, 0),
    "timm resnet50": (37, 12),
    "timm mobilenetv3_large_100": (30, 10),
    "timm efficientnet_b0": (40, 9),
    "timm convnext_tiny": (22, 18),
    "timm regnety_004": (53, 12),
    "timm vit_small_patch16_224": (25, 24),
    "timm swin_tiny_patch4_window7_224": (28, 24),
}
SIDE = 64
LESS = {"torchvision swin_t": 0.95}  # of a copy within its shifted windows, nothing is known from the graph
ORACLE = ("torchvision resnet18", "timm mobilenetv3_large_100", "timm efficientnet_b0")


@pytest.fixture(scope="module", params=GROUPS_AND_BLOCKS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def supernet(name: str) -> PruneSupernet:
    return PruneSupernet(from_zoo(name, SIDE), resolution=(SIDE, SIDE), channels=3)


def test_groups_and_blocks(name: str, supernet: PruneSupernet) -> None:
    found = supernet.elastic
    assert (len(found.structure.groups), len(found.choices.blocks)) == GROUPS_AND_BLOCKS[name]
    assert not found.structure.unknown


def test_the_largest_is_the_original_exactly(name: str, supernet: PruneSupernet) -> None:
    images, space = supernet.example_inputs(2), supernet.space
    with torch.inference_mode():
        assert torch.equal(supernet.subnet(space.decode(space.largest()))(*images), supernet.elastic.original(*images))


def test_a_smaller_one_is_the_original_without_the_same_channels(name: str, supernet: PruneSupernet) -> None:
    images, space = supernet.example_inputs(2), supernet.space
    blocks = len(supernet.elastic.choices.blocks)
    for genotype in space.sample(2, np.random.default_rng(0)):
        architecture = space.decode(genotype) | ({"b": [1] * blocks} if blocks else {})
        with torch.inference_mode():
            outputs = supernet.subnet(architecture)(*images)
            expected = without(supernet.elastic.original, supernet, architecture)(*images)
        assert (outputs - expected).abs().max() <= 2e-5 * expected.abs().max()


def test_costs_are_exact(name: str, supernet: PruneSupernet) -> None:
    space = supernet.space
    for genotype in (space.smallest(), *space.sample(1, np.random.default_rng(1))):
        subnet = supernet.subnet(space.decode(genotype))
        attention = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)  # the counter does not see what it does
        with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            subnet(*supernet.example_inputs(1))
        torch.backends.mha.set_fastpath_enabled(attention)
        assert 2 * supernet.macs(genotype[None]).tolist()[0] == counter.get_total_flops()
        assert supernet.params(genotype[None]).tolist()[0] == sum(one.numel() for one in subnet.parameters())


def test_peak_memory_is_what_running_takes(name: str, supernet: PruneSupernet) -> None:
    space = supernet.space
    genotypes = space.canonical(np.stack([space.smallest(), *space.sample(1, np.random.default_rng(1))]))
    for counted, genotype in zip(supernet.peak_activations(genotypes).tolist(), genotypes, strict=True):
        measured = measured_peak(supernet, space.decode(genotype))
        assert measured * LESS.get(name, 1) <= counted <= measured


@pytest.mark.parametrize("kind", ORACLE)
def test_groups_are_those_of_torch_pruning(kind: str) -> None:
    pruning = pytest.importorskip("torch_pruning")
    model = from_zoo(kind, SIDE)
    graph = pruning.DependencyGraph().build_dependency(model, example_inputs=torch.zeros(1, 3, SIDE, SIDE))
    (last,) = (one for one in model.modules() if isinstance(one, nn.Linear) and one.out_features == 10)
    names = {module: path for path, module in model.named_modules()}
    theirs = {
        frozenset(
            names[one.target.module]
            for one, _ in group
            if isinstance(one.target.module, nn.Conv2d | nn.Linear) and one.handler.__name__.endswith("out_channels")
        )
        for group in graph.get_all_groups(ignored_layers=[last])
    }
    structure = find_structure(trace(model, (torch.zeros(2, 3, SIDE, SIDE),)))
    ours = {
        frozenset(name.rpartition(".")[0] for name, dim in group.parts if dim == 0 and is_matrix(model, name))
        for group in structure.groups
    }
    assert ours == theirs


def is_matrix(model: nn.Module, name: str) -> bool:
    return model.get_parameter(name).dim() > 1 if name.endswith("weight") else False
