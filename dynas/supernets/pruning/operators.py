"""Which rule ties the elements of an operator, by the names of ATen.

An operator that is not here freezes what it touches.
"""

from __future__ import annotations

from dynas.supernets.pruning.layers import (
    attention,
    batch_norm,
    convolution,
    group_norm,
    layer_norm,
    linear,
    matrix_product,
    softmax,
    transposed_convolution,
)
from dynas.supernets.pruning.rules import (
    Rule,
)
from dynas.supernets.pruning.shapes import (
    blank,
    indexed,
    moved,
    padded,
    pooled,
    reduced,
    rolled,
    same,
    together,
    viewed,
)

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
