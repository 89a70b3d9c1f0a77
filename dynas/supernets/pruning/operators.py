"""How operators tie the elements of their inputs, parameters and outputs, by the names of ATen.

An operator that is not here freezes what it touches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from torch import Tensor, fx

from dynas.supernets.pruning.labels import Labels, frozen, tidy, varies, varying
from dynas.supernets.pruning.trace import concrete, shape_of


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


def softmax(tying: Tying, node: fx.Node, given: Given) -> Tensor:
    """Work along a dimension that must stay whole."""
    return whole(tying, tying.of(given["self"]), [given["dim"]])


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


RULES: dict[str, Rule] = {}
for rule, names in {
    same: "relu relu6 hardtanh hardswish hardsigmoid silu gelu sigmoid tanh elu celu selu leaky_relu softplus mish "
    "log_sigmoid softsign threshold rrelu dropout feature_dropout alpha_dropout native_dropout clone contiguous to "
    "_to_copy detach alias lift_fresh_copy neg abs exp sqrt rsqrt square reciprocal pow clamp clamp_min clamp_max "
    "erf sin cos float",
    viewed: "view reshape _unsafe_view flatten unflatten",
    moved: "permute transpose t numpy_T unsqueeze squeeze expand expand_as "
    "slice select split split_with_sizes chunk unbind narrow cat concat stack swapaxes swapdims movedim",
    blank: "zeros_like ones_like full_like empty_like rand_like randn_like new_zeros new_ones new_full new_empty",
    rolled: "roll flip",
    indexed: "index",
    together: "add sub mul div maximum minimum",
    softmax: "softmax _softmax log_softmax",
    reduced: "mean sum amax amin",
    pooled: "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d "
    "adaptive_avg_pool3d adaptive_max_pool2d upsample_nearest2d upsample_bilinear2d upsample_bicubic2d",
    padded: "pad constant_pad_nd reflection_pad2d replication_pad2d",
    convolution: "conv1d conv2d conv3d convolution",
    transposed_convolution: "conv_transpose1d conv_transpose2d conv_transpose3d",
    linear: "linear",
    batch_norm: "batch_norm instance_norm",
    group_norm: "group_norm",
    layer_norm: "layer_norm rms_norm",
    matrix_product: "matmul bmm",
    attention: "scaled_dot_product_attention",
}.items():
    RULES |= dict.fromkeys(names.split(), rule)
