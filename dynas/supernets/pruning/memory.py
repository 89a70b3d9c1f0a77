"""Exact peak memory of activations of any number of sub-networks at once.

A network runs operator by operator, in the order of its graph. A tensor takes memory from the operator that makes it to
the last one that reads it. Views share the memory of what they show; so does the output of an elementwise operator or a
batch norm with an input that nothing else reads any more, as runtimes for small devices do it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx

from dynas.core.space import Genotypes
from dynas.supernets.pruning.blocks import computed
from dynas.supernets.pruning.costs import Costs, elements
from dynas.supernets.pruning.layers import batch_norm
from dynas.supernets.pruning.operators import RULES
from dynas.supernets.pruning.shapes import same, together
from dynas.supernets.pruning.structure import Structure
from dynas.supernets.pruning.trace import Trace, concrete, operator, shape_of

VIEWS = (
    *("view", "_unsafe_view", "unflatten", "permute", "transpose", "t", "numpy_T", "unsqueeze"),
    *("squeeze", "expand", "expand_as", "slice", "select", "split", "split_with_sizes", "chunk", "unbind", "narrow"),
    *("swapaxes", "swapdims", "movedim", "detach", "alias", "getitem", "dropout", "feature_dropout", "alpha_dropout"),
)  # in eval mode, a dropout gives back what it takes
COPIES = ("clone", "contiguous")  # in another order of dimensions, which nothing can write in place
AT_ONCE = 2000  # genotypes, so that tables of genotypes and operators stay small


class Activations:
    """Counts the elements of activations that are alive together.

    Args:
        trace: the network's graph.
        structure, costs: what is cut out of it, and how long its dimensions are then.
    """

    def __init__(self, trace: Trace, structure: Structure, costs: Costs) -> None:
        blocks, known = costs.elastic.blocks, computed(trace)
        self._costs = costs
        self._nodes = [node for node in trace.graph.nodes if node in known]
        self._places = {node: place for place, node in enumerate(self._nodes)}
        self._sums = {self._places[block.total]: number for number, block in enumerate(blocks)}
        self._shortcuts = [self._owner(block.shortcut) for block in blocks]
        self._within = [
            [number for number, block in enumerate(blocks) if node in block.body or node is block.total]
            for node in self._nodes
        ]
        self._inputs = [
            sorted({self._owner(one) for one in node.all_input_nodes if one in known}) for node in self._nodes
        ]
        self._sizes = [self._size(node, trace, structure) for node in self._nodes]
        self._elementwise = [
            place
            for place, node in enumerate(self._nodes)
            if RULES.get(operator(node).rstrip("_")) in (same, together, batch_norm)
            and operator(node) not in COPIES
            and self._owner(node) == place
        ]
        self._result = self._owner(trace.logits)

    def peak(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the most elements that are alive at a time for one input of canonical genotypes: ``(n,)``."""
        parts = [genotypes[start : start + AT_ONCE] for start in range(0, len(genotypes), AT_ONCE)]
        peaks = [self._peak(*self._costs.elastic.split(part)) for part in parts]
        return np.concatenate([np.zeros(0, dtype=np.int64), *peaks])

    def _peak(self, counts: NDArray[np.int64], kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        places = range(len(self._nodes))
        there = [np.asarray(kept[:, numbers].all(axis=1)) for numbers in self._within]
        columns = np.concatenate([np.ones((len(counts), 1), dtype=np.int64), counts], axis=1)
        sizes = [
            there[place] * factor * np.prod([columns @ one for one in own], axis=0, dtype=np.int64)
            for place, (factor, own) in enumerate(self._sizes)
        ]
        ends = self._ends(there, kept)
        freed = ends.copy()  # what an elementwise operator writes into is no longer counted beside its output
        for place in self._elementwise:
            free = there[place].copy()
            for read in self._behind(self._inputs[place]):
                over = free & (ends[read] == place) & (sizes[read] == sizes[place])
                freed[read] -= over
                free &= ~over
        change = np.zeros((len(self._nodes) + 2, len(counts)), dtype=np.int64)
        rows = np.arange(len(counts))
        for place in places:
            change[place] += sizes[place]
            change[freed[place] + 1, rows] -= sizes[place]
        return np.asarray(change.cumsum(axis=0).max(axis=0))

    def _ends(self, there: Sequence[NDArray[np.bool_]], kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return where each node's tensor is read last ``(nodes, n)``; who reads a skipped sum reads its shortcut."""
        ends = np.repeat(np.arange(len(self._nodes))[:, None], len(kept), axis=1)
        ends[self._result] = len(self._nodes)
        for place in reversed(range(len(self._nodes))):
            for read in self._inputs[place]:
                ends[read] = np.where(there[place], np.maximum(ends[read], place), ends[read])
            if place in self._sums:
                read = self._shortcuts[self._sums[place]]
                skipped = ~kept[:, self._sums[place]]
                ends[read] = np.where(skipped, np.maximum(ends[read], ends[place]), ends[read])
        return ends

    def _behind(self, read: Sequence[int]) -> list[int]:
        """Return places whose tensors are read, and the shortcuts that are read instead of sums that are skipped."""
        found = list(read)
        for place in found:  # which grows meanwhile
            if place in self._sums:
                found.append(self._shortcuts[self._sums[place]])
        return found

    def _owner(self, node: fx.Node) -> int:
        """Return the place of the node whose memory a node's tensor is in."""
        while is_view(node):
            node = next(one for one in node.all_input_nodes if one in self._places)
        return self._places[node]

    def _size(self, node: fx.Node, trace: Trace, structure: Structure) -> tuple[int, list[NDArray[np.int64]]]:
        """Return the constant part of the elements that a node makes, and sizes of the dimension that is cut."""
        value = node.meta["val"]
        if self._owner(node) != self._places[node]:
            return 0, []
        if not isinstance(value, Tensor):  # several at once, of which nothing is known
            return sum(math.prod(map(concrete, one.shape)) for one in value) // trace.batch, []
        factor, units = elements(node, structure)
        return factor // trace.batch, [self._costs.size(one) for one in units]


def is_view(node: fx.Node) -> bool:
    """Return whether a node's tensor is in the memory of its input: of what reshapes it, where strides allow that."""
    if operator(node) not in ("reshape", "flatten"):
        return operator(node) in VIEWS
    value = node.all_input_nodes[0].meta["val"]
    source = torch.empty_strided(shape_of(node.all_input_nodes[0]), tuple(map(concrete, value.stride())), device="meta")
    return source.reshape(shape_of(node))._is_view()
