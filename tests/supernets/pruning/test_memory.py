"""Peak memory is that of a sub-network that is run operator by operator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, fx, nn

from dynas import DynasError
from dynas.core.space import Architecture
from dynas.metrics.peak_memory import PeakMemory
from dynas.supernets.prune import PruneSupernet
from dynas.supernets.pruning.graphs import cut_graph
from tests.helpers.networks import NETWORKS, pruned
from tests.helpers.supernets import narrow

ELEMENTWISE = ("relu", "add", "mul", "sub", "sigmoid", "hardsigmoid", "gelu", "batch_norm")


class Watched(fx.Interpreter):
    """Runs a graph and notes in which memory each activation lies."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.memory: dict[fx.Node, tuple[int, int]] = {}  # address, elements
        self.kept: list[Any] = []  # so that no address is used twice

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        depends = n.op == "placeholder" or any(one in self.memory for one in n.all_input_nodes)
        if depends and n.op != "output" and isinstance(value, Tensor | tuple | list):
            first = value if isinstance(value, Tensor) else value[0]
            storage = first.untyped_storage()
            self.memory[n] = storage.data_ptr(), storage.nbytes() // first.element_size()
            self.kept.append(value)
        return value


def is_elementwise(node: fx.Node, module: fx.GraphModule) -> bool:
    if node.op == "call_module":
        return isinstance(module.get_submodule(str(node.target)), nn.modules.batchnorm._BatchNorm)
    return str(node.target).removeprefix("aten.").split(".")[0].rstrip("_") in ELEMENTWISE


def measured_peak(supernet: PruneSupernet, architecture: Architecture) -> int:
    """Run a sub-network's graph on one image and add up what is alive at each operator."""
    elastic = supernet.elastic
    cut, tensors = elastic._cut(architecture), elastic._tensors()
    module = cut_graph(elastic._trace, cut, lambda name: cut.sliced(name, tensors[name]))
    watched = Watched(module)
    with torch.inference_mode():
        watched.run(*supernet.example_inputs(1))
    nodes, memory = list(module.graph.nodes), watched.memory
    place = {node: position for position, node in enumerate(nodes)}
    last: dict[int, int] = {}
    for node, (address, _) in memory.items():
        last[address] = max([last.get(address, 0), place[node], *(place[user] for user in node.users)])
    first: dict[int, tuple[int, int]] = {}
    for node, (address, size) in memory.items():
        first.setdefault(address, (place[node], size))
    ends = dict(last)
    for node, (address, size) in memory.items():
        if is_elementwise(node, module) and first[address][0] == place[node]:
            inputs = {memory[one][0] for one in node.all_input_nodes if one in memory}
            over = [one for one in inputs if last[one] == place[node] and first[one][1] == size]
            ends |= dict.fromkeys(over[:1], place[node] - 1)
    alive = [
        sum(size for one, (start, size) in first.items() if start <= now <= ends[one]) for now in range(len(nodes))
    ]
    return max(alive)


@pytest.mark.parametrize("kind", NETWORKS)
def test_it_is_what_running_takes(kind: str) -> None:
    supernet = pruned(kind)
    space = supernet.space
    genotypes = space.canonical(
        np.stack([space.largest(), space.smallest(), *space.sample(6, np.random.default_rng(0))])
    )
    expected = [measured_peak(supernet, space.decode(row)) for row in genotypes]
    assert supernet.peak_activations(genotypes).tolist() == expected


def test_many_at_once_are_those_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dynas.supernets.pruning.memory.AT_ONCE", 3)
    supernet = pruned("residual")
    genotypes = supernet.space.sample(8, np.random.default_rng(1))
    together = supernet.peak_activations(genotypes)
    assert together.tolist() == [int(supernet.peak_activations(row[None])[0]) for row in genotypes]
    assert len(set(together.tolist())) > 1
    assert supernet.peak_activations(genotypes[:0]).shape == (0,)


def test_precision_counts_in_kilobytes() -> None:
    # shortcut, what the first convolution of a block made and what its second one makes: 3 x 8 x 14 x 28
    supernet = pruned("residual")
    largest = supernet.space.largest()[None]
    assert PeakMemory("fp32").count(supernet, largest).tolist() == [4 * 9408 / 1000]
    assert PeakMemory("int8").count(supernet, largest).tolist() == [9408 / 1000]
    choosing = pruned("residual", precision_choices=["int8", "fp32"])
    both = np.stack([np.append(largest[0], 0), np.append(largest[0], 1)])
    assert PeakMemory("fp32").count(choosing, both).tolist() == [9.408, 4 * 9.408]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DynasError, match="supernet 'mbv3' has none: give supernet=prune"):
        PeakMemory().count(narrow(), narrow().space.largest()[None])
    with pytest.raises(DynasError, match="precision=fp16: choose one of fp32, int8"):
        PeakMemory("fp16")
