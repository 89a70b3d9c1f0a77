"""What a rule of an operator may ask for, and what several of them do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from torch import Tensor, fx

from dynas.supernets.pruning.labels import Labels, frozen, varies, varying
from dynas.supernets.pruning.trace import shape_of


class Tying(Protocol):
    """What a rule may ask for.

    Attributes:
        labels: makes and ties labels.
        through_norms: labels of what a norm over channels sees: without some of them the others come out differently.
    """

    labels: Labels
    through_norms: list[Tensor]

    def of(self, node: fx.Node) -> Tensor:
        """Return the labels of a node's tensor."""
        ...

    def weight(self, node: fx.Node) -> tuple[Tensor, ...] | None:
        """Return the labels along each dimension of a parameter or buffer, None for what is none."""
        ...

    def integers(self, node: fx.Node) -> Tensor | None:
        """Return the values of a buffer or constant of integers, None for anything else."""
        ...


Given = dict[str, Any]  # the arguments of an operator by the names in its schema


Rule = Callable[[Tying, fx.Node, Given], Any]  # returns the labels of the output


class UnknownError(Exception):
    """A rule does not cover this use of its operator."""


def first_of(given: Given, *names: str) -> Any:
    """Return the argument that has the first of some names, by which operators differ."""
    return next(given[name] for name in names if name in given)


def vector(tying: Tying, node: fx.Node | None, labels: Tensor) -> None:
    """Tie a bias, or another parameter with a value per channel, to the channels."""
    if node is None:
        return
    own = tying.weight(node)
    if own is None or len(own) != 1:
        raise UnknownError
    tying.labels.tie(own[0], labels)


def spread(channels: Tensor, dim: int, node: fx.Node) -> Tensor:
    """Return the labels of a node's tensor from those along one dimension."""
    shape = shape_of(node)
    return channels.view([-1 if one == dim % len(shape) else 1 for one in range(len(shape))]).expand(shape)


def aligned(tying: Tying, operands: Iterable[Tensor], shape: tuple[int, ...]) -> Tensor:
    """Tie the labels of tensors that are broadcast against each other; return those of the result."""
    operands = [
        one.view((1,) * (len(shape) - one.dim()) + one.shape) if one.dim() < len(shape) else one for one in operands
    ]
    varied = [set(varying(one)) for one in operands]
    kept: list[Tensor] = []
    for place, labels in enumerate(operands):
        stretched = {dim for dim, size in enumerate(shape) if labels.shape[dim] < size}
        if any(stretched & dims for other, dims in enumerate(varied) if other != place):
            tying.labels.freeze(labels)
        else:
            kept.append(labels.expand(shape))
    for labels in kept[1:]:
        tying.labels.tie(kept[0], labels)
    return kept[0] if kept else frozen(shape)


def whole(tying: Tying, labels: Tensor, dims: Iterable[int]) -> Tensor:
    """Freeze labels that differ along dimensions that must stay whole."""
    if any(varies(labels, dim) for dim in dims):
        tying.labels.freeze(labels)
        return frozen(tuple(labels.shape))
    return labels
