"""The original and all tuned candidates beside each other: how good, how fast, how large."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dynas.compressing.candidates import Candidate
from dynas.core.activity import doing
from dynas.core.data import ClassificationData
from dynas.core.metric import CountedMetric, MeasuredMetric
from dynas.core.space import Architecture
from dynas.errors import DynasError
from dynas.metrics.calibration import device_of, sized
from dynas.metrics.measurer import Measurer
from dynas.system.files import from_json, write_atomic

FILE = "compared.json"
ORIGINAL = "original"


@dataclass(frozen=True)
class Compared:
    """A network in the final comparison.

    Attributes:
        name: of the candidate, or ``original``.
        quality: top-1 in percent; of images without labels, agreement.
        error: its standard error, from the number of images.
        lost: how many points of it the original has more, on the same images.
        lost_error: standard error of that.
        agreement: share of images that it puts into the same class as the original, in percent.
        costs: by objective, what it costs.
    """

    name: str
    quality: float
    error: float
    lost: float
    lost_error: float
    agreement: float
    costs: Mapping[str, float]


def compare(
    measurer: Measurer,
    original: Architecture,
    candidates: Sequence[Candidate],
    tuned: Sequence[nn.Module],
    folder: Path,
) -> list[Compared]:
    """Measure all networks as they are deployed, the original first, and write compared.json; read it where it is.

    Args:
        measurer: its metrics are the costs.
        original: the network that all are made from.
        candidates: who was tuned.
        tuned: their modules.
        folder: of the compression.
    """
    names = [ORIGINAL, *(one.name for one in candidates)]
    known = read_compared(folder)
    if known is not None and [one.name for one in known] == names:
        return known
    bench, supernet = measurer.bench, measurer.bench.supernet
    with doing("comparing with the original"):
        modules = [supernet.subnet(original), *map(deepcopy, tuned)]
        modules = [bench.meter.deploy(module, bench) for module in modules]
        answers = told(modules, cast(ClassificationData, bench.data))
        costs = costs_of(measurer, modules, [original, *(one.architecture for one in candidates)])
    found = [judged(name, answer, answers[0], cost) for name, answer, cost in zip(names, answers, costs, strict=True)]
    write_atomic(folder / FILE, json.dumps([asdict(one) for one in found], indent=2) + "\n")
    return found


def costs_of(
    measurer: Measurer, modules: Sequence[nn.Module], architectures: Sequence[Architecture]
) -> list[dict[str, float]]:
    """Return what deployed networks cost by objective, timed in turns."""
    bench, supernet = measurer.bench, measurer.bench.supernet
    genotypes = supernet.space.canonical(np.stack(list(map(supernet.space.encode, architectures))))
    costs = {}
    for name, metric in measurer.metrics.items():
        if isinstance(metric, CountedMetric):
            costs[name] = [float(value) for value in metric.count(supernet, genotypes)]
        elif isinstance(metric, MeasuredMetric):
            costs[name] = [reading.value for reading in metric.measure(modules, bench)]
    return [{name: values[place] for name, values in costs.items()} for place in range(len(modules))]


def told(modules: Sequence[nn.Module], data: ClassificationData) -> list[Answers]:
    """Return what networks answer; where nobody knows the labels, the first one's answers are right."""
    answers = [classes_of(module, data) for module in modules]
    if data.labelled:
        return answers
    wanted, _ = answers[0]
    return [(classes, classes == wanted) for classes, _ in answers]


Answers = tuple[NDArray[np.int64], NDArray[np.bool_]]  # classes (n,) of the images, and whether these are right


@torch.inference_mode()
def classes_of(network: nn.Module, data: ClassificationData) -> Answers:
    """Return the class that a network gives each validation image, and whether it is that of the label."""
    device, found, right = device_of(network), [], []
    for images, labels in sized(data, network).validation_batches():
        found.append(network(images.to(device)).argmax(1).cpu())
        right.append(found[-1] == labels)
    return torch.cat(found).numpy(), torch.cat(right).numpy()


def judged(name: str, answers: Answers, original: Answers, costs: Mapping[str, float]) -> Compared:
    """Return how good a network is and how it differs from the original, with standard errors over the images."""
    (classes, right), (wanted, before) = answers, original
    lost = before.astype(float) - right
    root = math.sqrt(len(right))
    return Compared(
        name,
        100 * float(right.mean()),
        100 * float(right.std()) / root,
        100 * float(lost.mean()),
        100 * float(lost.std()) / root,
        100 * float((classes == wanted).mean()),
        costs,
    )


def read_compared(folder: Path) -> list[Compared] | None:
    """Return what compared.json holds, None where there is none; raise DynasError for one that is damaged."""
    try:
        entries: list[Mapping[str, Any]] = from_json((folder / FILE).read_text(encoding="utf-8"))
        return [Compared(**one) for one in entries]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DynasError(f"'{folder / FILE}' is damaged ({error}): remove it, so that it is made again") from error
