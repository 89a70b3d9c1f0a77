"""Networks in the OpenVINO runtime: conversion from torch, 8-bit quantisation by NNCF, and running.

Import `openvino` and `nncf` through this module only: it keeps both from reporting their use over the network.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dynas.export.network import BATCH, Tensors
from dynas.hardware.onnx_model import trace_onnx
from dynas.hardware.runtime import Run, RuntimeNetwork, Shapes

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # both go without it where it is missing

import nncf  # noqa: E402
import openvino  # noqa: E402
from nncf.common.tensor_statistics import aggregator  # noqa: E402
from nncf.quantization.algorithms.fast_bias_correction import algorithm  # noqa: E402

nncf.set_log_level(logging.ERROR)
for _module in (aggregator, algorithm):
    _module.track = partial(_module.track, disable=True)  # its progress bars would run through our own

STATISTICS_BATCH = 16  # images whose ranges NNCF takes together


@cache
def core() -> openvino.Core:
    """Return the runtime."""
    return openvino.Core()


def convert(subnet: nn.Module, inputs: Tensors, free: Sequence[str] = (BATCH,)) -> openvino.Model:
    """Return a network as a model, its batch norm folded into convolutions.

    It goes through ONNX in memory: of a torch.jit trace, which OpenVINO reads, too, torch keeps megabytes for good.

    Args:
        subnet: a module in eval mode.
        inputs: a batch of what it takes, each ``(N, ...)``.
        free: see `dynas.hardware.onnx_model.trace_onnx`.
    """
    return openvino.convert_model(io.BytesIO(trace_onnx(subnet, inputs, free)))


def quantise(
    model: openvino.Model, samples: Sequence[Tensors], bias_correction: bool, attends: bool = False
) -> openvino.Model:
    """Return the model with 8-bit weights and activations wherever NNCF finds that safe.

    Weights get a range per channel, activations the range that they have on the samples, asymmetric where they can
    be negative (NNCF's preset ``mixed``). Weights use half of their range: processors without instructions for 8-bit
    products (VNNI) add two of them in 16 bits, which overflows with the whole range, and nobody would notice.

    Args:
        model: what `convert` returns.
        samples: batches of inputs to calibrate on.
        bias_correction: whether to shift biases so that the mean of every layer's output stays as it is.
        attends: whether it is a Transformer of texts, of which NNCF leaves more in floating point.
    """
    cut = [[torch.split(one.contiguous(), STATISTICS_BATCH) for one in batch] for batch in samples]
    batches = [[one.numpy() for one in inputs] for parts in cut for inputs in zip(*parts, strict=True)]
    quantised: openvino.Model = nncf.quantize(
        model,
        nncf.Dataset(batches),
        model_type=nncf.ModelType.TRANSFORMER if attends else None,
        subset_size=len(batches),
        preset=nncf.QuantizationPreset.MIXED,
        target_device=nncf.TargetDevice.CPU,
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            overflow_fix=nncf.OverflowFix.ENABLE,
            batchwise_statistics=True,
            disable_bias_correction=not bias_correction,
        ),
    )
    return quantised


class CompiledNetwork(RuntimeNetwork):
    """A model in OpenVINO.

    Args:
        model: takes inputs ``(N, ...)`` of any ``N`` and gives one output.
        settings: properties of OpenVINO's CPU device.
        resolution: height and width of the images, or None where the network does not say.
    """

    def __init__(
        self, model: openvino.Model, settings: Mapping[str, Any], resolution: tuple[int, int] | None = None
    ) -> None:
        super().__init__(resolution)
        self.model, self.settings = model, dict(settings)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constants: weights, biases, and the scales of what is quantised."""
        constants = (node.data for node in self.model.get_ops() if node.get_type_name() == "Constant")
        return sum(int(constant.nbytes) for constant in constants)

    def compiled(self, shapes: Shapes) -> openvino.CompiledModel:
        """Return the model as it runs on inputs of these shapes."""
        model = self.model.clone()
        model.reshape(dict(enumerate(map(list, shapes))))  # a fixed shape runs faster than a dynamic one
        return core().compile_model(model, "CPU", self.settings)

    def compile_for(self, shapes: Shapes) -> Run:
        """Return what computes the output of inputs of these shapes."""
        request = self.compiled(shapes).create_infer_request()

        def compute(arrays: list[NDArray[np.generic]]) -> NDArray[np.float32]:
            output: NDArray[np.float32] = request.infer(arrays, share_inputs=True)[0]
            return output

        return compute
