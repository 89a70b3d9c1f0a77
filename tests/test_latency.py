from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dynas import DynasError
from dynas.hardware.latency import CpuMeter, median_interval, summarise

INPUTS = (torch.zeros(1, 8, 32, 32),)


def meter(
    threads: int = 1,
    batch_size: int = 1,
    warmup: int = 1,
    min_repeats: int = 5,
    max_repeats: int = 20,
    precision: float = 0.1,
) -> CpuMeter:
    return CpuMeter(threads, batch_size, warmup, min_repeats, max_repeats, precision)


def convolutions(n: int) -> nn.Module:
    return nn.Sequential(*(nn.Conv2d(8, 8, 3, padding=1) for _ in range(n))).eval()


@pytest.fixture
def threads() -> Iterator[int]:
    """A number of threads that no meter of these tests asks for; the old one is put back."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


def test_a_larger_module_takes_longer() -> None:
    modules = [convolutions(n) for n in (1, 40, 1, 40)]
    medians = [latency.median_ms for latency in meter()(modules, [INPUTS] * 4)]
    assert max(medians[0], medians[2]) * 4 < min(medians[1], medians[3])


def test_a_larger_batch_takes_longer() -> None:
    one, many = (meter()([convolutions(8)], [(torch.zeros(n, 8, 32, 32),)])[0].median_ms for n in (1, 64))
    assert many > 4 * one


def test_every_module_gets_its_own_inputs() -> None:
    sizes = (8, 24, 16)

    class Size(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.seen: set[int] = set()

        def forward(self, x: Tensor) -> Tensor:
            self.seen.add(x.shape[-1])
            return x

    modules = [Size() for _ in sizes]
    meter()(modules, [(torch.zeros(1, 8, size, size),) for size in sizes])
    assert [module.seen for module in modules] == [{size} for size in sizes]


def test_the_unit_is_milliseconds() -> None:
    class Sleeper(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            import time

            time.sleep(0.02)
            return x

    (latency,) = meter(max_repeats=5)([Sleeper()], [INPUTS])
    assert 20 <= latency.median_ms < 60


@pytest.mark.parametrize(("least", "most", "precision"), [(2, 2, 1.0), (5, 9, 1e-9), (4, 30, 1e9), (3, 12, 0.05)])
def test_the_repeats_stay_within_their_limits(least: int, most: int, precision: float) -> None:
    latencies = meter(min_repeats=least, max_repeats=most, precision=precision)([convolutions(1)] * 3, [INPUTS] * 3)
    assert len(latencies) == 3
    for latency in latencies:
        assert least <= latency.repeats <= most
        assert 0 < latency.p10_ms <= latency.median_ms <= latency.p90_ms
    repeats = {latency.repeats for latency in latencies}
    if precision == 1e-9:
        assert repeats == {most}, "never precise enough"
    if precision == 1e9:
        assert repeats == {least}, "precise enough at once"


def test_a_module_is_only_run_in_inference_mode_and_stays_as_it_was() -> None:
    class Spy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(8)
            self.modes: set[bool] = set()

        def forward(self, x: Tensor) -> Tensor:
            self.modes.add(torch.is_inference_mode_enabled())
            result: Tensor = self.norm(x)
            return result

    spy = Spy().eval()
    before = spy.norm.running_mean.clone() if spy.norm.running_mean is not None else None
    meter()([spy], [INPUTS])
    assert spy.modes == {True}
    assert before is not None
    assert torch.equal(spy.norm.running_mean, before)
    assert not torch.is_inference_mode_enabled()


def test_the_module_runs_on_as_many_threads_as_asked_for_and_they_are_put_back(threads: int) -> None:
    class Spy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.threads: set[int] = set()

        def forward(self, x: Tensor) -> Tensor:
            self.threads.add(torch.get_num_threads())
            return x

    for wanted in range(1, min(os.cpu_count() or 1, 2) + 1):
        spy = Spy()
        meter(threads=wanted)([spy], [INPUTS])
        assert spy.threads == {wanted}
        assert torch.get_num_threads() == threads


def test_the_threads_are_put_back_after_a_module_that_fails(threads: int) -> None:
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        meter()([convolutions(1), Broken()], [INPUTS] * 2)
    assert torch.get_num_threads() == threads


def test_no_modules_have_no_latencies() -> None:
    assert meter()([], []) == []


@pytest.mark.parametrize(
    "setting",
    [
        {"batch_size": 0},
        {"warmup": -1},
        {"min_repeats": 1},
        {"min_repeats": 9, "max_repeats": 8},
        {"precision": 0.0},
        {"precision": -0.1},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(setting: dict[str, int]) -> None:
    with pytest.raises(DynasError, match="hardware needs batch_size >= 1, warmup >= 0, 2 <= min_repeats"):
        meter(**setting)


@pytest.mark.parametrize("threads", [0, -1, 10_000])
def test_threads_that_the_machine_lacks_are_refused(threads: int) -> None:
    with pytest.raises(DynasError, match=rf"hardware\.threads={threads}: this machine has {os.cpu_count()} cores"):
        meter(threads=threads)


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        ([10.0] * 7, 0.0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 1.57 * 2 / 5**0.5 / 3),
        ([9.0, 10.0, 11.0, 10.0], 1.57 * 0.5 / 2 / 10),
        ([8.0, 9.0, 10.0, 11.0, 12.0, 10.0, 9.0, 11.0, 1e6], 1.57 * 2 / 3 / 10),  # an outlier does not move it
    ],
)
def test_the_interval_of_the_median_computed_by_hand(times: list[float], wanted: float) -> None:
    assert median_interval(np.array(times)) == pytest.approx(wanted)


def test_the_interval_covers_the_true_median_in_about_nine_of_ten_cases() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        times = rng.normal(10, 1, 40)
        covered.append(abs(np.median(times) - 10) <= median_interval(times) * np.median(times))
    assert 0.85 <= np.mean(covered) <= 0.97


def test_a_summary_holds_median_and_quantiles() -> None:
    latency = summarise([float(value) for value in range(11)])
    assert (latency.p10_ms, latency.median_ms, latency.p90_ms, latency.repeats) == (1.0, 5.0, 9.0, 11)
    assert summarise([1.0 / 3, 1.0 / 3]).median_ms == 0.333333
