"""What a latency meter answers, and what it may do besides (see `dynas.core.bench.Meter`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor, nn


FASTER = 0.02  # share by which the reference may be faster in the first rounds than when its pace was taken
CHECKS = 3  # of the pace in such rounds at most


@dataclass(frozen=True)
class Timing:
    """Time of one forward pass in milliseconds: median, 10 % and 90 % quantile over ``repeats`` timings.

    Attributes:
        drift: how much slower the machine was meanwhile than at first, as a share; it is already divided out.
        quality: ``ok``; ``unsteady`` where the median is not known as precisely as was asked for; ``disturbed`` where
            the machine was slower than in the rest of the run, by other work or its clock rate; empty where nobody can
            tell.
    """

    median_ms: float
    p10_ms: float
    p90_ms: float
    repeats: int
    drift: float = 0.0
    quality: str = "ok"


@runtime_checkable
class WatchesReference(Protocol):
    """A meter that times one module beside all others, to tell how fast the machine is just then.

    Attributes:
        first_ms: what the reference took at first; None before it is known.
    """

    first_ms: float | None

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
        """Return one timing per module, each for a forward pass of its own inputs."""
        ...

    def refer_to(self, module: nn.Module, inputs: tuple[Tensor, ...], first_ms: float | None = None) -> float:
        """Take the settled pace of the machine from a module, from now on.

        Args:
            module: what all other modules are timed beside.
            inputs: its inputs.
            first_ms: what it took when the run began; None: it begins now.

        Returns:
            what it took at first, in milliseconds.
        """
        ...


def settled_pace(meter: WatchesReference, module: nn.Module, inputs: tuple[Tensor, ...]) -> float:
    """Let a meter take the pace of the machine from a module, once more where the first rounds show a faster one.

    Returns:
        what the module took at first, in milliseconds.
    """
    first_ms = meter.refer_to(module, inputs)
    for _ in range(CHECKS):
        (timing,) = meter([module], [inputs])
        if timing.drift >= -FASTER:
            break
        first_ms = meter.refer_to(module, inputs, min(first_ms, meter.refer_to(module, inputs)))
    return first_ms


def in_torch(module: nn.Module) -> nn.Module:
    """Return a module as torch runs it fastest on the CPU."""
    import torch

    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
