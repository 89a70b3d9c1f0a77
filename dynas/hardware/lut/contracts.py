"""What a supernet and a table of block latencies know of each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor

from dynas.core.objectives import Values
from dynas.core.space import Genotypes
from dynas.hardware.lut.blocks import Block, MakeModule


class NetworkLatencies(Protocol):
    """Latencies of the blocks of one network at one input resolution."""

    def __getitem__(self, block: Block) -> float:
        """Return the latency of a block in milliseconds.

        Raises:
            DynasError: the table does not hold it.
        """
        ...


class BlockTable(Protocol):
    """Latencies of blocks on one device, such as a `dynas.hardware.lookup.LookupTable`."""

    @property
    def width(self) -> float | None:
        """Width multiplier of the network whose blocks are looked up; None: the supernet's own."""
        ...

    def network(self, stem: Block) -> NetworkLatencies:
        """Return the table of the networks that begin with ``stem``."""
        ...


@runtime_checkable
class LookupSupernet(Protocol):
    """A supernet that can say which blocks its sub-networks consist of."""

    def lookup(self, table: BlockTable) -> Callable[[Genotypes], Values]:
        """Return the function from canonical genotypes ``(n, G)`` to summed latencies ``(n,)`` in milliseconds.

        Raises:
            DynasError: the table lacks one of the blocks.
        """
        ...


@runtime_checkable
class BlockSupernet(LookupSupernet, Protocol):
    """A supernet whose blocks can be timed one by one, to make a table."""

    def block_modules(self) -> Mapping[Block, MakeModule]:
        """Return all blocks of all sub-networks in the order of the network, each with what makes its module.

        A module maps ``(N, C, H, W)``, the shape of the block's input, to that of its output, and is the caller's own.
        """
        ...


@runtime_checkable
class FeedsBlocks(Protocol):
    """A supernet whose blocks take other inputs than ``(N, C, H, W)``."""

    def block_inputs(self, block: Block, batch_size: int) -> tuple[Tensor, ...]:
        """Return the inputs of a block's module for so many samples."""
        ...
