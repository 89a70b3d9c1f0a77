"""The contracts of recommendation from implicit feedback: its data and its networks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dynas.core.data import Data


class RecommendationData(Data):
    """What users chose, one choice of each held out; the same ones for every sub-network.

    Leave-one-out as in He et al. 2017 (doi 10.1145/3038912.3052569): a network ranks each user's held-out item among
    items that the user never chose.

    Attributes:
        users, items: number of users and items; both are numbered from 0.
        ranked_users: users ``(n,)`` of whom an item is held out.
        candidates: items ``(n, 1 + negatives)`` that are ranked for each of them, the held-out one first.
    """

    task = "recommendation"
    quality = "hr10"
    users: int
    items: int
    ranked_users: NDArray[np.int64]
    candidates: NDArray[np.int64]

    @abstractmethod
    def training_steps(self, batch_size: int) -> int:
        """Return the number of batches of an epoch."""

    @abstractmethod
    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield one epoch of users, items and labels ``(batch_size,)``, 1.0 where chosen and 0.0 where sampled."""


@runtime_checkable
class Recommender(Protocol):
    """A network that scores pairs of user and item, such as `dynas.supernets.neumf.network.NeuMF`."""

    @property
    def entities(self) -> tuple[int, int]:
        """Number of users and items."""
        ...

    def __call__(self, users: Tensor, items: Tensor) -> Tensor:
        """Return the scores ``(N,)`` of users ``(N,)`` with items ``(N,)``."""
        ...
