"""Deployment runtimes as targets: a sub-network is converted once, compared with torch, and all metrics measure it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas.core.data import ClassificationData
from dynas.errors import DynasError
from dynas.export.network import BATCH, TOKENS, Tensors, relative_difference, run
from dynas.hardware.latency import CpuMeter
from dynas.metrics.calibration import recalibrated
from dynas.system.extras import install

if TYPE_CHECKING:
    from dynas.core.bench import Bench

TOLERANCE = 1e-4  # of the largest output, the same as for files that are exported
Shapes = tuple[tuple[int, ...], ...]  # of all inputs
Run = Callable[[list[NDArray[np.generic]]], NDArray[np.float32]]


class RuntimeNetwork(nn.Module, ABC):
    """A network that runs outside torch, compiled once for each shape of its inputs, and is called like the module.

    Args:
        resolution: height and width of the images, or None where the network does not say.
    """

    def __init__(self, resolution: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.resolution = resolution
        self._runs: dict[Shapes, Run] = {}

    @property
    @abstractmethod
    def weight_bytes(self) -> int:
        """Bytes of all constants: weights and biases, and the scales of what is quantised."""

    @abstractmethod
    def compile_for(self, shapes: Shapes) -> Run:
        """Return what computes the output of inputs of these shapes."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map a batch of inputs ``(N, ...)`` to outputs ``(N, ...)``."""
        arrays = [one.contiguous().numpy() for one in inputs]
        shapes = tuple(array.shape for array in arrays)
        if shapes not in self._runs:
            self._runs[shapes] = self.compile_for(shapes)
        return torch.from_numpy(self._runs[shapes](arrays))


class RuntimeMeter(CpuMeter, ABC):
    """Runs networks of a single forward pass in another runtime, and times them as `CpuMeter` does.

    Each sub-network is re-calibrated, converted and compared with what torch computes; accuracy, latency and size are
    then those of the converted one.

    Attributes:
        name: the option of the config group hardware, which is also that of the extra.
        packages: Python packages without which nothing runs.
    """

    name: str
    packages: Sequence[str]

    @abstractmethod
    def convert(self, module: nn.Module, inputs: Tensors, free: Sequence[str] = (BATCH,)) -> RuntimeNetwork:
        """Return a module in eval mode as a network of this runtime whose inputs are free in leading dimensions."""

    def check(self, bench: Bench) -> None:
        """Raise DynasError where a package is missing, or a sub-network is more than one forward pass."""
        check_packages(f"hardware={self.name}", self.packages, self.name)
        check_one_pass(self.name, bench)

    def deploy(self, subnet: nn.Module, bench: Bench) -> nn.Module:
        """Return a sub-network as it runs here, with batch norm re-calibrated where the data hold images."""
        normed = any(isinstance(module, nn.BatchNorm2d) for module in subnet.modules())
        if normed and isinstance(bench.data, ClassificationData) and not bench.data.modelled:
            recalibrated(subnet, bench.data)
        free = (BATCH,) if bench.supernet.lengths is None else (BATCH, TOKENS)
        return self.port(subnet, bench.supernet.example_inputs(self.batch_size, subnet), free)

    def port(self, module: nn.Module, inputs: Tensors, free: Sequence[str] = (BATCH,)) -> RuntimeNetwork:
        """Return a module as it runs here.

        Args:
            module: a sub-network or a part of one, in eval mode.
            inputs: what it is traced and tried with.
            free: names of their leading dimensions that may be any number.

        Raises:
            ValueError: the two differ by more than `TOLERANCE` of the largest output.
        """
        network = self.convert(module, inputs, free)
        apart = relative_difference(run(module, inputs), run(network, inputs))
        if not apart <= TOLERANCE:
            raise ValueError(
                f"{self.name} computes something else than torch: outputs differ by {apart:.2g} of the largest one, "
                f"more than {TOLERANCE:g}"
            )
        return network


def check_packages(what: str, packages: Sequence[str], extra: str) -> None:
    """Raise DynasError, saying what to install, where a package is missing."""
    if missing := [package for package in packages if find_spec(package) is None]:
        raise DynasError(f"{what} needs {' and '.join(missing)}: {install(extra)}")


def check_one_pass(hardware: str, bench: Bench) -> None:
    """Raise DynasError where the sub-networks of a bench are used by more than one forward pass."""
    if not bench.supernet.single_pass:
        raise DynasError(
            f"hardware={hardware} runs networks of a single forward pass, not '{bench.supernet.name}', whose latency "
            "is that of many: choose hardware=cpu, or a supernet such as mbv3 or ncf"
        )
