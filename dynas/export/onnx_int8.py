"""An ONNX model whose weights and activations are quantised to INT8 by ONNX Runtime, marked by pairs of nodes (QDQ)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from dynas.export import onnx
from dynas.export.calibration import TOGETHER, can_calibrate, small_batches
from dynas.export.network import Network, Tensors, worst_difference
from dynas.export.openvino import NOTHING_TO_CALIBRATE_ON

MODEL = "model_int8.onnx"
FILES: tuple[str, ...] = (MODEL,)
PACKAGES, EXTRA, TASK = onnx.PACKAGES, onnx.EXTRA, ""  # for networks of any task
PRECISION = "int8"
TOLERANCE: float | None = None
USE = f'onnxruntime.InferenceSession("{MODEL}")'


def refusal(network: Network) -> str | None:
    """Return why a network cannot be written in this format: where there is nothing to calibrate it on."""
    return None if can_calibrate(network.data) else NOTHING_TO_CALIBRATE_ON


def save(network: Network, folder: Path) -> None:
    """Quantise what the format onnx writes: weights per channel, activations by their range on calibration samples.

    Weights use half of their range, as in `dynas.export.openvino_ir.quantise`.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with TemporaryDirectory() as made, onnx.errors_only("root"):
        onnx.save(network, Path(made))
        plain, prepared = Path(made) / onnx.MODEL, Path(made) / "prepared.onnx"
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            folder / MODEL,
            Feeds(network, plain),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
        )


class Feeds:
    """What ONNX Runtime reads calibration samples by.

    Args:
        network: is to be quantised.
        path: of the model.
    """

    def __init__(self, network: Network, path: Path) -> None:
        import onnxruntime

        self.names = [one.name for one in onnxruntime.InferenceSession(path).get_inputs()]
        self.batch_size = network.batch_size
        self.batches: Iterator[Tensors] = small_batches(network.calibration, network.batch_size or TOGETHER)

    def get_next(self) -> dict[str, Any] | None:
        """Return the next batch by the names of inputs, None at the end."""
        inputs = next(self.batches, None)
        if inputs is None:
            return None
        if self.batch_size is not None:  # the last sample fills up the last batch
            rows = torch.arange(self.batch_size).clamp(max=len(inputs[0]) - 1)
            inputs = tuple(one[rows] for one in inputs)
        return {name: one.numpy() for name, one in zip(self.names, inputs, strict=True)}


def load(folder: Path) -> Callable[[Tensors], Tensors]:
    """Return the model in the file, run by ONNX Runtime on the CPU."""
    return onnx.session(folder / MODEL)


def difference(network: Network, folder: Path) -> float:
    """Return the largest difference between what files and network compute, as a share of the largest output."""
    return worst_difference(network, load(folder), network.real_trials)
