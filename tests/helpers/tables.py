"""A table for ``data=tabulated`` that costs nothing to make."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import build_table
import numpy as np

from dynas.core.objectives import Objective
from dynas.data.tabulated import MODEL, RESULTS, described
from dynas.predictors.features import levels
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.system.files import write_csv

TOP1, LATENCY = Objective("top1", "max", "%"), Objective("latency", "min", "ms")
ROWS = 90


def supernet() -> MobileNetV3Supernet:
    return MobileNetV3Supernet("random", 0.125, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2))


def write_table(folder: Path) -> Path:
    """Write a table in which top-1 follows the logarithm of MACs, and latency MACs."""
    net = supernet()
    genotypes = net.space.sample_distinct(ROWS, np.random.default_rng(0))
    macs = net.macs(genotypes)
    values = np.stack([50 + 10 * np.log10(macs / 1e5), macs / 1e6], axis=1)
    rows = [
        [*map(repr, row.tolist()), json.dumps(net.space.decode(genotype))]
        for row, genotype in zip(values, genotypes, strict=True)
    ]
    write_csv(folder / "results.csv", [TOP1.column, LATENCY.column, "architecture"], rows)
    (folder / RESULTS).write_bytes(lzma.compress((folder / "results.csv").read_bytes()))
    features = levels(net.space, genotypes)
    objectives = {
        one.name: build_table.fitted(one, features, values[:, column]) | {"measured": "measured nowhere"}
        for column, one in enumerate((TOP1, LATENCY))
    }
    model = {
        "task": "classification",
        "quality": "top1",
        "precision": "fp32",
        "meter": {"hardware": "dynas.hardware.cpu.TorchCpuMeter", "batch_size": 32, "threads": 1},
        "variables": described(net.space),
        "objectives": objectives,
    }
    (folder / MODEL).write_text(json.dumps(model))
    return folder
