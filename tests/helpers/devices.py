"""Simulated devices whose latency is a formula, for tests that need to know the truth."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.helpers.cli import ROOT

CODE = '''
import time

import numpy as np

from dynas.core.bench import Meter
from dynas.core.meter import Timing
from dynas.core.metric import MeasuredMetric, Reading


class Device(Meter):
    """Takes first * (first width) + second * (second width) milliseconds, with relative noise."""

    batch_size = 1

    def __init__(self, first, second, noise, pause):
        self.first, self.second, self.noise, self.pause = first, second, noise, pause
        self.rng = np.random.default_rng(5)

    def __call__(self, modules, inputs):
        times = []
        for module in modules:
            time.sleep(self.pause)
            true = self.first * module[1].out_features + self.second * module[3].out_features
            value = float(true * (1 + self.noise * self.rng.standard_normal()))
            times.append(Timing(value, 0.9 * value, 1.1 * value, 7))
        return times


class Area(MeasuredMetric):
    """Product of both widths."""

    def measure(self, subnets, bench):
        return [Reading(float(subnet[1].out_features * subnet[3].out_features)) for subnet in subnets]
'''
DEVICE = "# A simulated device.\n_target_: devices.Device\nfirst: 1.0\nsecond: 1.0\nnoise: 0.0\npause: 0.0\n"
AREA = (
    'area:\n  direction: max\n  unit: "units"\n  bound: null\n  predictor: null\n  metric: {_target_: devices.Area}\n'
)
CONFIGS = ("--config-dir", "configs")
SEARCH = ("supernet=perceptrons", "hardware=device", "objectives=[area,latency]", "data.validation_size=100")
ALL = ("mode=validation", "algo=in_order", "budget=16")  # the whole space of 4 x 4 sub-networks


def write_devices(folder: Path) -> Path:
    """Write a folder of a user's own supernet, algorithm, objective and hardware."""
    shutil.copytree(ROOT / "tests" / "helpers" / "own", folder)
    (folder / "devices.py").write_text(CODE)
    (folder / "configs" / "hardware").mkdir()
    (folder / "configs" / "hardware" / "device.yaml").write_text(DEVICE)
    (folder / "configs" / "objectives" / "area.yaml").write_text(AREA)
    return folder
