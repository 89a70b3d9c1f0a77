"""What a latency meter answers, and what it may do besides (see `dynas.core.bench.Meter`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Timing:
    """Time of one forward pass in milliseconds: median, 10 % and 90 % quantile over ``repeats`` timings.

    Attributes:
        drift: how much slower the machine was meanwhile than at first, as a share; it is already divided out.
        quality: ``ok``; ``unsteady`` where the median is not known as precisely as was asked for; ``disturbed`` where
            other work or a change of clock rate had to be divided out; empty where nobody can tell.
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

    def refer_to(self, module: nn.Module, inputs: tuple[Tensor, ...], first_ms: float | None = None) -> float:
        """Take the pace of the machine from a module, from now on.

        Args:
            module: what all other modules are timed beside.
            inputs: its inputs.
            first_ms: what it took when the run began; None: it begins now.

        Returns:
            what it took at first, in milliseconds.
        """
        ...


def in_torch(module: nn.Module) -> nn.Module:
    """Return a module as torch runs it fastest on the CPU."""
    import torch

    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
