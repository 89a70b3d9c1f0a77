"""The OpenVINO runtime on the CPU: sub-networks run, are judged and are timed in it, in FP32 or quantised to INT8."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dynas.data.base import ClassificationData
from dynas.errors import DynasError
from dynas.hardware.latency import CpuMeter
from dynas.metrics.accuracy import Top1, recalibrated, sized

if TYPE_CHECKING:
    from dynas.bench import Bench

PACKAGES = ("openvino", "nncf")


class OpenVinoMeter(CpuMeter):
    """Runs sub-networks of images in OpenVINO, one stream at a time, and times them as `CpuMeter` does.

    Each sub-network is re-calibrated, converted and, where its precision is int8, quantised once; all metrics then
    measure that one model.

    Args:
        threads: threads of an inference.
        batch_size, warmup, min_repeats, max_repeats, precision, max_seconds: see `dynas.hardware.latency.CpuMeter`.
        calibration_images: images that quantisation looks at, the first of the data's calibration images.
        bias_correction: whether quantisation corrects biases, which takes two to four times as long.

    Raises:
        DynasError: a package is missing, or a number makes no sense on this machine.
    """

    precisions = ("fp32", "int8")

    def __init__(
        self,
        threads: int,
        batch_size: int,
        warmup: int,
        min_repeats: int,
        max_repeats: int,
        precision: float,
        calibration_images: int,
        bias_correction: bool,
        max_seconds: float = 2.0,
    ) -> None:
        super().__init__(threads, batch_size, warmup, min_repeats, max_repeats, precision, max_seconds)
        if missing := [package for package in PACKAGES if find_spec(package) is None]:
            raise DynasError(f"hardware=openvino needs {' and '.join(missing)}: pip install 'dynas[openvino]'")
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
        """Raise DynasError where the supernet takes no images, or the data have too few to calibrate on."""
        inputs = bench.supernet.example_inputs(1)
        if len(inputs) != 1 or inputs[0].dim() != 4 or not inputs[0].is_floating_point():
            raise DynasError(
                f"hardware=openvino runs supernets of images only, not '{bench.supernet.name}': "
                "choose hardware=cpu, or a supernet such as mbv3"
            )
        if "int8" in bench.precisions:
            self.calibration(bench.data)

    def deploy(self, subnet: nn.Module, bench: Bench) -> nn.Module:
        """Return a sub-network as it runs in OpenVINO, in its own precision or else in that of the bench."""
        from dynas.hardware.openvino_model import CompiledNetwork, convert, quantise

        if Top1 not in getattr(bench.data, "metrics", {}):  # data that model accuracy have no images
            recalibrated(subnet, bench.data)
        model = convert(subnet, *bench.supernet.example_inputs(1, subnet))
        if getattr(subnet, "precision", bench.precision) == "int8":
            model = quantise(model, self.calibration(sized(bench.data, subnet)), self.bias_correction)
        return CompiledNetwork(model, self.settings, getattr(subnet, "resolution", None))

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
