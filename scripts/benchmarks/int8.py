"""Measure what the OpenVINO runtime and 8-bit quantisation give, and what they cost.

    python scripts/benchmarks/int8.py [--batch-size 32] [--full-size] [--bias-correction]

Prints, for the smallest and largest sub-networks: the latency of a batch in eager PyTorch, and how many times faster
OpenVINO runs it in FP32 and in INT8 (one thread, all three in turns); megabytes in FP32 and INT8; top-1 and what
INT8 loses of it; CPU seconds of tracing and conversion, of quantisation, and of compilation in FP32 and INT8.
With --full-size, the networks have the public checkpoints' sizes and random weights, and there is no top-1.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from dynas.core.meter import in_torch
from dynas.core.supernet import Supernet
from dynas.data.fashion_mnist import FashionMNIST
from dynas.export.openvino_ir import convert, quantise
from dynas.hardware.openvino import OpenVinoMeter
from dynas.hardware.openvino_model import CompiledNetwork
from dynas.metrics.accuracy import top1
from dynas.metrics.calibration import recalibrated
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.supernets.resnet50 import ResNet50Supernet

Result = TypeVar("Result")
NARROW, FULL = ("embedded", 0.125, (28, 56), 1, 100, 2), ("random", 1.0, (224, 224), 3, 1000, 2)
EMBEDDED: Mapping[str, Callable[[], Supernet]] = {
    "mbv3": lambda: MobileNetV3Supernet(*NARROW, (2, 1, 2, 1, 2)),
    "resnet50": lambda: ResNet50Supernet(*NARROW, (1, 2, 2, 2), 1),
}
FULL_SIZE: Mapping[str, Callable[[], Supernet]] = {
    "mbv3 w1.0": lambda: MobileNetV3Supernet(*FULL, (2, 2, 2, 1, 2)),
    "resnet50 w1.0": lambda: ResNet50Supernet(*FULL, (1, 2, 2, 2), 8),
}


def timed(function: Callable[[], Result]) -> tuple[Result, float]:
    """Return what a function returns and the CPU seconds that it takes."""
    start = time.process_time()
    result = function()
    return result, time.process_time() - start


def measure(subnet: nn.Module, example: Any, meter: OpenVinoMeter, samples: Any) -> tuple[list[nn.Module], list[float]]:
    """Return a network in eager PyTorch, in OpenVINO and quantised; and the CPU seconds that these took."""
    model, converting = timed(lambda: convert(subnet, (example[:1],)))
    quantised, quantising = timed(lambda: quantise(model, samples, meter.bias_correction))
    fp32, int8 = (CompiledNetwork(one, meter.settings) for one in (model, quantised))
    compiling = [timed(partial(network.compiled, (tuple(example.shape),)))[1] for network in (fp32, int8)]
    return [in_torch(subnet), fp32, int8], [converting, quantising, *compiling]


def row(supernet: Supernet, which: str, meter: OpenVinoMeter, data: FashionMNIST | None) -> list[str]:
    """Return the cells of one sub-network."""
    subnet = supernet.subnet(supernet.space.decode(getattr(supernet.space, which)()))
    (example,) = supernet.example_inputs(meter.batch_size, subnet)
    noise = supernet.example_inputs(meter.calibration_images, subnet)
    samples = [noise] if data is None else meter.calibration(data)
    if data is not None:
        recalibrated(subnet, data)
    networks, seconds = measure(subnet, example, meter, samples)
    eager, fp32, int8 = (latency.median_ms for latency in meter(networks, [(example,)] * 3))
    sizes = [network.weight_bytes / 1e6 for network in networks[1:] if isinstance(network, CompiledNetwork)]
    cells = [f"{eager:.2f}", f"{eager / fp32:.2f}", f"{eager / int8:.2f}", *(f"{size:.3g}" for size in sizes)]
    if data is not None:
        before, after = (top1(network, data.validation_batches()) for network in networks[1:])
        cells += [f"{before:.2f}", f"{before - after:+.2f}"]
    return cells + [f"{second:.2f}" for second in seconds]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-size", type=int, default=32, help="images per forward pass")
    parser.add_argument("--full-size", action="store_true", help="networks of ImageNet's size with random weights")
    parser.add_argument("--bias-correction", action="store_true", help="let NNCF correct biases")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    images = 8 if arguments.full_size else 64
    meter = OpenVinoMeter(1, arguments.batch_size, 3, 12, 40, 0.02, images, arguments.bias_correction)
    data = None if arguments.full_size else FashionMNIST("embedded", 2, 2500, 500)
    table = Table(title=f"batches of {arguments.batch_size}, {images} images to calibrate on")
    quality = () if data is None else ("top-1 %", "INT8 loses")
    names = ("supernet", "sub-network", "eager ms", "FP32 x", "INT8 x", "FP32 MB", "INT8 MB", *quality)
    for name in (*names, "convert s", "quantise s", "compile FP32 s", "compile INT8 s"):
        table.add_column(name, justify="left" if name.startswith("su") else "right")
    for name, make in (FULL_SIZE if arguments.full_size else EMBEDDED).items():
        supernet = make()
        for which in ("smallest", "largest"):
            table.add_row(name, which, *row(supernet, which, meter, data))
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
