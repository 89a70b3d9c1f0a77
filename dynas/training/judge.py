"""Measures sub-networks of a supernet that is being trained, as a search would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np
from torch import nn

from dynas.core.objectives import Objective, Values
from dynas.core.space import Genotypes
from dynas.metrics.measurer import Measurer
from dynas.training.ranking import Validation, rank
from dynas.training.sandwich import elastic_genes
from dynas.training.training import Training


@dataclass(frozen=True)
class Judge:
    """Says how good sub-networks are.

    Attributes:
        objective: what is measured of them.
        measurer: what measures just that.
    """

    objective: Objective
    measurer: Measurer

    def qualities(self, genotypes: Genotypes) -> Values:
        """Return the quality of each canonical genotype ``(n, G)``: ``(n,)``; NaN where measuring fails."""
        return np.array([measurement.values[0] for measurement in self.measurer.measure(genotypes)])

    def look(self, training: Training, validation: Validation) -> dict[str, float]:
        """Return what a training's curve says of its last epoch: of the largest only, while that is trained alone."""
        space, supernet = training.space, self.measurer.bench.supernet
        with on_cpu(training.net):
            if not elastic_genes(space, training.recipe, training.epochs - 1).any():
                return {"largest": float(self.qualities(space.largest()[None])[0])}
            genotypes = validation.genotypes(space)
            return asdict(rank(self.qualities(genotypes), supernet.macs(genotypes), self.objective))


@contextmanager
def on_cpu(net: nn.Module) -> Iterator[None]:
    """Let a network be on the CPU in the block, where its sub-networks are cut out and measured."""
    device = next(net.parameters()).device
    net.to("cpu")
    try:
        yield
    finally:
        net.to(device)
