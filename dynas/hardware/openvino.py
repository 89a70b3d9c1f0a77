"""The OpenVINO runtime on the CPU: sub-networks run, are judged and are timed in it, in FP32 or quantised to INT8."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from dynas.core.data import ClassificationData
from dynas.core.supernet import precision_of, resolution_of
from dynas.errors import DynasError
from dynas.export.network import BATCH, Tensors
from dynas.hardware.runtime import RuntimeMeter
from dynas.metrics.calibration import sized

if TYPE_CHECKING:
    from dynas.core.bench import Bench
    from dynas.hardware.openvino_model import CompiledNetwork


class OpenVinoMeter(RuntimeMeter):
    """Runs networks in OpenVINO, one stream at a time; those of images whose precision is int8 are quantised.

    Args:
        threads: threads of an inference.
        batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds: see `dynas.hardware.latency.CpuMeter`.
        calibration_images: images that quantisation looks at, the first of the data's calibration images.
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
        """Raise DynasError where nothing runs here, or sub-networks in int8 have no images to calibrate on."""
        super().check(bench)
        if "int8" not in bench.precisions:
            return
        inputs = bench.supernet.example_inputs(1)
        if len(inputs) != 1 or inputs[0].dim() != 4:
            raise DynasError(f"precision=int8 quantises networks of images only, not '{bench.supernet.name}'")
        self.calibration(cast(ClassificationData, bench.data))

    def convert(self, module: nn.Module, inputs: Tensors, free: Sequence[str] = (BATCH,)) -> CompiledNetwork:
        """Return a module in eval mode as a network of this runtime whose inputs are free in leading dimensions."""
        from dynas.hardware.openvino_model import CompiledNetwork, convert

        return CompiledNetwork(convert(module, inputs, free), self.settings, resolution_of(module))

    def deploy(self, subnet: nn.Module, bench: Bench) -> nn.Module:
        """Return a sub-network as it runs in OpenVINO, in its own precision or else in that of the bench."""
        from dynas.hardware.openvino_model import CompiledNetwork, quantise

        network = super().deploy(subnet, bench)
        if precision_of(subnet, bench.precision) != "int8":
            return network
        assert isinstance(network, CompiledNetwork)
        images = self.calibration(sized(cast(ClassificationData, bench.data), subnet))
        return CompiledNetwork(quantise(network.model, images, self.bias_correction), self.settings, network.resolution)

    def calibration(self, data: ClassificationData) -> Tensor:
        """Return the images ``(calibration_images, C, H, W)`` that quantisation looks at.

        Raises:
            DynasError: the data have fewer.
        """
        images = first_images(data.calibration_batches(), self.calibration_images)
        if len(images) < self.calibration_images:
            raise DynasError(
                f"hardware.calibration_images={self.calibration_images}, but the data have {len(images)} images to "
                f"calibrate on: give hardware.calibration_images={len(images)} or less, or a larger "
                "data.calibration_size"
            )
        return images


def first_images(batches: Iterable[Tensor], count: int) -> Tensor:
    """Return the first ``count`` images of batches ``(n, C, H, W)``, or all where there are fewer."""
    taken: list[Tensor] = []
    for batch in batches:
        taken.append(batch[:count])
        count -= len(taken[-1])
        if count == 0:
            break
    return torch.cat(taken)
