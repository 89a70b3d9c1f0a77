"""Networks in the OpenVINO runtime: conversion from torch, 8-bit quantisation by NNCF, and running.

Import `openvino` and `nncf` through this module only: it keeps both from reporting their use over the network.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn

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


def convert(subnet: nn.Module, example: Tensor) -> openvino.Model:
    """Return a network as a model that takes any number of images, its batch norm folded into convolutions.

    Tracing takes a tenth of the time of an export to ONNX, and gives a third of its operations.

    Args:
        subnet: a module in eval mode.
        example: images ``(N, C, H, W)`` that it takes.
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of torch about itself, and of channel counts that are constants
        traced = torch.jit.trace(subnet, example, check_trace=False)  # type: ignore[no-untyped-call]
    return openvino.convert_model(traced, input=[-1, *example.shape[1:]])


def quantise(model: openvino.Model, images: Tensor, bias_correction: bool) -> openvino.Model:
    """Return the model with 8-bit weights and activations wherever NNCF finds that safe.

    Weights get a range per channel, activations the range that they have on the images, asymmetric where they can
    be negative (NNCF's preset ``mixed``). Squeeze-and-excitation stays in 32 bits.

    Args:
        model: what `convert` returns.
        images: ``(n, C, H, W)`` to calibrate on.
        bias_correction: whether to shift biases so that the mean of every layer's output stays as it is.
    """
    batches = [batch.numpy() for batch in torch.split(images.contiguous(), STATISTICS_BATCH)]
    quantised: openvino.Model = nncf.quantize(
        model,
        nncf.Dataset(batches),
        subset_size=len(batches),
        preset=nncf.QuantizationPreset.MIXED,
        target_device=nncf.TargetDevice.CPU,
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            batchwise_statistics=True, disable_bias_correction=not bias_correction
        ),
    )
    return quantised


class CompiledNetwork(nn.Module):
    """A model that runs in OpenVINO, compiled once for each shape of its input, and is called like the torch module.

    Args:
        model: takes images ``(N, C, H, W)``, of any ``N``, and gives logits ``(N, classes)``.
        settings: properties of OpenVINO's CPU device.
        resolution: height and width of the images, or None where the network does not say.
    """

    def __init__(
        self, model: openvino.Model, settings: Mapping[str, Any], resolution: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        self.model, self.settings, self.resolution = model, dict(settings), resolution
        self._requests: dict[torch.Size, openvino.InferRequest] = {}

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constants: weights, biases, and the scales of what is quantised."""
        constants = (node.data for node in self.model.get_ops() if node.get_type_name() == "Constant")
        return sum(int(constant.nbytes) for constant in constants)

    def compiled(self, shape: torch.Size) -> openvino.CompiledModel:
        """Return the model as it runs on inputs of one shape."""
        return self._request(shape).get_compiled_model()

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` to logits ``(N, classes)``."""
        outputs = self._request(images.shape).infer([images.contiguous().numpy()], share_inputs=True)
        return torch.from_numpy(outputs[0])

    def _request(self, shape: torch.Size) -> openvino.InferRequest:
        if shape not in self._requests:
            model = self.model.clone()
            model.reshape(list(shape))  # a fixed shape runs faster than a dynamic one
            self._requests[shape] = core().compile_model(model, "CPU", self.settings).create_infer_request()
        return self._requests[shape]
