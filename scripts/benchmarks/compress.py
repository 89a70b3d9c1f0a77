"""What `dynas compress` chooses beside plain rules and FastNAS of NVIDIA's Model Optimizer, all tuned alike.

    pip install nvidia-modelopt==0.47.0 torchprofile==0.0.4 pulp    # for FastNAS; or --methods without it
    python scripts/benchmarks/compress.py --to outputs/compare

For each embedded example there is one `dynas compress` for all limits. What it found, what both plain rules chose and
what FastNAS found is tuned for as many steps by the same recipe, once per seed, and timed in turns. FastNAS limits
flops: the largest share of flops is looked for, by halving, whose network keeps to the latency. Networks are chosen by
the validation images of `data=fashion_mnist`; top-1 in the table is that of 7,500 others, of Debian's
dataset-fashion-mnist. Rows are kept in compared.csv, so that a stopped benchmark goes on.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from fastnas import NotReachable, fastnas
from numpy.typing import NDArray
from omegaconf import open_dict
from torch import Tensor, nn

import dynas
from dynas.compressing.candidates import read_candidates
from dynas.compressing.job import Job, make_job
from dynas.compressing.tuning import read_tuned
from dynas.data.fashion_mnist import DEBIAN, EMBEDDED, FashionMNIST, Split, join, normalise, read_split
from dynas.metrics.latency import Latency
from dynas.supernet_api import composed
from dynas.supernets.examples import basic_resnet, mobilenet_v2

EXAMPLES = {"basic_resnet": basic_resnet, "mobilenet_v2": mobilenet_v2}
OWN = ("search", "threshold", "uniform")
FASTNAS = "FastNAS"
HARDWARE = "cpu", {"max_seconds": 1}  # of timing, for each network
COLUMNS = ("example", "limit", "method", "seed", "steps", "top-1", "unseen", "latency", "params")
HALVINGS = 6


@dataclass(frozen=True)
class Example:
    """One network and everything that it is compressed, tuned and judged with.

    Attributes:
        name: of the network.
        folder: of its compression.
        job: made as `dynas compress` makes it.
        unseen: images and labels that nothing was chosen by.
    """

    name: str
    folder: Path
    job: Job
    unseen: tuple[Tensor, Tensor]

    @property
    def original(self) -> nn.Module:
        """The network, newly made."""
        return EXAMPLES[self.name]()

    def latencies(self, networks: Sequence[nn.Module]) -> list[float]:
        """Return milliseconds, measured in turns."""
        bench = self.job.measurer.bench
        return [
            reading.value
            for reading in Latency().measure([bench.meter.deploy(deepcopy(one), bench) for one in networks], bench)
        ]


def unseen() -> tuple[Tensor, Tensor]:
    """Return pairs of the test images that are not among the embedded ones, and their labels."""
    everything, known = read_split(DEBIAN, "validation"), read_split(EMBEDDED, "validation")
    embedded = {one.numpy().tobytes() for one in known.images}
    rest = [place for place, one in enumerate(everything.images) if one.numpy().tobytes() not in embedded]
    rng = np.random.default_rng(0)
    columns = np.stack([rng.permutation(len(rest)) for _ in range(2)], axis=1)
    images, labels = join(Split(everything.images[rest], everything.labels[rest], ""), columns)
    return normalise(images), labels


@torch.inference_mode()
def top1(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the percentage of images whose highest logit is at their label."""
    hits = [
        (network(part).argmax(1) == known).sum()
        for part, known in zip(torch.split(images, 250), torch.split(labels, 250), strict=True)
    ]
    return 100 * float(sum(hits)) / len(labels)


def prepared(name: str, arguments: argparse.Namespace) -> Example:
    """Compress an example, unless that was done, and return it."""
    data, folder = FashionMNIST("embedded", 2, 2500, 500), arguments.to / name
    network, images = EXAMPLES[name](), next(iter(FashionMNIST("embedded", 2, 1, 1).calibration_batches()))
    supernet = dynas.elastic(network, images)
    limits = [f"latency<={limit}x" for limit in arguments.limits]
    settings: dict[str, Any] = {
        "tune": arguments.steps,
        "budget": arguments.budget,
        "formats": (),
        "hardware": HARDWARE,
    }
    began = time.perf_counter()
    dynas.compress(supernet, data, limits, folder=folder, resume=folder.exists(), progress=True, **settings)
    print(f"{name}: dynas compress took {(time.perf_counter() - began) / 60:.1f} min", flush=True)
    with composed({"hardware": HARDWARE}, command="compress") as (config, _), open_dict(config):
        config.supernet = {"resolution": list(data.resolution), "weights": "those given", "classes": None}
        config.limit, config.tune = limits, arguments.steps
        return Example(name, folder, make_job(config, data, supernet, folder), unseen())


def share_of_flops(example: Example, limit: float) -> float:
    """Return the largest share of flops whose network keeps to a latency, by halving; read it where it was found."""
    path = example.folder / "fastnas.json"
    known: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
    if str(limit) not in known:
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            try:
                network = pruned(example, middle)
                original_ms, own_ms = example.latencies([example.original, network])
                fits = own_ms <= limit * original_ms
                print(f"{example.name} FastNAS {middle:.3f} of flops: {own_ms / original_ms:.2f}x", flush=True)
            except NotReachable:
                fits = True  # as if: what it reaches is more
            low, high = (middle, high) if fits else (low, middle)
        path.write_text(json.dumps(known | {str(limit): low}))
        return low
    return known[str(limit)]


def pruned(example: Example, share: float) -> nn.Module:
    """Return what FastNAS finds within a share of flops."""
    return fastnas(example.original, example.job.data, share, example.folder / "fastnas.pth")


def tuned(example: Example, limit: float, seed: int, methods: list[str]) -> Iterator[tuple[str, nn.Module]]:
    """Yield, by method, networks after tuning; what `dynas compress` tuned by the first seed is read."""
    tuner = replace(example.job.tuner, seed=seed)
    for one in read_candidates(example.folder) or []:
        if one.limit == f"latency<={limit}x" and set(one.rules) & set(methods):
            first = seed == example.job.tuner.seed
            network = read_tuned(example.folder, one, tuner.supernet) if first else tuner.tuned(one.architecture)
            yield from ((rule, network) for rule in one.rules if rule in methods)
    if FASTNAS in methods:
        try:
            yield FASTNAS, tuner.improved(pruned(example, share_of_flops(example, limit)))
        except NotReachable:
            print(f"{example.name}: FastNAS has nothing within {limit}x", flush=True)


def compare(example: Example, arguments: argparse.Namespace, table: Path) -> None:
    """Tune, judge and time what the table lacks."""
    for seed, limit in product(range(arguments.seeds), arguments.limits):
        done = pd.read_csv(table)
        if ((done.example == example.name) & (done.limit == limit) & (done.seed == seed)).any():
            continue
        found = dict(tuned(example, limit, seed, arguments.methods))
        original_ms, *costs = example.latencies([example.original, *found.values()])
        size = count(example.original)
        with table.open("a") as file:
            for (method, network), ms in zip(found.items(), costs, strict=True):
                qualities = [top1(network, *images) for images in (validation(example), example.unseen)]
                numbers = [f"{one:.4f}" for one in (*qualities, ms / original_ms, count(network) / size)]
                csv.writer(file).writerow([example.name, limit, method, seed, arguments.steps, *numbers])
        print(f"{example.name} {limit}x seed {seed}: {', '.join(found)}", flush=True)


def validation(example: Example) -> tuple[Tensor, Tensor]:
    """Return the images and labels that networks are chosen by."""
    images, labels = zip(*example.job.data.validation_batches(), strict=True)
    return torch.cat(images), torch.cat(labels)


def count(network: nn.Module) -> int:
    """Return the number of parameters."""
    return sum(one.numel() for one in network.parameters())


def picks(rows: pd.DataFrame) -> pd.DataFrame:
    """Return, seed by seed, the row that `dynas compress` keeps: the best on the validation images within the limit.

    Where none is within it any more when it is timed at the end, the best of all.
    """
    own = rows[rows.method.isin(OWN)].assign(beyond=lambda some: some.latency > some.limit)
    ranked = own.sort_values(["beyond", "top-1"], ascending=[True, False])
    return ranked.groupby("seed").head(1).sort_values("seed")


def mean_and_error(values: NDArray[np.float64]) -> str:
    """Return a mean and its standard error."""
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{values.mean():.1f} ± {error:.1f}"


def summarise(example: str, rows: pd.DataFrame, original: float) -> None:
    """Print a table per limit: means over the seeds with standard errors."""
    print(f"\n{example}: the original has {original:.1f} % of the unseen images")
    print("| limit | network | top-1 [%] | lost | dynas compress is ahead by | latency | parameters |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for limit, own in rows.groupby("limit", sort=False):
        best = picks(own)
        for method, some in [("dynas compress", best), *own.groupby("method", sort=False)]:
            some = some.sort_values("seed")
            own_top1 = some.unseen.to_numpy()
            ahead = "" if method == "dynas compress" else mean_and_error(best.unseen.to_numpy() - own_top1)
            cells = [
                f"{limit}x", method, mean_and_error(own_top1), f"{original - own_top1.mean():.1f}", ahead,
                f"{some.latency.mean():.2f}x", f"{some.params.mean():.2f}x",
            ]  # fmt: skip
            print(f"| {' | '.join(cells)} |")


def main() -> None:
    """Compress, tune what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, help="folder of all that is measured")
    parser.add_argument("--examples", nargs="+", choices=list(EXAMPLES), default=list(EXAMPLES))
    parser.add_argument("--limits", nargs="+", type=float, default=[0.5, 0.33], help="shares of the original's latency")
    parser.add_argument("--methods", nargs="+", choices=[*OWN, FASTNAS], default=[*OWN, FASTNAS])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400, help="of tuning")
    parser.add_argument("--budget", type=int, default=60, help="of the search for all limits")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.to.mkdir(parents=True, exist_ok=True)
    table = arguments.to / "compared.csv"
    if not table.exists():
        table.write_text(",".join(COLUMNS) + "\n")
    for name in arguments.examples:
        example = prepared(name, arguments)
        compare(example, arguments, table)
        rows = pd.read_csv(table)
        summarise(name, rows[rows.example == name], top1(example.original, *example.unseen))


if __name__ == "__main__":
    main()
