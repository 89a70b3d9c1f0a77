"""How operators without weights tie the elements of their inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from torch import Tensor, fx

from dynas.supernets.pruning.labels import frozen, tidy, varies
from dynas.supernets.pruning.rules import (
    Given,
    Tying,
    UnknownError,
    aligned,
    first_of,
    whole,
)
from dynas.supernets.pruning.trace import concrete, shape_of


def same(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Work element by element on one tensor."""
    if len(node.all_input_nodes) > 1:
        raise UnknownError
    return tying.of(first_of(given, "self", "input"))


def moved(tying: Tying, node: fx.Node, given: Given) -> Any:
    """Move elements: the labels are moved likewise."""
    result = node.target(**{name: labelled(tying, value) for name, value in given.items()})  # type: ignore[operator]
    return tidy(result) if isinstance(result, Tensor) else [tidy(one) for one in result]


def labelled(tying: Tying, value: Any) -> Any:
    """Return an argument with labels in the place of tensors."""
    if isinstance(value, fx.Node):
        return tying.of(value) if isinstance(value.meta["val"], Tensor) else concrete(value.meta["val"])
    if isinstance(value, list | tuple):
        return [labelled(tying, one) for one in value]
    return value


def viewed(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """See elements in another shape; what is the same along some dimensions is not written out for them."""
    labels, shape = tying.of(given["self"]), shape_of(node)
    before: list[int] = []
    after: list[int] = []
    for dims, sizes in blocks(tuple(labels.shape), shape):
        whole = any(varies(labels, dim) for dim in dims)
        before += [labels.shape[dim] if whole else 1 for dim in dims]
        after += sizes if whole else [1] * len(sizes)
    narrow = labels[tuple(slice(0, size) for size in before)]
    return tidy(narrow.reshape(after)).expand(shape)


def blocks(before: tuple[int, ...], after: tuple[int, ...]) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the smallest runs of dimensions that a view merges or splits, with the sizes that they become."""
    sizes = list(after)
    dims: list[int] = []
    run: list[int] = []
    for dim in range(len(before)):
        dims.append(dim)
        elements = math.prod(before[one] for one in dims)
        while (sizes and math.prod(run) < elements) or (sizes and sizes[0] == 1 and math.prod(run) == elements):
            run.append(sizes.pop(0))
        if math.prod(run) == elements:
            yield dims, run
            dims, run = [], []
    if dims or run or sizes:
        yield dims, run + sizes


def blank(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Take no more than the shape from a tensor."""
    return frozen(shape_of(node))


def rolled(tying: Tying, node: fx.Node, given: Given) -> Any:
    """Move elements along dimensions that must stay whole."""
    labels = tying.of(given["self"])
    dims = given["dims"] or range(labels.dim())
    if any(varies(labels, dim) for dim in dims):
        raise UnknownError
    return labels


def indexed(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Pick elements by numbers that are known, along dimensions that must stay whole."""
    table = tying.of(given["self"])
    indices = [None if one is None else tying.integers(one) for one in given["indices"]]
    if any(one is None and asked is not None for one, asked in zip(indices, given["indices"], strict=True)):
        raise UnknownError
    for dim, index in enumerate(indices):
        if index is not None:
            table = tying.labels.tie_along(table, dim)
    return tidy(table[tuple(slice(None) if one is None else one.long() for one in indices)])


def together(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Work element by element on two tensors, or a tensor and a number; what is stretched must stay whole."""
    operands = [one for one in (given["self"], given["other"]) if isinstance(one, fx.Node)]
    return aligned(tying, [tying.of(one) for one in operands if isinstance(one.meta["val"], Tensor)], shape_of(node))


def reduced(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Sum, average or take the largest over dimensions that must stay whole."""
    labels = tying.of(given["self"])
    dims = given.get("dim")
    dims = [dims] if isinstance(dims, int) else list(dims or range(labels.dim()))
    return whole(tying, labels, dims).amax(dims, keepdim=bool(given.get("keepdim")))


def pooled(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Work on windows of the last dimensions."""
    labels = tying.of(first_of(given, "self", "input"))
    spatial = labels.dim() - 2
    labels = whole(tying, labels, range(2, labels.dim()))
    return labels[(slice(None), slice(None), *[slice(0, 1)] * spatial)].expand(shape_of(node))


def padded(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Put a margin around dimensions that must stay whole."""
    labels, margins = tying.of(given["self"]), first_of(given, "pad", "padding")
    last = labels.dim() - 1
    dims = [last - place for place, pair in enumerate(zip(margins[::2], margins[1::2], strict=True)) if any(pair)]
    labels = whole(tying, labels, dims)
    for dim in dims:
        labels = labels.narrow(dim, 0, 1)
    return labels.expand(shape_of(node))
