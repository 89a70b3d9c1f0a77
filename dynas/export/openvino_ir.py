"""OpenVINO's own form of networks (IR): conversion from torch, and 8-bit quantisation by NNCF.

Import `openvino` and `nncf` through this module only: it keeps both from reporting their use over the network.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

from torch import nn

from dynas.export.calibration import small_batches
from dynas.export.network import BATCH, Tensors
from dynas.export.onnx_trace import trace_onnx

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # both go without it where it is missing

import nncf  # noqa: E402
import openvino as openvino  # noqa: E402  # given on to hardware
from nncf.common.tensor_statistics import aggregator  # noqa: E402
from nncf.quantization.algorithms.fast_bias_correction import algorithm as bias_correction  # noqa: E402
from nncf.quantization.algorithms.smooth_quant import algorithm as smoothing  # noqa: E402

nncf.set_log_level(logging.ERROR)
for _module in (aggregator, bias_correction, smoothing):
    _module.track = partial(_module.track, disable=True)  # its progress bars would run through our own


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
        free: see `dynas.export.onnx_trace.trace_onnx`.
    """
    return openvino.convert_model(io.BytesIO(trace_onnx(subnet, inputs, free)))


def quantise(
    model: openvino.Model, samples: Sequence[Tensors], correct_bias: bool, attends: bool = False
) -> openvino.Model:
    """Return the model with 8-bit weights and activations wherever NNCF finds that safe.

    Weights get a range per channel, activations the range that they have on the samples, asymmetric where they can
    be negative (NNCF's preset ``mixed``). Weights use half of their range: processors without instructions for 8-bit
    products (VNNI) add two of them in 16 bits, which overflows with the whole range, and nobody would notice.

    Args:
        model: what `convert` returns.
        samples: batches of inputs to calibrate on.
        correct_bias: whether to shift biases so that the mean of every layer's output stays as it is.
        attends: whether it is a Transformer of texts, of which NNCF leaves more in floating point.
    """
    batches = [[one.numpy() for one in inputs] for inputs in small_batches(samples)]
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
            disable_bias_correction=not correct_bias,
        ),
    )
    return quantised


def save(model: openvino.Model, path: Path) -> None:
    """Write a model as it is, weights in full precision: an xml file and a bin file beside it."""
    openvino.save_model(model, path, compress_to_fp16=False)
