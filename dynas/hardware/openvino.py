"""The OpenVINO runtime on the CPU: sub-networks run, are judged and are timed in it, in FP32 or quantised to INT8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from dynas.core.data import ClassificationData, Data
from dynas.core.supernet import precision_of, resolution_of
from dynas.core.texts import TextData
from dynas.errors import DynasError
from dynas.export.calibration import calibration_inputs, calibration_samples, first_samples
from dynas.export.network import BATCH, Tensors
from dynas.hardware.runtime import RuntimeMeter

if TYPE_CHECKING:
    from dynas.core.bench import Bench
    from dynas.hardware.openvino_model import CompiledNetwork


class OpenVinoMeter(RuntimeMeter):
    """Runs networks in OpenVINO, one stream at a time; those of images and texts whose precision is int8 are quantised.

    Args:
        threads: threads of an inference.
        batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds: see `dynas.hardware.latency.CpuMeter`.
        calibration_images: images or texts that quantisation looks at, the first of those that the data calibrate on.
        bias_correction: whether quantisation corrects biases, which takes two to four times as long.

    Raises:
        DynasError: a number makes no sense on this machine.
    """

    name = "openvino"
    packages = ("onnx", "openvino", "nncf")
    precisions = ("fp32", "int8")

    def __init__(
        self,
        threads: int,
        batch_size: int | None,
        warmup: int,
        min_repeats: int,
        max_repeats: int,
        tolerance: float,
        calibration_images: int,
        bias_correction: bool,
        max_seconds: float = 2.0,
    ) -> None:
        super().__init__(threads, batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds)
        if calibration_images < 1:
            raise DynasError(f"hardware.calibration_images={calibration_images}: give 1 or more")
        self.calibration_images, self.bias_correction = calibration_images, bias_correction
        self.settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",  # by default, what is not quantised runs in bfloat16 where it can
            "ENABLE_CPU_PINNING": False,  # two processes would share the first core
        }

    def check(self, bench: Bench) -> None:
        """Raise DynasError where nothing runs here, or sub-networks in int8 have nothing to calibrate on."""
        super().check(bench)
        if "int8" in bench.precisions:
            if not isinstance(bench.data, ClassificationData | TextData):
                raise DynasError(
                    f"precision=int8 quantises networks of images and of texts only, not '{bench.supernet.name}'"
                )
            self.calibration(bench.data)

    def convert(self, module: nn.Module, inputs: Tensors, free: Sequence[str] = (BATCH,)) -> CompiledNetwork:
        """Return a module in eval mode as a network of this runtime whose inputs are free in leading dimensions."""
        from dynas.export.openvino_ir import convert
        from dynas.hardware.openvino_model import CompiledNetwork

        return CompiledNetwork(convert(module, inputs, free), self.settings, resolution_of(module))

    def deploy(self, subnet: nn.Module, bench: Bench) -> nn.Module:
        """Return a sub-network as it runs in OpenVINO, in its own precision or else in that of the bench."""
        from dynas.export.openvino_ir import quantise
        from dynas.hardware.openvino_model import CompiledNetwork

        network = super().deploy(subnet, bench)
        if precision_of(subnet, bench.precision) != "int8":
            return network
        assert isinstance(network, CompiledNetwork)
        samples = calibration_samples(bench.data, subnet, self.calibration_images)
        quantised = quantise(network.model, samples, self.bias_correction, attends=isinstance(bench.data, TextData))
        return CompiledNetwork(quantised, self.settings, network.resolution)

    def calibration(self, data: Data) -> list[Tensors]:
        """Return what quantisation looks at: batches of inputs, ``calibration_images`` samples in all.

        Raises:
            DynasError: the data have fewer.
        """
        samples = first_samples(calibration_inputs(data), self.calibration_images)
        if (count := sum(len(batch[0]) for batch in samples)) < self.calibration_images:
            raise DynasError(
                f"hardware.calibration_images={self.calibration_images}, but the data have {count} samples to "
                f"calibrate on: give hardware.calibration_images={count} or less"
                f"{', or a larger data.calibration_size' if isinstance(data, ClassificationData) else ''}"
            )
        return samples
