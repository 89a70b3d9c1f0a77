"""MORBO (Daulton et al. 2022, arXiv:2109.10964) with BoTorch: trust regions that share one front, by Thompson sampling.

Three regions instead of five, as evaluations are few. Genes are scaled to 0 to 1 and rounded; a sampled value beyond a
bound gains nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.models import ModelListGP, SingleTaskGP
from botorch.models.transforms import Standardize
from botorch.utils.multi_objective.box_decompositions.non_dominated import FastNondominatedPartitioning
from gpytorch.mlls import SumMarginalLogLikelihood
from numpy.typing import NDArray
from torch import Tensor

from dynas.core.evaluator import Evaluator
from dynas.core.objectives import Values
from dynas.core.pareto import hypervolume

REGIONS, CANDIDATES, PERTURBED = 3, 512, 20  # candidates per region, genes that one changes on average
START, SHORTEST, LONGEST = 0.8, 0.01, 1.6  # edge of a region
SUCCESSES, FAILURES = 3, 3  # rounds in a row after which an edge is doubled or halved


@dataclass
class Region:
    """Where one local model looks: its edge, and how many rounds in a row gained something or nothing."""

    edge: float = START
    successes: int = 0
    failures: int = 0

    def told(self, gained: bool) -> None:
        """Grow after gains, shrink after none; begin anew where it is too small."""
        self.successes, self.failures = (self.successes + 1, 0) if gained else (0, self.failures + 1)
        if self.successes == SUCCESSES:
            self.edge, self.successes = min(2 * self.edge, LONGEST), 0
        elif self.failures == FAILURES:
            self.edge, self.failures = self.edge / 2, 0
        if self.edge < SHORTEST:
            self.edge = START


class Morbo:
    """The state of one search.

    Args:
        evaluate: counts evaluations.
        seed: of all random choices.
        batch_size: evaluations of a round.
    """

    def __init__(self, evaluate: Evaluator, seed: int, batch_size: int) -> None:
        self.evaluate, self.batch_size, self.rng = evaluate, batch_size, np.random.default_rng(seed)
        self.regions = [Region() for _ in range(REGIONS)]
        self.top = np.maximum(evaluate.problem.space.cardinality - 1, 1)
        objectives = evaluate.problem.objectives
        bounds = [np.inf if one.bound is None else one.sign * one.bound for one in objectives]
        self.lowest = -torch.tensor(bounds, dtype=torch.double)  # gains that keep to the bounds
        evaluate(evaluate.problem.space.sample_distinct(2 * batch_size, self.rng))

    def round(self) -> None:
        """Choose a batch, region by region in turns, and measure it."""
        measured = self.evaluate.measured.losses
        worst = measured.max(axis=0) + 0.1 * np.ptp(measured, axis=0)
        losses = self.kept(worst)
        count = min(self.batch_size, self.evaluate.remaining)
        centres = self.centres(losses, worst)
        drawn = [self.drawn(region, centre) for region, centre in zip(self.regions, centres, strict=True)]
        chosen, owner = self.chosen(drawn, losses, worst, count)
        self.evaluate(np.array(chosen))
        volume = hypervolume(losses, worst)
        added = self.kept(worst)[len(losses) :]
        for place, region in enumerate(self.regions):
            own = added[[one == place for one in owner[: len(added)]]]
            region.told(bool(len(own)) and hypervolume(np.vstack([losses, own]), worst) > volume * (1 + 1e-6))

    def kept(self, worst: Values) -> Values:
        """Return the losses of all rows, those beyond a bound as bad as the reference."""
        measured = self.evaluate.measured
        return np.where(measured.violation[:, None] > 0, worst, measured.losses)

    def centres(self, losses: Values, worst: Values) -> list[int]:
        """Return the rows without which most hypervolume would be lost, one for each region."""
        volume = hypervolume(losses, worst)
        lost = [volume - hypervolume(np.delete(losses, row, axis=0), worst) for row in range(len(losses))]
        return [int(row) for row in np.argsort(lost, kind="stable")[::-1][: len(self.regions)]]

    def drawn(self, region: Region, centre: int) -> tuple[NDArray[np.int64], Tensor]:
        """Return new candidates ``(n, G)`` around a row, and a draw of their gains ``(q, n, M)`` for each choice."""
        measured = self.evaluate.measured
        inputs = measured.genotypes / self.top
        middle = inputs[centre]
        away = np.abs(inputs - middle)
        local = max(2 * self.batch_size, int((away.max(axis=1) <= region.edge).sum()))
        near = np.argsort(away.max(axis=1) + 1e-3 * away.mean(axis=1), kind="stable")[:local]
        x, gains = torch.tensor(inputs[near]), torch.tensor(-measured.losses[near])
        model = ModelListGP(*(SingleTaskGP(x, one[:, None], outcome_transform=Standardize(1)) for one in gains.T))
        fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
        low, high = np.clip(middle - region.edge / 2, 0, 1), np.clip(middle + region.edge / 2, 0, 1)
        moved = self.rng.uniform(low, high, size=(CANDIDATES, len(middle)))
        kept = self.rng.random(moved.shape) >= min(1.0, PERTURBED / len(middle))
        genes = np.rint(np.where(kept, middle, moved) * self.top).astype(np.int64)
        space = self.evaluate.problem.space
        rows = np.unique(space.canonical(genes), axis=0)
        seen = {row.tobytes() for row in measured.genotypes}
        rows = rows[[row.tobytes() not in seen for row in rows]]
        if not len(rows):  # it has become too small
            region.edge = START
            return self.drawn(region, centre)
        with torch.no_grad():
            posterior = model.posterior(torch.tensor(rows / self.top))
            return rows, posterior.rsample(torch.Size([self.batch_size]))

    def chosen(
        self, drawn: list[tuple[NDArray[np.int64], Tensor]], losses: Values, worst: Values, count: int
    ) -> tuple[list[NDArray[np.int64]], list[int]]:
        """Return candidates of the greatest sampled gain in hypervolume, one by one, and the region of each."""
        reference, front = torch.tensor(-worst), torch.tensor(-losses)
        rows: list[NDArray[np.int64]] = []
        owner: list[int] = []
        for slot in range(count):
            place = slot % len(drawn)
            candidates, samples = drawn[place]
            gains = samples[slot]
            taken = {row.tobytes() for row in rows}
            cells = FastNondominatedPartitioning(reference, front).get_hypercell_bounds()
            sides = (torch.minimum(gains[:, None], cells[1]) - cells[0]).clamp(min=0)
            gain = sides.prod(dim=-1).sum(dim=-1) * (gains >= self.lowest).all(dim=-1)
            gain[[row.tobytes() in taken for row in candidates]] = -1
            best = int(gain.argmax())
            rows.append(candidates[best])
            owner.append(place)
            front = torch.cat([front, gains[[best]]])
        return rows, owner
