"""An OpenVINO model (IR), in FP32 or quantised by NNCF just as sub-networks are for a measurement in INT8."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from dynas.core.texts import TextData
from dynas.export.calibration import can_calibrate
from dynas.export.network import EXAMPLES, Network, Tensors, worst_difference

NOTHING_TO_CALIBRATE_ON = "INT8 is for classifiers of images or texts, whose data hold samples to calibrate on"


class OpenVino:
    """A model for the OpenVINO runtime.

    Args:
        precision: fp32 or int8.
        tolerance: how far outputs may be from the network's; None: quality decides.
    """

    PACKAGES: tuple[str, ...] = ("onnx", "openvino", "nncf")
    EXTRA, TASK = "openvino", ""  # for networks of any task

    def __init__(self, precision: str, tolerance: float | None) -> None:
        self.PRECISION, self.TOLERANCE = precision, tolerance
        stem = "model" if precision == "fp32" else f"model_{precision}"
        self.FILES: tuple[str, ...] = (f"{stem}.xml", f"{stem}.bin")
        # by default, what is not quantised runs in bfloat16 on processors that can
        self.USE = f'openvino.compile_model("{self.FILES[0]}", "CPU", {{"INFERENCE_PRECISION_HINT": "f32"}})'

    def refusal(self, network: Network) -> str | None:
        """Return why a network cannot be written: in INT8 where there is nothing to calibrate it on."""
        return None if self.PRECISION == "fp32" or can_calibrate(network.data) else NOTHING_TO_CALIBRATE_ON

    def save(self, network: Network, folder: Path) -> None:
        """Convert the network, quantise it where asked for, and write it."""
        from dynas.export.openvino_ir import convert, quantise, save

        model = convert(network.module, network.inputs(network.batch_size or EXAMPLES), network.free)
        if self.PRECISION == "int8":
            attends = isinstance(network.data, TextData)
            model = quantise(model, network.calibration, network.quantisation.bias_correction, attends)
        if network.batch_size is not None:
            model.reshape({one: [network.batch_size, *list(one.partial_shape)[1:]] for one in model.inputs})
        save(model, folder / self.FILES[0])

    def load(self, folder: Path) -> Callable[[Tensors], Tensors]:
        """Return the model in the files, run by OpenVINO on the CPU."""
        from dynas.export.openvino_ir import core

        network = core().compile_model(folder / self.FILES[0], "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

        def answer(inputs: Tensors) -> Tensors:
            found = network([one.contiguous().numpy() for one in inputs])
            return tuple(torch.from_numpy(found[output].copy()) for output in network.outputs)

        return answer

    def difference(self, network: Network, folder: Path) -> float:
        """Return the largest difference between what files and network compute, as a share of the largest output."""
        trials = network.real_trials if self.PRECISION == "int8" else None
        return worst_difference(network, self.load(folder), trials)
