"""Blocks that can be skipped: sums of what a body computes and of what it was computed from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from torch import Tensor, fx

from dynas.supernets.pruning.trace import FILLED, Trace, is_tensors, operator, place, shape_of

WORKS = ("conv", "linear", "matmul", "scaled_dot_product_attention")  # a body without any of these is no block


@dataclass(frozen=True)
class Block:
    """A sum whose body can be left out.

    Attributes:
        name: path of the module that it is in, with the operator's name where that holds several.
        total: the sum.
        shortcut: the summand that stays.
        body: the nodes that only the other summand needs.
    """

    name: str
    total: fx.Node
    shortcut: fx.Node
    body: frozenset[fx.Node]


def find_blocks(trace: Trace) -> list[Block]:
    """Return all blocks that can be skipped, in the order of their sums."""
    data = computed(trace)
    found = [block for node in trace.graph.nodes if (block := block_of(node, trace, data)) is not None]
    paths = [place(block.total) for block in found]
    return [
        Block(path if paths.count(path) == 1 else f"{path}:{block.total.name}", block.total, block.shortcut, block.body)
        for path, block in zip(paths, found, strict=True)
    ]


def block_of(node: fx.Node, trace: Trace, data: Set[fx.Node]) -> Block | None:
    """Return the block that ends in a node; None where it is no sum of that kind."""
    if operator(node).rstrip("_") != "add" or len(node.args) < 2 or node.kwargs.get("alpha", 1) != 1:
        return None
    first, second = node.args[:2]
    if not (isinstance(first, fx.Node) and isinstance(second, fx.Node)):
        return None
    if any(one in trace.names or not isinstance(one.meta["val"], Tensor) for one in (first, second)):
        return None
    if shape_of(first) != shape_of(second):
        return None
    before = {one: ancestors(one) for one in (first, second)}
    for shortcut, end in ((first, second), (second, first)):
        if shortcut in before[end] and end is not shortcut:
            body = before[end] | {end}
            body -= before[shortcut] | {shortcut}
            body = {one for one in body if one.op != "placeholder"}
            while shared := {one for one in body if not body | {node} >= set(one.users)} - data:
                body -= shared  # sizes and constants, which others need, too
            outside = any(user not in body and user is not node for one in body for user in one.users)
            if not outside and any(operator(one).startswith(WORKS) for one in body):
                return Block("", node, shortcut, frozenset(body))
    return None


def computed(trace: Trace) -> set[fx.Node]:
    """Return the nodes whose tensors depend on the values of the images."""
    found = {node for node in trace.graph.nodes if node.op == "placeholder" and node not in trace.names}
    for node in trace.graph.nodes:
        if (
            is_tensors(node.meta.get("val"))
            and operator(node) not in FILLED
            and not found.isdisjoint(node.all_input_nodes)
        ):
            found.add(node)
    return found


def ancestors(node: fx.Node) -> set[fx.Node]:
    """Return all nodes that a node needs."""
    found: set[fx.Node] = set()
    waiting = list(node.all_input_nodes)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += one.all_input_nodes
    return found


def around(blocks: Sequence[Block]) -> Iterator[int | None]:
    """Yield, per block, the number of the smallest one whose body it is in; None for none."""
    for block in blocks:
        yield innermost(blocks, {block.total})


def innermost(blocks: Sequence[Block], nodes: set[fx.Node]) -> int | None:
    """Return the number of the smallest block whose body holds all nodes; None for none."""
    holding = [number for number, block in enumerate(blocks) if nodes and nodes <= block.body]
    return min(holding, key=lambda number: len(blocks[number].body), default=None)
