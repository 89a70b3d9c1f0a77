"""What every metric promises (see `dynas.core.metric`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dynas.core.bench import Bench
from dynas.core.metric import CountedMetric, MeasuredMetric, Metric, Reading
from dynas.core.space import Genotypes


class MetricSuite:
    """Checks a metric; subclass it in a test module and say how the metric and a bench for it are made.

    Attributes:
        make: returns the metric.
        make_bench: returns a bench of a small supernet and few data.
        samples: random sub-networks that are tried besides the smallest and the largest.
    """

    make: Callable[[], Metric]
    make_bench: Callable[[], Bench]
    samples: int = 2

    @pytest.fixture
    def metric(self) -> Metric:
        """Return a new metric."""
        return self.make()

    @pytest.fixture
    def bench(self) -> Bench:
        """Return the bench that all checks share."""
        return _made_bench(self.make_bench)

    @pytest.fixture
    def genotypes(self, bench: Bench) -> Genotypes:
        """Return the smallest, the largest and random sub-networks."""
        space = bench.supernet.space
        rows = space.sample(self.samples, np.random.default_rng(0))
        return np.concatenate([space.smallest()[None], space.largest()[None], rows])

    def test_it_is_of_one_of_two_kinds(self, metric: Metric) -> None:
        """Check that it measures or counts, not both."""
        assert isinstance(metric, MeasuredMetric) != isinstance(metric, CountedMetric)

    def test_it_says_what_it_is(self, metric: Metric) -> None:
        """Check what reports show of it."""
        assert metric.unit is None or metric.unit
        assert isinstance(metric.note, str)

    def test_it_fits_the_bench(self, metric: Metric, bench: Bench) -> None:
        """Check that its task is that of the data and the supernet, and that it has no objection."""
        assert metric.task in (None, bench.data.task)
        assert metric.task in (None, bench.supernet.task)
        metric.check(bench)

    def test_there_is_a_finite_value_for_each_sub_network(
        self, metric: Metric, bench: Bench, genotypes: Genotypes
    ) -> None:
        """Check that values are many enough, and numbers."""
        values = [reading.value for reading in _readings(metric, bench, genotypes)]
        assert len(values) == len(genotypes)
        assert all(isinstance(value, float) and math.isfinite(value) for value in values)

    def test_counts_are_an_array(self, metric: Metric, bench: Bench, genotypes: Genotypes) -> None:
        """Check that what is counted is an array of numbers ``(n,)``."""
        if isinstance(metric, CountedMetric):
            counts = metric.count(bench.supernet, genotypes)
            assert counts.shape == (len(genotypes),)
            assert counts.dtype in (np.int64, np.float64)

    def test_extras_are_those_that_it_names(self, metric: Metric, bench: Bench, genotypes: Genotypes) -> None:
        """Check that numbers have a unit in square brackets, and words have none."""
        names = set(metric.extras) if isinstance(metric, MeasuredMetric) else set()
        for reading in _readings(metric, bench, genotypes):
            assert set(reading.extras) == names
            for name, value in reading.extras.items():
                assert name.endswith("]") == (not isinstance(value, str)), name

    def test_values_are_in_the_order_of_the_sub_networks(
        self, metric: Metric, bench: Bench, genotypes: Genotypes
    ) -> None:
        """Check that each sub-network has the same value wherever it stands, unless the metric is noisy."""
        if not _noisy(metric):
            forth, back = (_readings(metric, bench, rows) for rows in (genotypes, genotypes[::-1]))
            assert forth == back[::-1]

    def test_a_value_does_not_depend_on_what_is_measured_beside(
        self, metric: Metric, bench: Bench, genotypes: Genotypes
    ) -> None:
        """Check that each sub-network has the same value alone, unless the metric is noisy."""
        if not _noisy(metric):
            together = _readings(metric, bench, genotypes)
            assert together == [_readings(metric, bench, row[None])[0] for row in genotypes]

    def test_another_object_gives_the_same_values(self, metric: Metric, bench: Bench, genotypes: Genotypes) -> None:
        """Check that only the settings count, unless the metric is noisy."""
        if not _noisy(metric):
            first, second = (_readings(one, bench, genotypes[:2]) for one in (metric, self.make()))
            assert first == second

    def test_the_supernet_stays_as_it_is(self, metric: Metric, bench: Bench, genotypes: Genotypes) -> None:
        """Check that sub-networks made afterwards are those made before."""
        before = [_weights(subnet) for subnet in _subnets(bench, genotypes)]
        _readings(metric, bench, genotypes)
        after = [_weights(subnet) for subnet in _subnets(bench, genotypes)]
        for some, others in zip(before, after, strict=True):
            assert all(torch.equal(one, other) for one, other in zip(some, others, strict=True))

    def test_torch_computes_afterwards_as_before(self, metric: Metric, bench: Bench, genotypes: Genotypes) -> None:
        """Check that threads and gradients are put back."""
        before = torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        _readings(metric, bench, genotypes[:1])
        assert (torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before


@lru_cache(maxsize=1)
def _made_bench(make: Callable[[], Bench]) -> Bench:
    return make()


def _noisy(metric: Metric) -> bool:
    return isinstance(metric, MeasuredMetric) and metric.noisy


def _subnets(bench: Bench, genotypes: Genotypes) -> list[nn.Module]:
    return [bench.deployed(genotype) for genotype in genotypes]


def _readings(metric: Metric, bench: Bench, genotypes: Genotypes) -> list[Reading]:
    """Return what a metric says of sub-networks, of either kind."""
    if isinstance(metric, CountedMetric):
        return [Reading(float(value)) for value in metric.count(bench.supernet, genotypes)]
    assert isinstance(metric, MeasuredMetric)
    return metric.measure(_subnets(bench, genotypes), bench)


def _weights(subnet: nn.Module) -> list[Tensor]:
    return list(subnet.state_dict().values())
