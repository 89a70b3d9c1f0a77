"""Measure how long the extraction of a sub-network takes, next to making its layers in the ordinary way first.

    python scripts/benchmarks/extraction.py [--repeats 20]

Prints, per supernet and for its smallest and largest sub-network: megabytes of weights; CPU milliseconds of `subnet`
on one thread; the same where convolutions draw initial weights before the trained ones are copied into them (torch's
default); and the ratio of the two. Medians, both ways in turns.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from dynas.supernets.layers import BlankConv2d
from dynas.supernets.mbconv.supernet import MBConvSupernet
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.supernets.proxyless import ProxylessSupernet

IMAGENET = ((224, 224), 3, 1000, 2)  # resolution, channels, classes, stride of the stem
SUPERNETS: dict[str, Callable[[], MBConvSupernet]] = {
    "mbv3 w1.0": lambda: MobileNetV3Supernet("random", 1.0, *IMAGENET, (2, 2, 2, 1, 2)),
    "mbv3 w1.2": lambda: MobileNetV3Supernet("random", 1.2, *IMAGENET, (2, 2, 2, 1, 2)),
    "proxyless w1.3": lambda: ProxylessSupernet("random", 1.3, *IMAGENET, (2, 2, 2, 1, 2, 1)),
}


def blank(self: nn.Conv2d) -> None:
    """Leave a convolution without initial weights, as `BlankConv2d` does."""


def milliseconds(function: Callable[[], Any]) -> float:
    """Return the CPU time of one call."""
    start = time.process_time()
    function()
    return 1e3 * (time.process_time() - start)


def both_ways(extract: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Return the median milliseconds of an extraction without and with initial weights, taken in turns."""
    times: list[tuple[float, float]] = []
    for _ in range(repeats + 1):
        row = []
        for reset in (blank, nn.Conv2d.reset_parameters):
            BlankConv2d.reset_parameters = reset  # type: ignore[method-assign]
            row.append(milliseconds(extract))
        times.append((row[0], row[1]))
    ours, plain = np.median(times[1:], axis=0)  # the first one warms up
    return float(ours), float(plain)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20, help="extractions per sub-network and way")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = Table(
        "supernet", "sub-network", *("MB", "CPU ms", "plain CPU ms", "ratio"), title="extraction of a sub-network"
    )
    for name, make in SUPERNETS.items():
        supernet = make()
        for which in ("smallest", "largest"):
            architecture = supernet.space.decode(getattr(supernet.space, which)())
            size = sum(4 * value.numel() for value in supernet.subnet(architecture).state_dict().values()) / 1e6
            ours, plain = both_ways(lambda net=supernet, one=architecture: net.subnet(one), arguments.repeats)  # type: ignore[misc]
            table.add_row(name, which, f"{size:.1f}", f"{ours:.1f}", f"{plain:.1f}", f"{plain / ours:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
