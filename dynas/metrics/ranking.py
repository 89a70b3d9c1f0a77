"""How high a recommender ranks what its users really chose: HR@k and NDCG@k by leave-one-out.

He et al. 2017 (doi 10.1145/3038912.3052569), section 4.1. Ties are not broken but averaged over (McSherry and Najork
2008, doi 10.1007/978-3-540-78646-7_38): a network that gives all items the same score is as good as chance.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from dynas.core.metric import MeasuredMetric, Reading
from dynas.core.recommendation import RecommendationData, Recommender
from dynas.errors import DynasError
from dynas.metrics.calibration import device_of
from dynas.metrics.threads import side_by_side

if TYPE_CHECKING:
    from dynas.core.bench import Bench

PAIRS = 1024  # pairs of user and item that are scored together; the number decides speed and memory


def places(scores: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many items are ahead of the first one and how many are level with it, each ``(n,)``.

    Args:
        scores: ``(n, items)``, higher is better.
    """
    first, others = scores[:, :1], scores[:, 1:]
    return (others > first).sum(axis=1), (others == first).sum(axis=1)


def hits(scores: NDArray[np.floating], k: int) -> NDArray[np.float64]:
    """Return the chance ``(n,)`` that the first item is among the ``k`` best, where chance decides ties.

    Args:
        scores: ``(n, items)``, higher is better.
        k: length of the list of recommendations.
    """
    ahead, level = places(scores)
    return np.clip((k - ahead) / (level + 1), 0, 1)


def gains(scores: NDArray[np.floating], k: int) -> NDArray[np.float64]:
    """Return the expected gain ``(n,)`` of the first item, 1 / log2(1 + rank) and 0 beyond ``k``; see `hits`."""
    ahead, level = places(scores)
    ranks = np.arange(1, scores.shape[1] + 1)
    upto = np.concatenate([[0], np.cumsum(np.where(ranks <= k, 1 / np.log2(1 + ranks), 0))])
    return np.asarray((upto[ahead + level + 1] - upto[ahead]) / (level + 1))


@torch.inference_mode()
def score(network: Recommender, data: RecommendationData) -> NDArray[np.float32]:
    """Return the scores ``(n, 1 + negatives)`` of all candidates of all ranked users."""
    shape, device = data.candidates.shape, device_of(cast(nn.Module, network))
    users = torch.from_numpy(data.ranked_users).to(device).repeat_interleave(shape[1])
    items = torch.from_numpy(data.candidates).to(device).flatten()
    scores = torch.empty(len(users), device=device)  # made first: pieces kept between batches hinder reuse of memory
    for start in range(0, len(users), PAIRS):
        rows = slice(start, start + PAIRS)
        scores[rows] = network(users[rows], items[rows])
    found: NDArray[np.float32] = scores.view(shape).cpu().numpy()
    return found


class RankingMetric(MeasuredMetric):
    """A figure in percent, averaged over all ranked users.

    Args:
        k: length of the list of recommendations.

    Raises:
        DynasError: the length makes no sense.
    """

    task = "recommendation"
    portable = True

    def __init__(self, k: int) -> None:
        if k < 1:
            raise DynasError(f"a ranking metric needs k of 1 or more, got {k}")
        self.k = k

    @abstractmethod
    def of(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the figure ``(n,)`` of each user, in 0 to 1."""

    def check(self, bench: Bench) -> None:
        """Raise DynasError where data or supernet are not made for recommendation, or do not fit together."""
        data, supernet = cast(RecommendationData, bench.data), bench.supernet
        subnet = supernet.subnet(supernet.space.decode(supernet.space.smallest()))
        if not isinstance(subnet, Recommender):
            raise DynasError(f"supernet '{supernet.name}' recommends nothing: HR@k and NDCG@k need supernet=ncf")
        if subnet.entities != (data.users, data.items):
            users, items = subnet.entities
            raise DynasError(
                f"supernet.users={users} and supernet.items={items}, but the data have {data.users} users and "
                f"{data.items} items: give supernet.users={data.users} supernet.items={data.items} and weights "
                "trained on them"
            )

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Rank the candidates of every user by every sub-network."""
        data = cast(RecommendationData, bench.data)
        return side_by_side(lambda one: Reading(self.average(score(cast(Recommender, one), data))), subnets, data)

    def average(self, scores: NDArray[np.floating]) -> float:
        """Return the figure over all users, NaN where a score is no number."""
        return 100 * float(self.of(scores).mean()) if np.isfinite(scores).all() else np.nan


class HitRate(RankingMetric):
    """HR@k: share of users whose held-out item is among the k best."""

    def of(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return each user's hit ``(n,)``."""
        return hits(scores, self.k)


class Ndcg(RankingMetric):
    """NDCG@k: as HR@k, but the lower a held-out item stands in the list, the less it counts."""

    def of(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return each user's gain ``(n,)``, of at most 1."""
        return gains(scores, self.k)
