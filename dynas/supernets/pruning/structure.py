"""What can be cut out of a network: channels and heads in groups, whose members can only be cut one by one.

Every element of every dimension of a parameter has a label. Operators tie labels; a connected component of them is a
unit, which is cut as a whole, such as a channel with its filter, its norm and the columns of whoever reads it. Units
that are part of the same dimensions of the same parameters are a group, of which any number can be kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx

from dynas.supernets.pruning.labels import FROZEN, Labels, frozen, tidy, varying
from dynas.supernets.pruning.operators import RULES
from dynas.supernets.pruning.rules import UnknownError
from dynas.supernets.pruning.trace import Trace, concrete, is_tensors, operator, place, shape_of

Part = tuple[str, int]  # name of a parameter or buffer, and one of its dimensions
Units = NDArray[np.int64]  # per place along a dimension, the number of the unit that it belongs to


@dataclass(frozen=True)
class Group:
    """Units of which any number can be kept.

    Attributes:
        name: path of the layer that makes them, with a number where it makes several groups.
        units: their numbers ``(n,)``.
        parts: places that one unit has in each dimension of each parameter and buffer.
        through_norm: whether a norm over channels sees them, so that without some the others come out differently.
    """

    name: str
    units: Units
    parts: Mapping[Part, int]
    through_norm: bool

    @property
    def width(self) -> int:
        """Channels of a unit, where it has fewest."""
        return min(self.parts.values())


@dataclass(frozen=True)
class Structure:
    """What can be cut out of a network.

    Attributes:
        groups: in the order in which the network makes them.
        places: the units along dimensions of parameters and buffers; of a dimension that is not here, nothing is cut.
        values: of the tensors of nodes, the dimension that units are cut from, and the units along it.
        unknown: operators that are not known, with the modules that they are in: what they touch stays whole.
        unit_count: number of all units, those among them that stay.
    """

    groups: Sequence[Group]
    places: Mapping[Part, Units]
    values: Mapping[fx.Node, tuple[int, Units]]
    unknown: Mapping[str, Sequence[str]]
    unit_count: int


class Tracer:
    """Goes through a graph and ties labels by the rules of its operators; see `dynas...operators.Tying`."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.labels = Labels()
        self.through_norms: list[Tensor] = []
        self.unknown: dict[str, list[str]] = defaultdict(list)
        self.values: dict[fx.Node, Any] = {}
        self.along: dict[str, tuple[Tensor, ...]] = {}
        self.elements: dict[str, Tensor] = {}
        for node in trace.graph.nodes:
            if node.op == "call_function" and is_tensors(node.meta.get("val")):
                self.values[node] = self._result(node)
        self.labels.freeze(self.of(trace.logits))

    def of(self, node: fx.Node) -> Tensor:
        """Return the labels of a node's tensor."""
        if node in self.values:
            found: Tensor = self.values[node]
            return found
        name = self.trace.names.get(node)
        value = None if name is None else self.trace.tensors[name]
        if name is None or value is None or not value.is_floating_point() or value.dim() == 0:
            return frozen(shape_of(node))
        if value.dim() == 1:
            return self._along(name)[0]
        if name not in self.elements:
            self.elements[name] = self.labels.fresh(*self.trace.tensors[name].shape)
        return self.elements[name]

    def weight(self, node: fx.Node) -> tuple[Tensor, ...] | None:
        """Return the labels along each dimension of a parameter or buffer, None for what is none."""
        name = self.trace.names.get(node)
        return None if name is None else self._along(name)

    def _along(self, name: str) -> tuple[Tensor, ...]:
        if name not in self.along:
            self.along[name] = tuple(self.labels.fresh(size) for size in self.trace.tensors[name].shape)
        return self.along[name]

    def integers(self, node: fx.Node) -> Tensor | None:
        """Return the values of integers that do not depend on the network's input, None for anything else."""
        if node in self.trace.names:
            value = self.trace.tensors[self.trace.names[node]]
            return None if value.is_floating_point() else value
        if node.op != "call_function" or operator(node) not in ("view", "reshape", "flatten", "clone", "contiguous"):
            return None
        inner = self.integers(node.args[0])  # type: ignore[arg-type]
        return None if inner is None else node.target(inner, *node.args[1:], **node.kwargs)  # type: ignore[operator]

    def _result(self, node: fx.Node) -> Any:
        """Return the labels of what a node computes: a tensor's or a list of them."""
        if operator(node) == "getitem":
            return self.values[node.args[0]][node.args[1]]  # type: ignore[index]
        rule = RULES.get(operator(node).removesuffix("_")) or RULES.get(operator(node))
        if rule is not None:
            try:
                return rule(self, node, arguments(node))
            except UnknownError:
                pass
        return self._froze(node)

    def _froze(self, node: fx.Node) -> Any:
        """Freeze what an unknown operator touches; return the labels of its output."""
        inputs = [one for one in node.all_input_nodes if is_tensors(one.meta.get("val"))]
        touched = [labels for one in inputs for labels in self._all(one) if labels is not None and labels.any()]
        for labels in touched:
            self.labels.freeze(labels)
        if touched:
            self.unknown[operator(node)].append(place(node))
        value = node.meta["val"]
        if isinstance(value, Tensor):
            return frozen(shape_of(node))
        return [frozen(tuple(map(concrete, one.shape))) if isinstance(one, Tensor) else None for one in value]

    def _all(self, node: fx.Node) -> Iterator[Tensor]:
        """Yield all labels that a node has."""
        name = self.trace.names.get(node)
        if name in self.along or (name is not None and self.trace.tensors[name].is_floating_point()):
            yield from self._along(name)
        found = self.of(node)
        yield from found if isinstance(found, list) else [found]

    def settled(self) -> NDArray[np.int64]:
        """Return the units, after tying what would leave holes: a tensor is cut along one dimension only."""
        while True:
            units = self.labels.components()
            again = False
            for labels in self._tensors():
                if len(varying(labels)) > 1 and len(dims := varying(tidy(torch.from_numpy(units)[labels]))) > 1:
                    kept = max(dims, key=lambda dim: labels.shape[dim])
                    self.labels.tie_along(labels, *(dim for dim in dims if dim != kept))
                    again = True
            if not again:
                return units

    def _tensors(self) -> Iterator[Tensor]:
        """Yield the labels of all tensors."""
        for name in self.elements.keys() & self.along.keys():  # used in two ways
            for labels in (self.elements[name], *self.along[name]):
                self.labels.freeze(labels)
        yield from self.elements.values()
        for value in self.values.values():
            yield from [value] if isinstance(value, Tensor) else (one for one in value if one is not None)


def arguments(node: fx.Node) -> dict[str, Any]:
    """Return the arguments of a node's operator by the names in its schema, with those that are not given."""
    assert isinstance(node.target, torch._ops.OpOverload)
    schema = node.target._schema.arguments
    given = {one.name: one.default_value for one in schema if one.has_default_value()}
    return given | {one.name: value for one, value in zip(schema, node.args, strict=False)} | dict(node.kwargs)


def find_structure(trace: Trace) -> Structure:
    """Return what can be cut out of a network."""
    tracer = Tracer(trace)
    units = tracer.settled()
    stays = np.zeros(units.max() + 1, dtype=bool)
    stays[units[FROZEN]] = True
    places: dict[Part, Units] = {}
    for name, labels in tracer.along.items():
        places |= {(name, dim): units[one.numpy()] for dim, one in enumerate(labels)}
    for name, elements in tracer.elements.items():
        within = tidy(torch.from_numpy(units)[elements])
        for dim in varying(within):
            places[name, dim] = first_along(within, dim)
        if not varying(within):
            stays[within.flatten()[0]] = True
    normed = np.zeros(len(stays), dtype=bool)
    for channels in tracer.through_norms:
        normed[units[channels.numpy()]] = True
    groups = grouped(trace, places, stays, normed)
    cut = np.zeros(len(stays), dtype=bool)
    for group in groups:
        cut[group.units] = True
    values = {}
    for node, labels in tracer.values.items():
        if isinstance(labels, Tensor):
            found = tidy(torch.from_numpy(units)[labels])
            for dim in varying(found):
                along = first_along(found, dim)
                if cut[along].any():
                    values[node] = (dim, along)
    places = {part: one for part, one in places.items() if cut[one].any()}
    return Structure(groups, places, values, tracer.unknown, len(stays))


def first_along(labels: Tensor, dim: int) -> Units:
    """Return what stands along a dimension, where it is the same in all places of the others."""
    return np.asarray(labels[tuple(slice(None) if one == dim else 0 for one in range(labels.dim()))].numpy())


def grouped(
    trace: Trace, places: Mapping[Part, Units], stays: NDArray[np.bool_], normed: NDArray[np.bool_]
) -> list[Group]:
    """Return the units that are part of the same dimensions, as often as each other, in groups of two or more."""
    parts: dict[int, Counter[Part]] = defaultdict(Counter)
    for part, units in places.items():
        for unit, count in zip(*np.unique(units, return_counts=True), strict=True):
            parts[int(unit)][part] += int(count)
    members: dict[frozenset[tuple[Part, int]], list[int]] = defaultdict(list)
    for unit, counts in parts.items():
        if not stays[unit]:
            members[frozenset(counts.items())].append(unit)
    order = {name: position for position, name in enumerate(dict.fromkeys(trace.names.values()))}
    groups: list[Group] = []
    named: Counter[str] = Counter()
    for signature, numbers in members.items():
        if len(numbers) > 1:
            each = dict(sorted(signature, key=lambda one: (order[one[0][0]], one[0][1])))
            makers = [
                name for name, dim in each if dim == 0 and trace.tensors[name].numel() > trace.tensors[name].shape[0]
            ]
            name = (makers or [next(iter(each))[0]])[0].rpartition(".")[0]
            named[name] += 1
            name += f"#{named[name]}" if named[name] > 1 else ""
            groups.append(Group(name, np.array(sorted(numbers)), each, bool(normed[numbers].any())))
    return sorted(groups, key=lambda group: [(order[name], dim) for name, dim in group.parts])
