"""What the rows of a latency table are the latencies of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

Image = tuple[int, int, int]  # height, width, channels


@dataclass(frozen=True)
class Block:
    """A block of a network; numbers that do not apply to its kind are 0, texts empty.

    Attributes:
        block: its kind: stem (what a network begins with), inverted_residual, expand, pool, mix or classify in
            MobileNetV3 and ProxylessNAS; stem, stem_residual, stem_last, max_pool, bottleneck or classify in ResNet50;
            stem, attention, feed_forward or classify in Transformer encoders, whose images are 1 x tokens x width.
        input: height, width and channels of what comes in.
        output: height, width and channels of what goes out.
        middle: channels between its two 1x1 convolutions; of attention those of all heads, of feed_forward its units.
        kernel: kernel size.
        stride: stride.
        shortcut: 1 where it adds its input to its output.
        se: 1 where it has squeeze-and-excitation.
        act: activation, ``relu`` or ``h_swish``.
    """

    block: str
    input: Image
    output: Image
    middle: int = 0
    kernel: int = 0
    stride: int = 0
    shortcut: int = 0
    se: int = 0
    act: str = ""

    def __str__(self) -> str:
        start, end = ("x".join(map(str, image)) for image in (self.input, self.output))
        inside = f", middle {self.middle}, kernel {self.kernel}, stride {self.stride}" if self.kernel else ""
        rest = f", shortcut {self.shortcut}, se {self.se}, {self.act}" if self.kernel else ""
        return f"{self.block} {start} to {end}{inside}{rest}"


MakeModule = Callable[[], "nn.Module"]  # makes the module of a block
Row = tuple[int, Block, float]  # line, block, latency in milliseconds


class RowError(Exception):
    """A line of a table that is not what it should be.

    Args:
        line: its number, counted from 1.
        expected: what was expected and what was there, in words.
    """

    def __init__(self, line: int, expected: str) -> None:
        super().__init__(expected)
        self.line = line
