"""How a supernet in training ranks its sub-networks: where the middle lies, and whether quality follows cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Objective, Values
from dynas.core.space import Genotypes, SearchSpace
from dynas.errors import DynasError


@dataclass(frozen=True)
class Validation:
    """When sub-networks are measured during a training, and when it ends by that.

    Attributes:
        subnets: random sub-networks that are measured besides the smallest and the largest; 0: nothing is measured.
        every: epochs between two measurements.
        patience: measurements in a row, after the last variable has become elastic, without a better median after
            which the training ends; None: it goes through all epochs.
    """

    subnets: int
    every: int = 1
    patience: int | None = None

    def __post_init__(self) -> None:
        whole = all(type(number) is int for number in (self.subnets, self.every, self.patience or 0))
        if not whole or self.subnets < 0 or self.every < 1 or (self.patience is not None and self.patience < 1):
            raise DynasError(
                f"validation.subnets={self.subnets} validation.every={self.every} validation.patience={self.patience}: "
                "give 0 or more sub-networks, 1 or more epochs, and a patience of 1 or more or null"
            )
        if self.patience is not None and self.subnets == 0:
            raise DynasError(
                f"validation.patience={self.patience} needs something to be measured: give validation.subnets=20"
            )

    def due(self, epoch: int, epochs: int) -> bool:
        """Return whether sub-networks are measured after so many ``epoch`` of ``epochs``."""
        return self.subnets > 0 and (epoch % self.every == 0 or epoch == epochs)

    def exhausted(self, curve: Sequence[Mapping[str, float]], objective: Objective, since: int) -> bool:
        """Return whether the training ends early.

        Args:
            curve: what was seen after each epoch; where sub-networks were measured, their ``median`` among it.
            objective: what was measured.
            since: number of the epoch in which the last variable has become elastic, counted from 1.
        """
        medians = [row["median"] for row in curve if "median" in row and row["epoch"] >= since]
        if self.patience is None or len(medians) <= self.patience:
            return False
        gains = -objective.sign * np.array(medians)
        return bool(gains[-self.patience :].max() <= gains[: -self.patience].max())

    def genotypes(self, space: SearchSpace) -> Genotypes:
        """Return the smallest, the largest and always the same random sub-networks: ``(2 + subnets, G)``."""
        random = space.sample(self.subnets, np.random.default_rng(0))
        return np.vstack([space.smallest(), space.largest(), random])


@dataclass(frozen=True)
class Ranking:
    """Qualities of a supernet's sub-networks, in the unit of their objective.

    Attributes:
        smallest, largest: those of the ends.
        median: that of the random ones.
        worse: share of the random ones that are worse than the smallest, in percent.
        tau: Kendall's rank correlation (tau-b) of MACs and quality among the random ones; NaN where they are all alike.
    """

    smallest: float
    median: float
    largest: float
    worse: float
    tau: float

    @property
    def way(self) -> float:
        """How far the median lies from the smallest to the largest, in percent; NaN where these are alike."""
        span = self.largest - self.smallest
        return 100 * (self.median - self.smallest) / span if span else float("nan")


def rank(qualities: Values, macs: NDArray[np.int64], objective: Objective) -> Ranking:
    """Return how sub-networks rank.

    Args:
        qualities: ``(2 + n,)`` of the smallest, the largest and n random ones.
        macs: ``(2 + n,)`` multiply-accumulates of the same.
        objective: what the qualities are.
    """
    from scipy.stats import kendalltau

    random, gains = qualities[2:], -objective.sign * qualities
    alike = len(np.unique(random)) < 2
    tau = float("nan") if alike else float(kendalltau(macs[2:], gains[2:], nan_policy="omit").statistic)
    worse = 100 * float(np.mean(gains[2:] < gains[0]))
    return Ranking(float(qualities[0]), float(np.nanmedian(random)), float(qualities[1]), worse, tau)
