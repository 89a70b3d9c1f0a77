"""Compare the latencies of eager PyTorch, ONNX Runtime and OpenVINO on the same sub-networks.

    python scripts/benchmarks/runtimes.py [--supernet mbv3] [--batch-size 32] [--examples 20]

Prints, for each supernet: how many times faster each runtime is than eager (median, smallest and largest ratio over
random sub-networks and both ends of the space), how alike each two targets rank the sub-networks (Kendall tau), and CPU
seconds per sub-network for conversion, comparison with torch and compilation. Everything runs on one thread in
interleaved rounds and is timed in CPU time, which other processes disturb less than wall time.
"""

import argparse
import time
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from rich.console import Console
from rich.table import Table
from scipy.stats import kendalltau
from torch import Tensor, nn

from dynas.compose.build import build
from dynas.compose.frames import register
from dynas.core.meter import in_torch
from dynas.core.objectives import Values
from dynas.core.supernet import Supernet
from dynas.hardware.onnxruntime import OnnxRuntimeMeter
from dynas.hardware.openvino import OpenVinoMeter
from dynas.hardware.runtime import RuntimeMeter
from dynas.system.folders import CONFIGS

ROUNDS = 25


def cpu_milliseconds(modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> Values:
    """Return the median CPU time ``(n,)`` of a forward pass of each module, measured in turns."""
    rng = np.random.default_rng(0)
    times = np.empty((ROUNDS, len(modules)))
    with torch.inference_mode():
        for number in range(-1, ROUNDS):  # the first round warms up
            for index in rng.permutation(len(modules)):
                modules[index](*inputs[index])  # back into the caches
                start = time.process_time_ns()
                modules[index](*inputs[index])
                times[max(number, 0), index] = (time.process_time_ns() - start) / 1e6
    medians: Values = np.median(times, axis=0)
    return medians


def targets(batch_size: int) -> dict[str, RuntimeMeter]:
    """Return the runtimes."""
    shared = (1, batch_size, 0, 2, 2, 1.0)
    return {"ONNX Runtime": OnnxRuntimeMeter(*shared), "OpenVINO": OpenVinoMeter(*shared, 64, bias_correction=False)}


def latencies(supernet: Supernet, examples: int, batch_size: int) -> tuple[dict[str, Values], dict[str, float]]:
    """Return the latencies ``(n,)`` on each target in CPU milliseconds, and CPU seconds to get there."""
    space = supernet.space
    genotypes = np.vstack([space.smallest(), space.largest(), space.sample(examples, np.random.default_rng(0))])
    found: dict[str, list[float]] = {}
    spent: dict[str, list[float]] = {}
    for genotype in genotypes:
        subnet = supernet.subnet(space.decode(genotype))
        inputs = supernet.example_inputs(batch_size, subnet)
        networks: dict[str, nn.Module] = {}
        for name, meter in targets(batch_size).items():
            start = time.process_time()
            networks[name] = meter.port(subnet, inputs)
            spent.setdefault(name, []).append(time.process_time() - start)
        networks = {"eager": in_torch(subnet)} | networks
        medians = cpu_milliseconds(list(networks.values()), [inputs] * len(networks))
        for name, median in zip(networks, medians, strict=True):
            found.setdefault(name, []).append(float(median))
    return (
        {name: np.array(values) for name, values in found.items()},
        {name: float(np.mean(values)) for name, values in spent.items()},
    )


def main() -> None:
    """Print a table per supernet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--supernet", nargs="+", default=["mbv3"], help="options of the config group supernet")
    parser.add_argument("--batch-size", nargs="+", type=int, default=[1, 32], help="samples per forward pass")
    parser.add_argument("--examples", type=int, default=20, help="random sub-networks")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    register()
    table = Table(title=f"{arguments.examples} random sub-networks, the smallest and the largest; CPU time, one thread")
    for name in ("supernet", "batch", "target", "times faster than eager", "CPU s to convert", "Kendall tau with"):
        table.add_column(name)
    for supernet_name in arguments.supernet:
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            supernet = build(compose("search", overrides=[f"supernet={supernet_name}"]), "supernet")
        for batch_size in arguments.batch_size:
            found, spent = latencies(supernet, arguments.examples, batch_size)
            taus = {
                frozenset(pair): kendalltau(*(found[one] for one in pair)).statistic for pair in combinations(found, 2)
            }
            for name in spent:
                ratios = found["eager"] / found[name]
                shown = f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"
                alike = ", ".join(f"{other} {taus[frozenset((name, other))]:.3f}" for other in found if other != name)
                table.add_row(supernet_name, str(batch_size), name, shown, f"{spent[name]:.2f}", alike)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
