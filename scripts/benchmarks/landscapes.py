"""Deterministic landscapes on which searches can be compared: an evaluation costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial

import numpy as np
from hydra import compose, initialize_config_dir

import synthetic
from dynas.compose.frames import register
from dynas.compose.problem import build_problem
from dynas.core.evaluation import Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.objectives import Values, losses
from dynas.core.problem import Problem
from dynas.core.space import Genotypes
from dynas.executors.serial import Serial
from dynas.system.folders import CONFIGS
from landscape import Landscape


def landscape(name: str) -> Landscape:
    """Return the landscape of a name in `LANDSCAPES`."""
    return LANDSCAPES[name]()


def between_corners(problem: Problem, values: Callable[[Genotypes], Values]) -> Landscape:
    """Return a landscape whose reference is the worse of its smallest and largest sub-network in each objective."""
    corners = np.stack([problem.space.smallest(), problem.space.largest()])
    return Landscape(problem, values, losses(problem.objectives, values(corners)).max(axis=0))


def composed(*overrides: str) -> tuple[Problem, Callable[[Genotypes], Iterator[Measurement]]]:
    """Return the problem of a config and what measures it."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        problem, bench = build_problem(compose("search", overrides=list(overrides)))
    return problem, bench.measure


def measured(*overrides: str) -> Landscape:
    """Return the landscape of a config's own measurements, each made once per process."""
    problem, measure = composed(*overrides)
    known: dict[bytes, tuple[float, ...]] = {}

    def values(genotypes: Genotypes) -> Values:
        missing = {row.tobytes(): row for row in genotypes if row.tobytes() not in known}
        if missing:
            answers = measure(np.array(list(missing.values())))
            known.update((token, answer.values) for token, answer in zip(missing, answers, strict=True))
        return np.array([known[row.tobytes()] for row in genotypes])

    return between_corners(problem, values)


MODELLED = ("supernet=mbv3", "data=imagenet_surrogate")
TABULATED = ("data=tabulated",)
LANDSCAPES: dict[str, Callable[[], Landscape]] = {
    "note10": partial(measured, *MODELLED, "hardware=note10", "objectives=[top1,latency]"),
    "macs": partial(measured, *MODELLED, "objectives=[top1,macs]"),
    "three": partial(measured, *MODELLED, "hardware=note10", "objectives=[top1,latency,params]"),
    "bound": partial(
        measured, *MODELLED, "hardware=note10", "objectives=[top1,latency]", "objectives.latency.bound=35"
    ),
    "rugged": synthetic.rugged,
    "unordered": synthetic.unordered,
    "nk2": partial(synthetic.nk, 2),
    "nk4": partial(synthetic.nk, 4),
    "ordered": synthetic.ordered,
    "dominant": synthetic.dominant,
    "noisy": synthetic.noisy,
    "tight": synthetic.tight,
    "large": synthetic.large,
    "four": synthetic.four,
    "mbv3": partial(measured, "supernet=mbv3", *TABULATED, "data.path=mbv3", "objectives=[top1,macs]"),
    "transformer": partial(measured, "supernet=transformer", *TABULATED, "data.path=transformer"),
    "resnet50": partial(measured, "supernet=resnet50", *TABULATED, "data.path=resnet50"),
    "vit": partial(measured, "supernet=vit", *TABULATED, "data.path=vit"),
    "bert": partial(measured, "supernet=bert", *TABULATED, "data.path=bert"),
    "choices": partial(measured, "supernet=ncf", *TABULATED, "data.path=ncf"),
    "ncf": partial(measured, "supernet=ncf_movielens", "objectives=[hr10,macs]"),
}


@lru_cache(maxsize=1)
def kept(name: str) -> Landscape:
    """Return a landscape, and the same one again while no other is asked for."""
    return landscape(name)


def evaluator(one: Landscape, budget: int) -> Evaluator:
    """Return what measures a landscape so many times."""
    return Evaluator(one.problem, Serial(one.measure), budget)
