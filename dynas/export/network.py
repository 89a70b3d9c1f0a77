"""The network that is exported: one measured sub-network, with inputs to try it on."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from dynas.core.data import Data
from dynas.core.space import Architecture
from dynas.core.supernet import Supernet
from dynas.errors import DynasError
from dynas.export.calibration import calibration_samples

Tensors = tuple[Tensor, ...]
EXAMPLES = 2  # samples that a network is traced with: of a batch of one, a compiler would make a constant
BATCH, TOKENS = "batch", "tokens"  # names of dimensions that are not fixed
SIZES = (1, 2, 5)  # batches that a dynamic batch size is tried with


@dataclass(frozen=True)
class Quantisation:
    """How a network is quantised to INT8.

    Attributes:
        samples: how many it is calibrated on, the first of those of the data; all, where there are fewer.
        bias_correction: whether NNCF shifts biases so that the mean of every layer's output stays as it is.
        measured: how good the network was when it was measured in INT8; None where it was not.
    """

    samples: int = 64
    bias_correction: bool = False
    measured: float | None = None


@dataclass(frozen=True)
class Network:
    """A sub-network that is to be exported.

    Attributes:
        module: the stand-alone module in eval mode.
        supernet: where it comes from.
        architecture: which sub-network it is.
        config: composed config of supernet and data.
        batch_size: the only batch size that the files take, or None for any.
        data: what it was measured on; None: files are tried on made-up inputs alone.
        quantisation: how files in INT8 are made.
    """

    module: nn.Module
    supernet: Supernet
    architecture: Architecture
    config: dict[str, Any]
    batch_size: int | None = None
    data: Data | None = None
    quantisation: Quantisation = Quantisation()

    @property
    def sizes(self) -> Sequence[int]:
        """Batch sizes that the files are tried with."""
        return SIZES if self.batch_size is None else (self.batch_size,)

    def inputs(self, batch_size: int, length: int | None = None) -> Tensors:
        """Return seeded inputs of a batch, as long as usual or with another number of tokens."""
        inputs = self.supernet.example_inputs(batch_size, self.module)
        if length is None:
            return inputs
        return tuple(one[:, torch.arange(length) % one.shape[1]] for one in inputs)

    @property
    def trials(self) -> Iterator[Tensors]:
        """Inputs that the files are tried with: all batch sizes, and where texts are free, several lengths."""
        for index, size in enumerate(self.sizes):
            usual = self.inputs(size)
            yield usual
            if self.supernet.lengths is not None:
                least, most = self.supernet.lengths
                yield self.inputs(size, least if index % 2 else min(most, 2 * usual[0].shape[1] - 1))

    @cached_property
    def calibration(self) -> list[Tensors]:
        """Batches of the samples that files in INT8 are calibrated on; see `dynas.export.calibration`."""
        assert self.data is not None
        return calibration_samples(self.data, self.module, self.quantisation.samples)

    @property
    def real_trials(self) -> Iterator[Tensors]:
        """Inputs of all batch sizes that files in INT8 are tried with: of no others do they know the range."""
        for batch in self.calibration:
            for size in self.sizes:
                yield tuple(one[torch.arange(size) % len(one)] for one in batch)

    @property
    def signature(self) -> list[dict[str, Any]]:
        """Shape and type of each input."""
        size: int | str = self.batch_size or "batch"
        free: list[int | str] = [] if self.supernet.lengths is None else [TOKENS]
        return [
            {"shape": [size, *free, *one.shape[1 + len(free) :]], "dtype": str(one.dtype).removeprefix("torch.")}
            for one in self.inputs(1)
        ]

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the leading dimensions of inputs that may be any number in some network of its kind."""
        return (BATCH,) if self.supernet.lengths is None else (BATCH, TOKENS)

    @property
    def dynamic(self) -> dict[int, Any]:
        """The dimensions of inputs that are not fixed."""
        free: dict[int, Any] = {} if self.batch_size else {0: torch.export.Dim(BATCH)}
        if self.supernet.lengths is not None:
            least, most = self.supernet.lengths
            free[1] = torch.export.Dim(TOKENS, min=least, max=most)
        return free

    @cached_property
    def program(self) -> torch.export.ExportedProgram:
        """The network as torch.export traces it.

        Raises:
            DynasError: it cannot be traced, or not for every batch size.
        """
        inputs = self.inputs(self.batch_size or EXAMPLES)
        shapes = tuple(self.dynamic for _ in inputs) if self.dynamic else None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of torch about itself
                return torch.export.export(self.module, inputs, dynamic_shapes=shapes)
        except Exception as error:  # torch raises a different type for every reason
            way_out = "" if self.batch_size else "; a network that takes one batch size only is exported by --batch N"
            raise DynasError(
                f"torch.export refuses the network: {str(error).strip().splitlines()[0]}{way_out}"
            ) from error


def run(module: Callable[..., Any], inputs: Tensors) -> Tensors:
    """Return the outputs of a forward pass as a flat tuple of tensors."""
    with torch.inference_mode():
        return _flat(module(*inputs))


def in_parts(answer: Callable[[Tensors], Tensors], inputs: Tensors, size: int | None) -> Tensors:
    """Return the outputs for any number of samples of what takes ``size`` at a time; None: any number."""
    count = len(inputs[0])
    if size is None or count == size:
        return answer(inputs)
    rows = torch.split(torch.arange(-(-count // size) * size).clamp(max=count - 1), size)  # the last sample fills up
    parts = [answer(tuple(one[chosen] for one in inputs)) for chosen in rows]
    return tuple(torch.cat(one)[:count] for one in zip(*parts, strict=True))


def relative_difference(expected: Tensors, given: Tensors) -> float:
    """Return the largest difference of outputs as a share of the largest expected one; infinite for other shapes."""
    if [one.shape for one in expected] != [one.shape for one in given]:
        return math.inf
    largest = max(float(one.abs().max()) for one in expected)
    apart = max(float((one - other).abs().max()) for one, other in zip(expected, given, strict=True))
    share = apart / largest if largest else apart
    return share if math.isfinite(share) else math.inf


def worst_difference(
    network: Network, answer: Callable[[Tensors], Tensors], trials: Iterable[Tensors] | None = None
) -> float:
    """Return how far answers are from a network's outputs at most, as a share of the largest output.

    Args:
        network: what is compared with.
        answer: what is compared.
        trials: inputs; None: all that the network is tried with.
    """
    tried = network.trials if trials is None else trials
    return max(relative_difference(run(network.module, inputs), answer(inputs)) for inputs in tried)


def _flat(output: Any) -> Tensors:
    if isinstance(output, Tensor):
        return (output,)
    items = output.values() if isinstance(output, Mapping) else output or ()
    return tuple(tensor for item in items for tensor in _flat(item))
