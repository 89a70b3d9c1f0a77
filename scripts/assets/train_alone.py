"""Train sub-networks alone, from nothing, and compare them with what they inherit from their supernet.

    python scripts/assets/train_alone.py --to mbv3_alone.csv supernet=mbv3 data=fashion_mnist_full

Arguments besides are overrides of ``dynas train``: the sub-networks are trained by the supernet's own recipe, as many
epochs as its largest. They are the smallest, the largest, and random ones at even ranks of inherited quality among 60.
The table holds a row per sub-network; those that it has are not trained again.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import cast

import numpy as np
import torch
from alone import training_alone
from hydra import compose, initialize_config_dir
from scipy.stats import kendalltau
from torch import nn

from dynas.compose.build import build
from dynas.compose.frames import register
from dynas.compose.parts import build_data, build_supernet
from dynas.compose.problem import build_quality
from dynas.core.metric import MeasuredMetric
from dynas.core.space import Genotypes
from dynas.core.supernet import Supernet
from dynas.system.folders import CONFIGS
from dynas.training.judge import Judge
from dynas.training.ranking import Validation
from dynas.training.steps import TrainingData

DRAWN = 60
COLUMNS = ("key", "macs [MAC]", "epochs", "inherited", "alone")


def chosen(supernet: Supernet, judge: Judge, random: int) -> Genotypes:
    """Return the smallest, the largest, and ``random`` ones at even ranks of what they inherit: ``(2 + random, G)``."""
    genotypes = Validation(DRAWN).genotypes(supernet.space)
    drawn = genotypes[2:][np.argsort(judge.qualities(genotypes[2:]), kind="stable")]
    ranks = ((np.arange(random) + 0.5) / random * DRAWN).astype(int)
    return np.vstack([genotypes[:2], drawn[ranks]])


def quality(judge: Judge, network: nn.Module) -> float:
    """Return how good a network is, measured as a sub-network of its supernet."""
    metric = cast(MeasuredMetric, judge.measurer.metrics[judge.objective.name])
    return metric.measure([network], judge.measurer.bench)[0].value


def main() -> None:
    """Train what the table lacks, then print both qualities and their rank correlation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, help="the table, .csv")
    parser.add_argument("--subnets", type=int, default=6, help="random sub-networks besides the ends")
    parser.add_argument("overrides", nargs="*", help="overrides of dynas train")
    arguments = parser.parse_args()
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train", overrides=arguments.overrides)
        data, supernet, recipe = build_data(config), build_supernet(config), build(config, "recipe")
        judge = Judge(*build_quality(config, supernet, data))
        untrained = build_supernet(compose("train", overrides=[*arguments.overrides, "supernet.weights=random"]))
    assert isinstance(data, TrainingData)
    torch.set_num_threads(config.threads or torch.get_num_threads())
    space, table = supernet.space, arguments.to
    if not table.exists():
        table.write_text(",".join(COLUMNS) + "\n")
    for genotype in chosen(supernet, judge, arguments.subnets):
        key, architecture = space.key(genotype), space.decode(genotype)
        with table.open() as file:
            if any(row["key"] == key and row["epochs"] == str(recipe.epochs) for row in csv.DictReader(file)):
                continue
        network = untrained.subnet(architecture).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        training = training_alone(network, data, recipe, config.seed)
        while training.epochs < recipe.epochs:
            losses = list(training.train_epoch())
            print(f"{key}: epoch {training.epochs}, mean loss {sum(losses) / len(losses):.3f}", flush=True)
        macs = int(supernet.macs(genotype[None])[0])
        inherited, alone = (quality(judge, one) for one in (supernet.subnet(architecture), network.eval()))
        with table.open("a") as file:
            csv.writer(file).writerow([key, macs, recipe.epochs, f"{inherited:.2f}", f"{alone:.2f}"])
    summarise(table)


def summarise(table: Path) -> None:
    """Print the table, and how well inherited quality tells which network is better alone."""
    print(table.read_text(), end="")
    with table.open() as file:
        rows = list({row["key"]: row for row in csv.DictReader(file)}.values())  # of several, that of the last training
    inherited, alone = (np.array([float(row[name]) for row in rows]) for name in ("inherited", "alone"))
    for what, first in (("all", 0), ("without the ends", 2)):
        if len(rows) < first + 2:
            continue
        gap = alone[first:] - inherited[first:]
        tau = kendalltau(inherited[first:], alone[first:]).statistic
        print(
            f"{what}: Kendall tau {tau:.2f}; alone is better by {gap.mean():.1f} ({gap.min():.1f} to {gap.max():.1f})"
        )


if __name__ == "__main__":
    main()
