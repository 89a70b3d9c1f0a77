"""The blocks of MobileNetV3 as rows of a latency table."""

from __future__ import annotations

import numpy as np

from dynas.hardware.blocks import Block
from dynas.hardware.lookup import LookupTable
from dynas.objectives import Values
from dynas.supernets.mbconv_shape import KERNELS, RATIOS, Shape, block_shapes, sizes_after


def fixed_blocks(shape: Shape) -> list[Block]:
    """Return the blocks that every sub-network has: stem, first block and head."""
    stem, *_, last = sizes_after(shape, shape.resolution)
    expanded, mixed = shape.head
    first = (*stem, shape.stem)
    deep, wide, pooled = (*last, shape.stages[-1]), (*last, expanded), (1, 1, expanded)
    features, classes = (1, 1, mixed), (1, 1, shape.classes)
    return [
        Block("stem", (*shape.resolution, shape.channels), first),
        Block("inverted_residual", first, first, shape.stem, 3, 1, 1, 0, "relu"),
        Block("expand", deep, wide),
        Block("pool", wide, pooled),
        Block("mix", pooled, features),
        Block("classify", features, classes),
    ]


def searchable_blocks(shape: Shape, kernel: int, ratio: int) -> list[Block]:
    """Return the 20 searchable blocks in network order, all with one kernel size and expansion ratio."""
    size, *sizes = sizes_after(shape, shape.resolution)
    blocks = []
    for one in block_shapes(shape):
        before, size = size, sizes[one.stage]
        ends = (*before, one.inputs), (*size, one.outputs)
        flags = int(one.residual), int(one.se)
        blocks.append(Block("inverted_residual", *ends, one.middle(ratio), kernel, one.stride, *flags, one.act))
    return blocks


def block_latencies(shape: Shape, table: LookupTable) -> tuple[Values, float]:
    """Return the latencies of every block option ``(20, kernel sizes, ratios)`` and of the fixed part, in ms.

    Raises:
        DynasError: the table lacks a block.
    """
    fixed = fixed_blocks(shape)
    blocks = table.network(fixed[0])
    columns = [[blocks[block] for block in searchable_blocks(shape, k, r)] for k in KERNELS for r in RATIOS]
    return np.array(columns).T.reshape(-1, len(KERNELS), len(RATIOS)), sum(blocks[block] for block in fixed)
