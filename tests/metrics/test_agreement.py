"""How closely sub-networks follow the original."""

from __future__ import annotations

import pickle

import pytest
import torch

from dynas.core.bench import Bench
from dynas.data.fashion_mnist import FashionMNIST
from dynas.errors import DynasError
from dynas.hardware.cpu import TorchCpuMeter
from dynas.metrics.agreement import Agreement, ImageDivergence, Likeness
from tests.helpers.networks import pruned
from tests.helpers.supernets import narrow


def bench(supernet: object) -> Bench:
    meter = TorchCpuMeter(threads=1, batch_size=1, warmup=0, min_repeats=2, max_repeats=3, tolerance=1.0)
    return Bench(supernet, FashionMNIST("embedded", 2, 60, 40), meter)  # type: ignore[arg-type]


def test_values_are_those_of_the_definitions() -> None:
    wanted = torch.tensor([[2.0, 0.0], [0.0, 2.0], [3.0, 0.0], [0.0, 1.0]])
    found = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    assert Agreement().compared(found, wanted) == 75.0
    p, q = wanted.double().softmax(1), found.double().softmax(1)
    assert ImageDivergence().compared(found, wanted) == pytest.approx(float((p * (p / q).log()).sum(1).mean()))
    assert ImageDivergence().compared(wanted, wanted) == 0.0


@pytest.mark.parametrize("metric", [Agreement(), ImageDivergence()])
def test_smaller_ones_follow_less_and_no_label_counts(metric: Likeness) -> None:
    given = bench(pruned("attending"))  # without batch norm, the largest is the original itself
    metric.check(given)
    space = given.supernet.space
    subnets = [given.supernet.subnet(space.decode(row)) for row in (space.largest(), space.smallest())]
    largest, smallest = (reading.value for reading in metric.measure(subnets, given))
    best = 100.0 if isinstance(metric, Agreement) else 0.0
    assert largest == pytest.approx(best, abs=1e-6)
    assert abs(smallest - best) > 1e-3
    given.data.validation[1].zero_()  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(metric)).measure(subnets, given)[1].value == pytest.approx(smallest)


def test_what_has_no_original_is_refused() -> None:
    with pytest.raises(DynasError, match="not made from a trained network"):
        Agreement().check(bench(narrow()))
