"""The bench that metrics measure with, and the latency meter on it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from dynas.core.data import Data
from dynas.core.meter import Timing, in_torch
from dynas.core.supernet import Supernet
from dynas.system.device_lock import CPU

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    Timed = tuple[nn.Module, tuple[Tensor, ...]]  # what is timed of a sub-network, and its inputs


class Meter(ABC):
    """Times modules on one target; what is not said of a target is as for this machine's CPU in PyTorch.

    Attributes:
        batch_size: samples per forward pass.
        device: what is measured on: while a latency is, nothing else is measured there (`dynas.system.device_lock`).
        precisions: what the target can compute in.
        together: number of sub-networks that are measured together; None: as many as the run asks for. 1 where modules
            cannot take turns.
        digest: SHA-256 of the file that the target is read from, where there is one.
        facts: what run.json shall say of the target.
        replaces: by the objective's name, the metric (`dynas.core.metric`) that stands in for the objective's own.
    """

    batch_size: int
    device: str = CPU
    precisions: Sequence[str] = ("fp32",)
    together: int | None = None
    digest: str | None = None
    facts: Mapping[str, object] = MappingProxyType({})
    replaces: Mapping[str, object] = MappingProxyType({})

    @abstractmethod
    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
        """Return one timing per module, each for a forward pass of its own inputs.

        A meter that times in this process does so in `dynas.system.ticker.quiet`, so that no panel is drawn meanwhile.
        """

    def check(self, bench: Bench) -> None:  # noqa: B027 - most targets run everything
        """Raise DynasError where the target cannot run the sub-networks of a bench; it is asked once."""

    def deploy(self, subnet: nn.Module, bench: Bench) -> nn.Module:
        """Return a sub-network as it runs on the target, which all metrics measure."""
        return in_torch(subnet)

    def port(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> nn.Module:
        """Return any module as it runs on the target, where nothing but its latency is asked for."""
        return in_torch(module)


@dataclass(frozen=True)
class Bench:
    """Everything that metrics need.

    Attributes:
        supernet: where sub-networks come from.
        data: what quality is measured on.
        meter: what latency is measured with.
        precision: what sub-networks that do not choose their own are computed in.
    """

    supernet: Supernet
    data: Data
    meter: Meter
    precision: str = "fp32"

    @property
    def precisions(self) -> tuple[str, ...]:
        """What sub-networks are computed in."""
        return tuple(self.supernet.precision_choices or (self.precision,))

    def deployed(self, genotype: NDArray[np.int64]) -> nn.Module:
        """Return the sub-network of a canonical genotype ``(G,)`` as it runs on the hardware."""
        return self.meter.deploy(self.supernet.subnet(self.supernet.space.decode(genotype)), self)

    def to_time(self, subnets: Sequence[nn.Module], batch_size: int) -> list[Timed]:
        """Return what a latency times of each sub-network, with inputs of ``batch_size`` samples."""
        return [(self.supernet.timed(subnet), self.supernet.example_inputs(batch_size, subnet)) for subnet in subnets]
