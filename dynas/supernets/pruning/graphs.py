"""Sub-networks as graphs of operators, for networks whose own code has sizes in it that no attribute holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor, fx, nn

from dynas.supernets.pruning.cut import Cut
from dynas.supernets.pruning.structure import arguments
from dynas.supernets.pruning.trace import Trace, changes_its_input, operator, shape_of

NORMS = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}  # by dimensions of the input
VIEWS = ("view", "reshape", "_unsafe_view", "slice", "select", "permute", "transpose", "unsqueeze", "squeeze", "expand")
Given = dict[str, Any]  # arguments by the names in the operator's schema
Take = Callable[[str], Tensor]


def cut_graph(trace: Trace, cut: Cut, take: Take) -> fx.GraphModule:
    """Return the network of a graph with smaller layers and without the skipped blocks.

    Batch norms are modules, so that they can be re-calibrated; everything else is an operator.

    Args:
        trace: the original's graph.
        cut: which part of it stays.
        take: from the name of a parameter, buffer or constant, the new one.
    """
    skipped = {block.total: block.shortcut for block in cut.skipped}
    needed = needed_nodes(trace, skipped)
    copy = Copy(trace, skipped, take)
    for node in trace.graph.nodes:
        if node in needed and node not in trace.names and node not in skipped:
            copy.add(node, cut)
    return fx.GraphModule(copy.root, copy.graph).eval()


class Copy:
    """A graph in the making.

    Attributes:
        root: holds the modules, parameters and buffers.
        graph: the graph.
    """

    def __init__(self, trace: Trace, skipped: Mapping[fx.Node, fx.Node], take: Take) -> None:
        self.root, self.graph = nn.Module(), fx.Graph()
        self._trace, self._skipped, self._take = trace, skipped, take
        self._copies: dict[fx.Node, fx.Node] = {}
        self._tensors: dict[str, Tensor] = {}

    def add(self, node: fx.Node, cut: Cut) -> None:
        """Copy a node."""
        given = arguments(node) if isinstance(node.target, torch._ops.OpOverload) else {}
        if node.op == "output":
            self.graph.output(self.of(self._trace.logits))
        elif operator(node) == "batch_norm" and (path := self._norm(given)):
            self._copies[node] = self.graph.call_module(path, (self.of(given["input"]),))
        elif node.op == "get_attr":
            self.root.add_module(str(node.target), getattr(self._trace.module, str(node.target)))
            self._copies[node] = self.graph.get_attr(str(node.target))
        else:
            target, placed, named = node.target, node.args, node.kwargs
            if rewrite := REWRITES.get(operator(node)):
                target, changed = rewrite(cut, node, given)
                placed, named = by_place(target, changed)
            placed, named = fx.map_arg((placed, named), self.of)
            self._copies[node] = self.graph.create_node(node.op, target, placed, named, node.name)

    def of(self, node: fx.Node) -> fx.Node:
        """Return the copy of a node; of a parameter or buffer, where it is read."""
        while node in self._skipped:
            node = self._skipped[node]
        if node in self._trace.names:
            name = self._trace.names[node]
            path, _, last = name.rpartition(".")
            hold(container(self.root, path), last, self.tensor(name))
            if node not in self._copies:
                self._copies[node] = self.graph.get_attr(name)
        return self._copies[node]

    def tensor(self, name: str) -> Tensor:
        """Return the new parameter or buffer of a name."""
        if name not in self._tensors:
            value = self._take(name).detach()
            self._tensors[name] = nn.Parameter(value) if name in self._trace.parameters else value
        return self._tensors[name]

    def _norm(self, given: Given) -> str | None:
        """Add a batch norm's module and return its path; None where it has no statistics, or is none by its names."""
        names = {part: self._trace.names.get(given[part]) for part in ("weight", "bias", "running_mean", "running_var")}
        path = (names["running_mean"] or "").rpartition(".")[0]
        if not path or any(name not in (None, f"{path}.{part}") for part, name in names.items()):
            return None
        if any(names[part] not in (None, *self._trace.parameters) for part in ("weight", "bias")):
            return None
        outer, _, last = path.rpartition(".")
        there = dict(container(self.root, outer).named_children()).get(last)
        if there is not None and type(there) not in NORMS.values():
            return None
        if there is None:
            mean = self.tensor(f"{path}.running_mean")
            kind = NORMS[len(shape_of(given["input"]))]
            norm = kind(len(mean), eps=given["eps"], momentum=given["momentum"], affine=False, device="meta")
            norm.affine = names["weight"] is not None
            for part, name in names.items():
                hold(norm, part, None if name is None else self.tensor(name))
            norm.num_batches_tracked = torch.tensor(0)
            container(self.root, outer).add_module(last, norm)
        return path


def container(root: nn.Module, path: str) -> nn.Module:
    """Return the module at a path, made where there is none."""
    for name in filter(None, path.split(".")):
        if name not in dict(root.named_children()):
            root.add_module(name, nn.Module())
        root = root.get_submodule(name)
    return root


def hold(module: nn.Module, name: str, value: Tensor | None) -> None:
    """Let a module have a parameter or buffer."""
    if isinstance(value, nn.Parameter):
        module.register_parameter(name, value)
    elif name in dict(module.named_buffers(recurse=False)) or hasattr(module, name):
        setattr(module, name, value)
    else:
        module.register_buffer(name, value)


def needed_nodes(trace: Trace, skipped: Mapping[fx.Node, fx.Node]) -> set[fx.Node]:
    """Return the nodes that a network without some blocks needs, those that change what others read included."""
    needed: set[fx.Node] = {
        node for node in trace.graph.nodes if node.op in ("placeholder", "output") and node not in trace.names
    }
    add_needed(needed, trace.logits, skipped)
    for node in trace.graph.nodes:
        if node not in needed and changes_its_input(node):
            base = node.args[0]
            while operator(base) in VIEWS:
                base = base.args[0]
            if base in needed and base is not node.args[0]:
                add_needed(needed, node, skipped)
    return needed


def add_needed(needed: set[fx.Node], node: fx.Node, skipped: Mapping[fx.Node, fx.Node]) -> None:
    """Add a node and all that it needs."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one not in needed:
            needed.add(one)
            waiting += [skipped[one]] if one in skipped else one.all_input_nodes


def by_place(target: Any, given: Given) -> tuple[tuple[Any, ...], Given]:
    """Return arguments in the order of an operator's schema, and those that are given by name only."""
    schema = target._schema.arguments
    named = {one.name: given[one.name] for one in schema if one.kwarg_only and one.name in given}
    return tuple(given[one.name] for one in schema if not one.kwarg_only), named


Rewritten = tuple[Any, Given]  # operator and arguments


def resized(cut: Cut, node: fx.Node, given: Given, first: int = 0, key: str = "size") -> Rewritten:
    """Give a view its new sizes."""
    dim, _ = cut.structure.values.get(node, (None, None))
    sizes = list(given[key])
    if dim is not None and 0 <= dim - first < len(sizes) and sizes[dim - first] != -1:
        number = isinstance(sizes[dim - first], int)
        sizes[dim - first] = cut.size(node, dim) if number else -1
    return node.target, given | {key: sizes}


def unflattened(cut: Cut, node: fx.Node, given: Given) -> Rewritten:
    """Give the dimensions that one is split into their new sizes."""
    return resized(cut, node, given, given["dim"] % len(shape_of(given["self"])), "sizes")


def moved_slice(cut: Cut, node: fx.Node, given: Given) -> Rewritten:
    """Let a slice begin and end where it did."""
    source = given["self"]
    dim = given["dim"] % len(shape_of(source))
    size = shape_of(source)[dim]
    ends = {
        key: cut.place(source, dim, min(given[key] % size if given[key] < 0 else given[key], size))
        for key in ("start", "end")
        if isinstance(given[key], int) and is_cut(cut, source, dim)
    }
    return node.target, given | ends


def moved_index(cut: Cut, node: fx.Node, given: Given) -> Rewritten:
    """Select what was selected."""
    source, size = given["self"], len(shape_of(given["self"]))
    dim = given["dim"] % size
    index = given["index"]
    return node.target, given | (
        {"index": cut.place(source, dim, index % shape_of(source)[dim])} if is_cut(cut, source, dim) else {}
    )


def moved_splits(cut: Cut, node: fx.Node, given: Given) -> Rewritten:
    """Split where it was split."""
    source = given["self"]
    dim = given["dim"] % len(shape_of(source))
    if not is_cut(cut, source, dim):
        return node.target, given
    total = shape_of(source)[dim]
    if isinstance(sizes := given.get("split_sizes", given.get("split_size")), list | tuple):
        ends = [0, *accumulate(sizes)]
    else:
        step = sizes or -(-total // given["chunks"])
        ends = [*range(0, total, step), total]
    places = [cut.place(source, dim, end) for end in ends]
    return torch.ops.aten.split_with_sizes.default, {
        "self": source, "split_sizes": [end - start for start, end in pairwise(places)], "dim": dim,
    }  # fmt: skip


def regrouped(cut: Cut, node: fx.Node, given: Given) -> Rewritten:
    """Give a convolution its number of groups."""
    depthwise = given["groups"] > 1 and shape_of(given["weight"])[1] == 1
    return node.target, given | ({"groups": cut.size(given["input"], 1)} if depthwise else {})


def is_cut(cut: Cut, node: fx.Node, dim: int) -> bool:
    """Return whether units are cut from a dimension of a node's tensor."""
    return node in cut.structure.values and cut.structure.values[node][0] == dim


Rewrite = Callable[[Cut, fx.Node, Given], Rewritten]
REWRITES: dict[str, Rewrite] = {
    **dict.fromkeys(("view", "_unsafe_view", "expand"), resized),
    "reshape": partial(resized, key="shape"),
    "unflatten": unflattened,
    "slice": moved_slice,
    "select": moved_index,
    **dict.fromkeys(("split", "split_with_sizes", "chunk"), moved_splits),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), regrouped),
}
