"""The network that is exported: one measured sub-network, with inputs to try it on."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from dynas.core.data import Data
from dynas.core.space import Architecture
from dynas.core.supernet import Supernet
from dynas.errors import DynasError
from dynas.metrics.calibration import recalibrated

Tensors = tuple[Tensor, ...]
EXAMPLES = 2  # samples that a network is traced with: of a batch of one, a compiler would make a constant
SIZES = (1, 2, 5)  # batches that a dynamic batch size is tried with


@dataclass(frozen=True)
class Network:
    """A sub-network that is to be exported.

    Attributes:
        module: the stand-alone module in eval mode.
        supernet: where it comes from.
        architecture: which sub-network it is.
        config: composed config of supernet and data.
        batch_size: the only batch size that the files take, or None for any.
    """

    module: nn.Module
    supernet: Supernet
    architecture: Architecture
    config: dict[str, Any]
    batch_size: int | None = None

    @property
    def sizes(self) -> Sequence[int]:
        """Batch sizes that the files are tried with."""
        return SIZES if self.batch_size is None else (self.batch_size,)

    def inputs(self, batch_size: int) -> Tensors:
        """Return seeded inputs of a batch."""
        return self.supernet.example_inputs(batch_size, self.module)

    @property
    def signature(self) -> list[dict[str, Any]]:
        """Shape and type of each input."""
        size: int | str = self.batch_size or "batch"
        return [
            {"shape": [size, *one.shape[1:]], "dtype": str(one.dtype).removeprefix("torch.")} for one in self.inputs(1)
        ]

    @cached_property
    def program(self) -> torch.export.ExportedProgram:
        """The network as torch.export traces it.

        Raises:
            DynasError: it cannot be traced, or not for every batch size.
        """
        inputs = self.inputs(self.batch_size or EXAMPLES)
        batch = {0: torch.export.Dim("batch")}
        shapes = tuple(batch for _ in inputs) if self.batch_size is None else None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of torch about itself
                return torch.export.export(self.module, inputs, dynamic_shapes=shapes)
        except Exception as error:  # torch raises a different type for every reason
            way_out = "" if self.batch_size else "; a network that takes one batch size only is exported by --batch N"
            raise DynasError(
                f"torch.export refuses the network: {str(error).strip().splitlines()[0]}{way_out}"
            ) from error


def measured_network(supernet: Supernet, data: Data, architecture: Architecture) -> nn.Module:
    """Return a sub-network just as its accuracy is measured: with batch norm re-calibrated on the data.

    Raises:
        DynasError: the data hold nothing to re-calibrate on.
    """
    subnet = supernet.subnet(architecture)
    if any(isinstance(module, nn.BatchNorm2d) for module in subnet.modules()):
        try:
            recalibrated(subnet, data)
        except DynasError as error:
            raise DynasError(f"the network cannot be re-calibrated as for a measurement: {error}") from error
    return subnet.eval()


def run(module: Callable[..., Any], inputs: Tensors) -> Tensors:
    """Return the outputs of a forward pass as a flat tuple of tensors."""
    with torch.inference_mode():
        return _flat(module(*inputs))


def relative_difference(expected: Tensors, given: Tensors) -> float:
    """Return the largest difference of outputs as a share of the largest expected one; infinite for other shapes."""
    if [one.shape for one in expected] != [one.shape for one in given]:
        return math.inf
    largest = max(float(one.abs().max()) for one in expected)
    apart = max(float((one - other).abs().max()) for one, other in zip(expected, given, strict=True))
    share = apart / largest if largest else apart
    return share if math.isfinite(share) else math.inf


def _flat(output: Any) -> Tensors:
    if isinstance(output, Tensor):
        return (output,)
    items = output.values() if isinstance(output, Mapping) else output or ()
    return tuple(tensor for item in items for tensor in _flat(item))
