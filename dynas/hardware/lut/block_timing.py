"""Latencies of networks and of parts of them on a target, where nothing but latency is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from dynas.core.bench import Meter
from dynas.core.space import Architecture
from dynas.core.supernet import Supernet
from dynas.errors import DynasError, reason
from dynas.hardware.lut.blocks import Block, MakeModule
from dynas.hardware.lut.contracts import FeedsBlocks

Timed = tuple[nn.Module, tuple[Tensor, ...]]  # a module as it runs on the target, and its inputs
MakeTimed = Callable[[], Timed]


def timings(makers: Sequence[MakeTimed], meter: Meter, together: int) -> Iterator[float | str]:
    """Yield the median latency of each module in milliseconds, or the reason why there is none, in order.

    Args:
        makers: make what is timed.
        meter: what times it.
        together: modules that take turns.

    Raises:
        DynasError: the settings are at fault.
    """
    together = meter.together or together
    for start in range(0, len(makers), together):
        some = makers[start : start + together]
        try:
            modules, inputs = zip(*(make() for make in some), strict=True)
            yield from [latency.median_ms for latency in meter(modules, inputs)]
        except DynasError:
            raise
        except Exception as error:  # a runtime or a user's command may raise anything: only what is at fault fails
            if len(some) > 1:
                yield from timings(some, meter, 1)
            else:
                yield reason(error)


def timed_subnet(supernet: Supernet, architecture: Architecture, meter: Meter) -> Timed:
    """Return a sub-network as it runs on the target; its batch norm is not re-calibrated, which takes no time there."""
    subnet = supernet.subnet(architecture)
    inputs = supernet.example_inputs(meter.batch_size, subnet)
    return meter.port(subnet, inputs), inputs


def timed_block(supernet: Supernet, block: Block, make: MakeModule, meter: Meter) -> Timed:
    """Return a block as it runs on the target, and its inputs: noise where the supernet does not say."""
    if isinstance(supernet, FeedsBlocks):
        inputs = supernet.block_inputs(block, meter.batch_size)
    else:
        height, width, channels = block.input
        noise = torch.Generator().manual_seed(0)
        inputs = (torch.randn(meter.batch_size, channels, height, width, generator=noise),)
    return meter.port(make().eval(), inputs), inputs
