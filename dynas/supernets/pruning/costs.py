"""Exact multiply-accumulates and parameters of any number of sub-networks at once.

Each is a sum of products of sizes, and a size is a constant plus a multiple of the units that each group keeps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import fx

from dynas.core.space import Genotypes
from dynas.supernets.pruning.blocks import Block
from dynas.supernets.pruning.space import Elastic
from dynas.supernets.pruning.structure import Structure, Units, arguments
from dynas.supernets.pruning.trace import Trace, operator, shape_of

Where = frozenset[int]  # the blocks whose bodies a node is in: it is there while all are kept


@dataclass(frozen=True)
class Term:
    """A product that counts while any of its places is there.

    Attributes:
        factor: its constant part.
        units: the units along the dimensions that make the rest.
        places: where it is used.
    """

    factor: int
    units: tuple[Units, ...]
    places: frozenset[Where]


class Costs:
    """Counts by the terms of a network."""

    def __init__(self, trace: Trace, structure: Structure, elastic: Elastic) -> None:
        self.elastic = elastic
        self._group_of = np.full(structure.unit_count, -1)
        for number, group in enumerate(elastic.groups):
            self._group_of[group.units] = number
        self._macs = Sum(list(mac_terms(trace, structure, elastic.blocks)), self)
        self._params = Sum(list(param_terms(trace, structure, elastic.blocks)), self)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the multiply-accumulates for one input of canonical genotypes ``(n, G)``: ``(n,)``."""
        return self._macs(*self.elastic.split(genotypes))

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the parameters of canonical genotypes ``(n, G)``: ``(n,)``."""
        return self._params(*self.elastic.split(genotypes))

    def size(self, units: Units) -> NDArray[np.int64]:
        """Return how long a dimension is: places that stay, then those of a unit of each group ``(1 + groups,)``."""
        groups = self._group_of[units]
        places = np.bincount(groups + 1, minlength=len(self.elastic.groups) + 1)
        each = np.array([1, *(len(group.units) for group in self.elastic.groups)])
        return np.asarray(places // each)


class Sum:
    """A sum of terms."""

    def __init__(self, terms: Sequence[Term], costs: Costs) -> None:
        most = max((len(term.units) for term in terms), default=0)
        one = np.array([1] + [0] * len(costs.elastic.groups))
        sizes = [[*map(costs.size, term.units), *[one] * (most - len(term.units))] for term in terms]
        shape = (len(terms), most, len(one))
        self._factors = np.array([term.factor for term in terms], dtype=np.int64)
        self._sizes: NDArray[np.int64] = np.array(sizes, dtype=np.int64).reshape(shape)
        self._places = [term.places for term in terms]

    def __call__(self, counts: NDArray[np.int64], kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the sum ``(n,)`` by kept units ``(n, groups)`` and blocks ``(n, blocks)``."""
        columns = np.concatenate([np.ones((len(counts), 1), dtype=np.int64), counts], axis=1)
        product = np.tile(self._factors, (len(counts), 1))
        for position in range(self._sizes.shape[1]):
            # in floating point, where products of matrices are fast; sizes are far below 2^53
            product *= np.rint(columns.astype(float) @ self._sizes[:, position].T.astype(float)).astype(np.int64)
        return np.asarray((product * self._there(kept)).sum(axis=1))

    def _there(self, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which terms count ``(n, terms)``."""
        known: dict[frozenset[Where], NDArray[np.bool_]] = {}
        for places in self._places:
            if places not in known:
                each = [kept[:, sorted(where)].all(axis=1) for where in places]
                known[places] = np.any(each, axis=0)
        return np.stack([known[places] for places in self._places], axis=1)


def where(node: fx.Node, blocks: Sequence[Block]) -> Where:
    """Return the blocks whose bodies a node is in."""
    return frozenset(number for number, block in enumerate(blocks) if node in block.body)


def param_terms(trace: Trace, structure: Structure, blocks: Sequence[Block]) -> Iterator[Term]:
    """Yield a term per parameter of the graph."""
    places: dict[str, set[Where]] = {}
    for node, name in trace.names.items():
        if node.users:
            places.setdefault(name, set()).update(where(user, blocks) for user in node.users)
    for name, used in places.items():
        if name in trace.parameters:
            yield Term(*parameter(name, trace, structure), frozenset(used))


def parameter(name: str, trace: Trace, structure: Structure) -> tuple[int, tuple[Units, ...]]:
    """Return the constant part of a parameter's number of elements, and the units along its other dimensions."""
    shape = trace.tensors[name].shape
    cut = [dim for dim in range(len(shape)) if (name, dim) in structure.places]
    factor = math.prod(size for dim, size in enumerate(shape) if dim not in cut)
    return factor, tuple(structure.places[name, dim] for dim in cut)


def mac_terms(trace: Trace, structure: Structure, blocks: Sequence[Block]) -> Iterator[Term]:
    """Yield the terms of all convolutions, linear layers and products of matrices."""
    for node in trace.graph.nodes:
        if node.op != "call_function":
            continue
        for factor, units in products(node, trace, structure):
            yield Term(factor // trace.batch, units, frozenset([where(node, blocks)]))


def products(node: fx.Node, trace: Trace, structure: Structure) -> Iterator[tuple[int, tuple[Units, ...]]]:
    """Yield constant parts and units of a node's multiply-accumulates for a whole batch."""
    name = operator(node)
    if name in ("linear", "convolution") or name.startswith("conv"):
        given = arguments(node)
        source = node if name != "linear" and "transpose" not in name else given["input"]
        dim = len(shape_of(source)) - 1 if name == "linear" else 1
        factor, units = elements(source, structure, without=dim)
        if given["weight"] in trace.names:
            constant, own = parameter(trace.names[given["weight"]], trace, structure)
        else:
            constant, own = elements(given["weight"], structure)
        yield factor * constant, (*units, *own)
    elif name in ("matmul", "bmm"):
        first = node.args[0]
        assert isinstance(first, fx.Node)
        factor, units = elements(node, structure)
        inner, own = elements(first, structure, only=len(shape_of(first)) - 1)
        yield factor * inner, (*units, *own)
    elif name == "scaled_dot_product_attention":
        given = arguments(node)
        tokens = shape_of(given["key"])[-2]
        for part in (given["query"], node):
            factor, units = elements(part, structure)
            yield factor * tokens, units


def elements(
    node: fx.Node, structure: Structure, without: int | None = None, only: int | None = None
) -> tuple[int, tuple[Units, ...]]:
    """Return the constant part of a tensor's number of elements and the units along the dimension that is cut.

    Args:
        node: whose tensor it is.
        structure: says which dimension is cut.
        without: a dimension that does not count.
        only: the only dimension that counts.
    """
    shape = shape_of(node)
    dims = [dim for dim in range(len(shape)) if dim != without and only in (None, dim)]
    cut, units = structure.values.get(node, (None, None))
    if cut not in dims or units is None:
        return math.prod(shape[dim] for dim in dims), ()
    return math.prod(shape[dim] for dim in dims if dim != cut), (units,)
