"""PyTorch on the CPU, as it is, compiled or frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dynas.hardware.backends import check_backend, eager, images_last, named_backend
from dynas.hardware.interleaved import Sampler
from dynas.hardware.latency import CpuMeter, Module

if TYPE_CHECKING:
    from dynas.core.bench import Bench


class TorchCpuMeter(CpuMeter):
    """Runs sub-networks in PyTorch and times them as `CpuMeter` does.

    Only what is timed is compiled or frozen, before its first timing; accuracy is measured on the module as it is.

    Args:
        threads, batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds: see `CpuMeter`.
        backend: ``eager``, ``compile`` (torch.compile) or ``freeze`` (torch.jit).
        channels_last: whether weights and images lie in memory channels last, which convolutions mostly run faster on.

    Raises:
        DynasError: a setting makes no sense on this machine.
    """

    def __init__(
        self,
        threads: int,
        batch_size: int | None,
        warmup: int,
        min_repeats: int,
        max_repeats: int,
        tolerance: float,
        max_seconds: float = 2.0,
        backend: str = "eager",
        channels_last: bool = True,
    ) -> None:
        super().__init__(threads, batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds)
        self.backend, self.channels_last = named_backend(backend), channels_last

    def check(self, bench: Bench) -> None:
        """Raise DynasError where the backend cannot run the sub-networks."""
        if self.backend is not eager:
            check_backend(self, bench)

    def deploy(self, subnet: nn.Module, bench: Bench) -> nn.Module:
        """Return a sub-network in the memory format that was asked for."""
        return self.port(subnet, ())

    def port(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> nn.Module:
        """Return any module in the memory format that was asked for, whatever its inputs."""
        memory_format = torch.channels_last if self.channels_last else torch.contiguous_format
        return module.to(memory_format=memory_format)  # type: ignore[call-overload, no-any-return]

    def sampler(self, module: Module, inputs: tuple[Tensor, ...]) -> Sampler:
        """Return what times one forward pass of a module."""
        if self.channels_last:
            inputs = images_last(inputs)
        return super().sampler(self.backend(module, inputs), inputs)  # type: ignore[arg-type]
