from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dynas import Objective
from dynas.core.bench import Bench
from dynas.core.evaluation import Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.metric import MeasuredMetric, Metric, Reading
from dynas.core.problem import Problem
from dynas.data.fashion_mnist import FashionMNIST
from dynas.executors.serial import Serial
from dynas.hardware.latency import CpuMeter
from dynas.metrics.accuracy import Top1
from dynas.metrics.cost import Macs, Params
from dynas.metrics.latency import Latency
from dynas.metrics.measurer import Measurer, to_measurement
from dynas.supernets.mbv3 import MobileNetV3Supernet

pytestmark = pytest.mark.slow

LATENCY = ("latency_repeats [runs]", "latency_drift [%]", "latency_quality")
METER = CpuMeter(threads=1, batch_size=2, warmup=0, min_repeats=2, max_repeats=2, tolerance=1.0)


@pytest.fixture(scope="module")
def supernet() -> MobileNetV3Supernet:
    return MobileNetV3Supernet("random", 0.25, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2))


@pytest.fixture(scope="module")
def data() -> FashionMNIST:
    return FashionMNIST("embedded", 2, 100, 40)


@pytest.fixture
def make_bench(supernet: MobileNetV3Supernet, data: FashionMNIST) -> Callable[..., Bench]:
    def make(metrics: Mapping[str, Metric], group: int = 5) -> Bench:
        return Measurer(Bench(supernet, data, METER), metrics, group)

    return make


@pytest.fixture
def genotypes(supernet: MobileNetV3Supernet) -> np.ndarray:
    return supernet.space.sample_distinct(7, np.random.default_rng(0))


class Depth(MeasuredMetric):
    """Measures the number of blocks; the modules that ``answers`` knows by that number answer otherwise."""

    extras = ("blocks [1]",)

    def __init__(self, answers: Mapping[int, float | Exception] | None = None) -> None:
        self._answers = answers or {}

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        readings = []
        for subnet in subnets:
            blocks = len(subnet.get_submodule("blocks"))  # type: ignore[arg-type]
            value = self._answers.get(blocks, float(blocks))
            if isinstance(value, Exception):
                raise value
            readings.append(Reading(value, {"blocks [1]": float(blocks)}))
        return readings


def depths(supernet: MobileNetV3Supernet, genotypes: np.ndarray) -> list[int]:
    return [1 + sum(supernet.space.decode(row)["d"]) for row in genotypes]


def values(measurements: Sequence[Measurement]) -> np.ndarray:
    return np.array([measurement.values for measurement in measurements])


def test_every_metric_fills_its_own_column_in_order(make_bench: Any, supernet: Any, genotypes: np.ndarray) -> None:
    bench = make_bench({"macs": Macs(), "depth": Depth(), "top1": Top1(), "params": Params(), "latency": Latency()})
    measured = list(bench.measure(genotypes))
    columns = values(measured).T
    assert columns[0].tolist() == supernet.macs(genotypes).tolist()
    assert columns[1].tolist() == depths(supernet, genotypes)
    assert ((columns[2] >= 0) & (columns[2] <= 100)).all()
    assert columns[3].tolist() == supernet.params(genotypes).tolist()
    assert (columns[4] > 0).all()
    assert bench.extras == ("blocks [1]", "latency_p10 [ms]", "latency_p90 [ms]", *LATENCY)
    for row in measured:
        assert set(row.extras) == set(bench.extras)
        assert row.extras["latency_p10 [ms]"] <= row.values[4] <= row.extras["latency_p90 [ms]"]
        assert row.extras["latency_repeats [runs]"] == 2
        assert row.extras["latency_drift [%]"] == 0, "no reference is watched"
        assert row.extras["latency_quality"] in ("ok", "unsteady", "disturbed")
        assert row.error == ""
        assert row.seconds > 0


@pytest.mark.parametrize("group", [1, 2, 7, 100])
def test_the_group_does_not_change_what_is_measured(make_bench: Any, genotypes: np.ndarray, group: int) -> None:
    metrics = {"top1": Top1(), "macs": Macs(), "depth": Depth()}
    wanted = values(list(make_bench(metrics, 3).measure(genotypes)))
    np.testing.assert_array_equal(values(list(make_bench(metrics, group).measure(genotypes))), wanted)


def test_measuring_again_gives_the_same_accuracy(make_bench: Any, genotypes: np.ndarray) -> None:
    bench = make_bench({"top1": Top1()})
    first, second = (values(list(bench.measure(genotypes))) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len(np.unique(first)) > 1


def test_latency_does_not_spoil_the_accuracy_measured_beside_it(make_bench: Any, genotypes: np.ndarray) -> None:
    alone = values(list(make_bench({"top1": Top1()}).measure(genotypes)))[:, 0]
    for metrics in ({"latency": Latency(), "top1": Top1()}, {"top1": Top1(), "latency": Latency()}):
        column = list(metrics).index("top1")
        np.testing.assert_array_equal(values(list(make_bench(metrics).measure(genotypes)))[:, column], alone)


@pytest.mark.parametrize("group", [1, 3, 7])
def test_a_candidate_that_makes_a_metric_fail_fails_alone(
    make_bench: Any, supernet: Any, genotypes: np.ndarray, group: int
) -> None:
    wanted = depths(supernet, genotypes)
    victim = next(depth for depth in wanted if wanted.count(depth) == 1)
    metrics = {"macs": Macs(), "depth": Depth({victim: ValueError("too\n deep")}), "top1": Top1()}
    healthy = values(list(make_bench({"top1": Top1()}).measure(genotypes)))[:, 0]
    for index, row in enumerate(make_bench(metrics, group).measure(genotypes)):
        failed = wanted[index] == victim
        assert row.error == ("ValueError: too deep" if failed else "")
        assert np.isnan(row.values[1]) == failed
        assert row.values[0] == supernet.macs(genotypes)[index]
        assert row.values[2] == healthy[index], "the other metrics are not disturbed"
        assert set(row.extras) == (set() if failed else {"blocks [1]"})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_a_failure_with_its_reason(
    make_bench: Any, supernet: Any, genotypes: np.ndarray, value: float
) -> None:
    wanted = depths(supernet, genotypes)
    rows = list(make_bench({"depth": Depth({wanted[0]: value})}).measure(genotypes))
    assert np.isnan(rows[0].values[0])
    assert rows[0].error == f"measured {value}"
    healthy = [index for index in range(7) if wanted[index] != wanted[0]]
    assert [rows[index].values[0] for index in healthy] == [wanted[index] for index in healthy]
    assert all(rows[index].error == "" for index in healthy)


def test_all_reasons_of_a_candidate_are_told_once(make_bench: Any, supernet: Any, genotypes: np.ndarray) -> None:
    first, second = Depth(dict.fromkeys(range(30), RuntimeError("a"))), Depth(dict.fromkeys(range(30), OSError("b")))
    bench = make_bench({"one": first, "two": second, "three": first, "four": Depth()})
    for row, depth in zip(bench.measure(genotypes), depths(supernet, genotypes), strict=True):
        assert row.error == "RuntimeError: a; OSError: b"
        assert row.values[3] == depth


def test_a_sub_network_that_cannot_be_made_fails_alone(data: FashionMNIST, genotypes: np.ndarray) -> None:
    class Fragile(MobileNetV3Supernet):
        def subnet(self, architecture: Any) -> Any:
            if self.space.key(self.space.encode(architecture)) == self.space.key(genotypes[2]):
                raise MemoryError("no room")
            return super().subnet(architecture)

    fragile = Fragile("random", 0.25, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2))
    bench = Measurer(Bench(fragile, data, METER), {"macs": Macs(), "depth": Depth(), "latency": Latency()})
    rows = list(bench.measure(genotypes))
    assert [bool(row.error) for row in rows] == [False, False, True, False, False, False, False]
    assert rows[2].error == "MemoryError: no room"
    assert rows[2].values[0] == fragile.macs(genotypes)[2]
    assert [row.values[1] for index, row in enumerate(rows) if index != 2] == [
        depth for index, depth in enumerate(depths(fragile, genotypes)) if index != 2
    ]


def test_what_is_known_is_not_measured_and_says_where_it_is_from(make_bench: Any, genotypes: np.ndarray) -> None:
    class Slow(Depth):
        asked = 0

        def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
            self.asked += len(subnets)
            time.sleep(0.05 * len(subnets))
            return super().measure(subnets, bench)

    slow = Slow()
    metrics = {"macs": Macs(), "slow": slow, "depth": Depth()}
    fresh = list(make_bench(metrics, 5).measure(genotypes))
    assert slow.asked == 7
    keys = make_bench(metrics).bench.supernet.space.keys(genotypes)
    known = {"slow": {key: Reading(99.0, {"slow_from": "cache"}) for key in (keys[1], keys[2], keys[6])}, "other": {}}
    bench = replace(make_bench(metrics, 5), known=known)
    assert bench.extras == ("blocks [1]", "blocks [1]", "slow_from")
    rows = list(bench.measure(genotypes))
    assert slow.asked == 7 + 4
    for index, (row, before) in enumerate(zip(rows, fresh, strict=True)):
        taken = index in (1, 2, 6)
        assert row.values == (before.values[0], 99.0 if taken else before.values[1], before.values[2])
        assert row.extras.get("slow_from") == ("cache" if taken else None)
    assert rows[0].seconds >= rows[1].seconds + 0.05, "only what took it has its time"
    assert rows[1].seconds == pytest.approx(rows[2].seconds)
    assert rows[5].seconds >= rows[6].seconds + 0.05


def test_nothing_is_extracted_of_which_all_is_known(data: FashionMNIST, genotypes: np.ndarray) -> None:
    class Unmade(MobileNetV3Supernet):
        def subnet(self, architecture: Any) -> Any:
            raise MemoryError("no room")

    unmade = Unmade("random", 0.25, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2))
    known = {"depth": {key: Reading(3.0) for key in unmade.space.keys(genotypes[:6])}}
    rows = list(Measurer(Bench(unmade, data, METER), {"depth": Depth()}, 2, known).measure(genotypes))
    assert [row.error for row in rows] == [""] * 6 + ["MemoryError: no room"]
    assert [row.values for row in rows[:6]] == [(3.0,)] * 6


def test_measurements_come_group_by_group(make_bench: Any, genotypes: np.ndarray) -> None:
    class Counter(Depth):
        groups: tuple[int, ...] = ()

        def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
            self.groups += (len(subnets),)
            return super().measure(subnets, bench)

    counter = Counter()
    measurements = make_bench({"depth": counter}, 3).measure(genotypes)
    next(measurements)
    assert counter.groups == (3,), "an interrupt loses one group at most"
    assert len(list(measurements)) == 6
    assert counter.groups == (3, 3, 1)


def test_a_metric_that_answers_too_little_fails_its_candidates(make_bench: Any, genotypes: np.ndarray) -> None:
    class Short(Depth):
        def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
            return super().measure(subnets, bench)[:-1]

    rows = list(make_bench({"depth": Short(), "macs": Macs()}).measure(genotypes))
    assert len(rows) == 7
    assert all(row.error and np.isnan(row.values[0]) and row.values[1] > 0 for row in rows)


def test_a_metric_changes_only_its_own_copies(make_bench: Any, supernet: Any, genotypes: np.ndarray) -> None:
    before = {name: value.clone() for name, value in supernet.elastic.state_dict().items()}
    list(make_bench({"top1": Top1(), "latency": Latency()}).measure(genotypes))
    assert all(torch.equal(value, before[name]) for name, value in supernet.elastic.state_dict().items())


def test_a_whole_evaluation_survives_failures(make_bench: Any, supernet: Any, genotypes: np.ndarray) -> None:
    wanted = depths(supernet, genotypes)
    bench = make_bench({"depth": Depth({wanted[0]: RuntimeError("x")}), "macs": Macs()})
    objectives = (Objective("depth", "max", "blocks"), Objective("macs", "min", "MAC", exact=True))
    evaluate = Evaluator(Problem(supernet.space, objectives, {"macs": supernet.macs}), Serial(bench.measure), 7)
    batch = evaluate(genotypes)
    assert batch.measured.tolist() == [depth != wanted[0] for depth in wanted]
    assert len(batch.front())


def test_a_failed_outcome_leaves_the_other_values_in_place() -> None:
    row = to_measurement([Reading(1.0), "ValueError: no"], 0.5)
    assert row.values[0] == 1.0
    assert np.isnan(row.values[1])
    assert row.error == "ValueError: no"
    assert row.seconds == 0.5
