"""How layers tie the elements of their inputs, parameters and outputs."""

from __future__ import annotations

from torch import Tensor, fx

from dynas.supernets.pruning.labels import frozen, varies, varying
from dynas.supernets.pruning.rules import (
    Given,
    Tying,
    UnknownError,
    aligned,
    first_of,
    spread,
    vector,
    whole,
)
from dynas.supernets.pruning.trace import shape_of


def softmax(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Work along a dimension that must stay whole."""
    return whole(tying, tying.of(given["self"]), [given["dim"]])


def kernel_of(tying: Tying, given: Given) -> tuple[Tensor, ...]:
    """Return the labels of a convolution's kernel, whose height and width stay."""
    kernel = tying.weight(given["weight"])
    if kernel is None:
        raise UnknownError
    for labels in kernel[2:]:
        tying.labels.freeze(labels)
    return kernel


def convolution(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Tie input channels to the second dimension of a kernel, and output channels to the first."""
    kernel = kernel_of(tying, given)
    labels = tying.of(given["input"])
    if labels.dim() != len(kernel):
        raise UnknownError
    outputs, inner = kernel[:2]
    channels, groups, tie = tying.labels.along(labels, 1), given["groups"], tying.labels.tie
    if groups == 1:
        tie(channels, inner)
    elif len(inner) == 1:
        tie(channels.repeat_interleave(len(outputs) // groups), outputs)
    else:
        tie(channels.view(groups, -1), inner)
        tie(outputs.view(groups, -1), outputs.view(groups, -1)[:1])
    vector(tying, given["bias"], outputs)
    return spread(outputs, 1, node)


def transposed_convolution(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Tie input channels to the first dimension of a kernel, and output channels to the second."""
    kernel = kernel_of(tying, given)
    if given["groups"] != 1:
        raise UnknownError
    tying.labels.tie(tying.labels.along(tying.of(given["input"]), 1), kernel[0])
    vector(tying, given["bias"], kernel[1])
    return spread(kernel[1], 1, node)


def linear(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Tie the last dimension to the second one of a matrix; the first one of that is the output's last."""
    matrix = tying.weight(given["weight"])
    if matrix is None:
        raise UnknownError
    outputs, inner = matrix
    labels = tying.of(given["input"])
    if varying(labels) and not varies(labels, labels.dim() - 1):  # it mixes what must stay whole, such as tokens
        for one in (outputs, inner):
            tying.labels.freeze(one)
        vector(tying, given["bias"], outputs)
        return labels[..., :1].expand(shape_of(node))
    tying.labels.tie(tying.labels.along(labels, -1), inner)
    vector(tying, given["bias"], outputs)
    return spread(outputs, -1, node)


def batch_norm(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Scale and shift every channel by itself."""
    channels = tying.labels.along(tying.of(given["input"]), 1)
    for name in ("weight", "bias", "running_mean", "running_var"):
        vector(tying, given[name], channels)
    return spread(channels, 1, node)


def group_norm(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Work on groups of channels that must stay whole."""
    channels = tying.labels.along(tying.of(given["input"]), 1)
    tying.labels.freeze(channels)
    for name in ("weight", "bias"):
        vector(tying, given[name], channels)
    return frozen(shape_of(node))


def layer_norm(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Work on the last dimensions together: channels among them stay, unless what they do to others is accepted."""
    labels, count = tying.of(given["input"]), len(given["normalized_shape"])
    normed = [dim for dim in range(labels.dim() - count, labels.dim()) if varies(labels, dim)]
    affine = [given[name] for name in ("weight", "bias") if given.get(name) is not None]
    if not normed:
        for one in affine:
            tying.labels.freeze(tying.of(one))
        return labels
    if count > 1:
        raise UnknownError
    channels = tying.labels.along(labels, -1)
    for one in affine:
        vector(tying, one, channels)
    tying.through_norms.append(channels)
    return spread(channels, -1, node)


def matrix_product(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Multiply activations: matrices of a head, or another stack, stay whole; a head is cut from all of them."""
    some, others = tying.of(given["self"]), tying.of(first_of(given, "other", "mat2"))
    shape, labels = shape_of(node), tying.labels
    if min(some.dim(), others.dim()) < 2:
        raise UnknownError
    if any(varies(one, dim) for one in (some, others) for dim in range(one.dim() - 2)):
        stacks = [labels.tie_along(one, -2, -1)[..., :1, :1] for one in (some, others)]
        return aligned(tying, stacks, (*shape[:-2], 1, 1)).expand(shape)
    rows, columns = varies(some, some.dim() - 2), varies(others, others.dim() - 1)
    inner = varies(some, some.dim() - 1) or varies(others, others.dim() - 2)
    if ((rows or columns) and inner) or (rows and columns):
        raise UnknownError
    if inner:
        labels.tie(labels.along(some, -1), labels.along(others, -2))
        return frozen(shape)
    if rows:
        return spread(labels.along(some, -2), -2, node)
    return spread(labels.along(others, -1), -1, node) if columns else frozen(shape)


def attention(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Attend: a head is cut from queries, keys and values."""
    parts = [tying.of(given[name]) for name in ("query", "key", "value")]
    shape = shape_of(node)
    if not any(varies(one, dim) for one in parts for dim in range(one.dim() - 2)):
        raise UnknownError
    stacks = [tying.labels.tie_along(one, -2, -1)[..., :1, :1] for one in parts]
    if isinstance(mask := given.get("attn_mask"), fx.Node):
        stacks.append(whole(tying, tying.of(mask), [-2, -1])[..., :1, :1])
    return aligned(tying, stacks, (*shape[:-2], 1, 1)).expand(shape)
