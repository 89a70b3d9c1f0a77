"""The blocks of networks of inverted residuals: as rows of a latency table, and as modules to be timed."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial

import numpy as np
from torch import nn

from dynas.core.objectives import Values
from dynas.hardware.lut.blocks import Block, MakeModule
from dynas.hardware.lut.contracts import BlockTable
from dynas.supernets.layers import GlobalMean
from dynas.supernets.mbconv.network import ElasticBlock, ElasticMBConvNet
from dynas.supernets.mbconv.shape import KERNELS, RATIOS, Shape, block_shapes, sizes_after


def fixed_blocks(shape: Shape) -> list[Block]:
    """Return the blocks that every sub-network has: stem, first block and head."""
    family = shape.family
    stem, *_, last = sizes_after(shape, shape.resolution)
    first, image = (*stem, shape.stem), (*last, shape.stages[-1])
    flags = int(family.first_shortcut), 0, family.first_act
    blocks = [
        Block("stem", (*shape.resolution, shape.channels), first),
        Block("inverted_residual", first, (*stem, shape.first), shape.stem, 3, 1, *flags),
    ]
    for layer, outputs in zip(family.head, shape.head, strict=True):
        if not layer.pooled:
            blocks.append(Block("expand", image, image := (*last, outputs)))
    blocks.append(Block("pool", image, image := (1, 1, image[2])))
    for layer, outputs in zip(family.head, shape.head, strict=True):
        if layer.pooled:
            blocks.append(Block("mix", image, image := (1, 1, outputs)))
    return [*blocks, Block("classify", image, (1, 1, shape.classes))]


def fixed_modules(elastic: ElasticMBConvNet) -> list[nn.Module]:
    """Return the modules of `fixed_blocks`, which belong to the supernet."""
    head = {pooled: [elastic.get_submodule(one.name) for one in elastic.family.head if one.pooled == pooled]
            for pooled in (False, True)}  # fmt: skip
    classify = nn.Sequential(nn.Flatten(), elastic.classifier)
    return [elastic.first_conv, elastic.blocks[0], *head[False], GlobalMean(), *head[True], classify]


def searchable_blocks(shape: Shape, kernel: int, ratio: int) -> list[Block]:
    """Return the searchable blocks in network order, all with one kernel size and expansion ratio."""
    size, *sizes = sizes_after(shape, shape.resolution)
    blocks = []
    for one in block_shapes(shape):
        before, size = size, sizes[one.stage]
        ends = (*before, one.inputs), (*size, one.outputs)
        flags = int(one.residual), int(one.se)
        blocks.append(Block("inverted_residual", *ends, one.middle(ratio), kernel, one.stride, *flags, one.act))
    return blocks


def block_latencies(shape: Shape, table: BlockTable) -> tuple[Values, float]:
    """Return the latencies of every block option ``(blocks, kernel sizes, ratios)`` and of the fixed part, in ms.

    Raises:
        DynasError: the table lacks a block.
    """
    fixed = fixed_blocks(shape)
    blocks = table.network(fixed[0])
    columns = [[blocks[block] for block in searchable_blocks(shape, k, r)] for k in KERNELS for r in RATIOS]
    return np.array(columns).T.reshape(-1, len(KERNELS), len(RATIOS)), sum(blocks[block] for block in fixed)


def block_modules(shape: Shape, elastic: ElasticMBConvNet) -> dict[Block, MakeModule]:
    """Return all blocks of all sub-networks at one resolution, each with what makes its module."""
    made: dict[Block, MakeModule] = {}
    for block, module in zip(fixed_blocks(shape), fixed_modules(elastic), strict=True):
        made[block] = partial(deepcopy, module)
    for kernel, ratio in ((kernel, ratio) for kernel in KERNELS for ratio in RATIOS):
        for block, layer in zip(searchable_blocks(shape, kernel, ratio), elastic.blocks[1:], strict=True):
            assert isinstance(layer, ElasticBlock)
            static: Callable[[int, int], nn.Module] = layer.static
            made.setdefault(block, partial(static, kernel, ratio))
    return made
