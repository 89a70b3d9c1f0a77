"""Several Gaussian processes, averaged by how well each predicts examples that it did not see."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.errors import DynasError, one_of
from dynas.predictors.gp import GaussianProcess

NEGLIGIBLE = 0.01  # weight below which a process is not asked
Genes = NDArray[np.int64]
PROCESSES: dict[str, Callable[[int, Genes | None], GaussianProcess]] = {
    "shared": lambda iterations, genes: GaussianProcess(iterations),
    "by_gene": GaussianProcess,
}


class GaussianProcessAverage:
    """Averages Gaussian processes, weighted by their leave-one-out densities (Yao et al. 2018, pseudo-BMA).

    Weights are softmax of the sum of log densities of all examples, each by the others (doi 10.1214/17-BA1091, section
    3.4). What one sees as a smooth change of totals, the other may see as single options that work together.

    Beyond ``most`` examples it is a local model, told those of the best fronts alone: its cost grows with their cube,
    and what is chosen lies there.

    Args:
        processes: keys of `PROCESSES`: ``shared`` has one length scale for all features, ``by_gene`` one for each gene.
        iterations: see `GaussianProcess`.

    Attributes:
        most: examples that it wants at most (see `dynas.core.predictor.LocalPredictor`).
        genes: of each feature, the gene whose option it tells, or -1; None: ``by_gene`` cannot take part.
        weights: of the processes, in their order.
    """

    most = 2000

    def __init__(self, processes: Sequence[str] = ("shared", "by_gene"), iterations: int = 40) -> None:
        if not processes:
            raise DynasError("predictor.processes needs one name at least")
        if unknown := [name for name in processes if name not in PROCESSES]:
            raise one_of("predictor.processes", unknown[0], PROCESSES)
        GaussianProcess(iterations)
        self._names, self._iterations = tuple(processes), iterations
        self.genes: Genes | None = None
        self.weights = np.ones(0)

    def fit(self, features: Values, target: Values) -> None:
        """Learn from features ``(n, D)`` and values ``(n,)``."""
        grouped = self.genes is not None and bool((self.genes >= 0).any())
        names = [name for name in self._names if grouped or name != "by_gene"] or ["shared"]
        self._processes = [PROCESSES[name](self._iterations, self.genes) for name in names]
        densities = []
        for process in self._processes:
            process.fit(features, target)
            densities.append(process.log_density())
        weights = np.exp(np.array(densities) - max(densities))
        weights[weights < NEGLIGIBLE * weights.sum()] = 0.0
        self.weights = weights / weights.sum()

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        return np.asarray(sum(weight * process.predict(features) for weight, process in self._asked()))

    def std(self, features: Values) -> Values:
        """Return the standard deviation ``(n,)`` of what `predict` says, their disagreement included."""
        asked = self._asked()
        if len(asked) == 1:
            return asked[0][1].std(features)
        weights = np.array([weight for weight, _ in asked])[:, None]
        means = np.stack([process.predict(features) for _, process in asked])
        deviations = np.stack([process.std(features) for _, process in asked])
        centre = (weights * means).sum(axis=0)
        return np.asarray(np.sqrt((weights * (deviations**2 + (means - centre) ** 2)).sum(axis=0)))

    def sample(self, features: Values, draws: int, rng: np.random.Generator) -> Values:
        """Return ``draws`` joint samples ``(draws, n)``, each by a process that is drawn by its weight."""
        counts = rng.multinomial(draws, self.weights)
        drawn = [
            process.sample(features, int(count), rng)
            for count, process in zip(counts, self._processes, strict=True)
            if count
        ]
        return rng.permutation(np.concatenate(drawn), axis=0)

    def left_out(self) -> Values:
        """Return the prediction ``(n,)`` of each example by the others."""
        return np.asarray(sum(weight * process.left_out() for weight, process in self._asked()))

    def _asked(self) -> list[tuple[float, GaussianProcess]]:
        return [(float(w), one) for w, one in zip(self.weights, self._processes, strict=True) if w > 0]
