from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dynas import DynasError
from dynas.core.meter import Timing, settled_pace
from dynas.hardware.interleaved import InterleavedRounds, Sample, Taken, median_interval
from dynas.hardware.latency import CpuMeter, TimingMeter, denormals_are_flushed
from dynas.system.machine import available_cores, cgroup_quotas

INPUTS = (torch.zeros(1, 8, 32, 32),)


def meter(
    threads: int = 1,
    batch_size: int = 1,
    warmup: int = 1,
    min_repeats: int = 5,
    max_repeats: int = 20,
    tolerance: float = 0.1,
    max_seconds: float = 60,
) -> CpuMeter:
    return CpuMeter(threads, batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds)


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


@pytest.mark.parametrize(("least", "most", "tolerance"), [(2, 2, 1.0), (5, 9, 1e-9), (4, 30, 1e9), (3, 12, 0.05)])
def test_the_repeats_stay_within_their_limits(least: int, most: int, tolerance: float) -> None:
    latencies = meter(min_repeats=least, max_repeats=most, tolerance=tolerance)([convolutions(1)] * 3, [INPUTS] * 3)
    assert len(latencies) == 3
    for latency in latencies:
        assert least <= latency.repeats <= most
        assert 0 < latency.p10_ms <= latency.median_ms <= latency.p90_ms
    repeats = {latency.repeats for latency in latencies}
    if tolerance == 1e-9:
        assert repeats == {most}, "never precise enough"
    if tolerance == 1e9:
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
    ("setting", "message"),
    [
        ({"batch_size": 0}, "hardware.batch_size=0: give 1 or more"),
        ({"warmup": -1}, "hardware needs warmup >= 0"),
        ({"min_repeats": 1}, "2 <= min_repeats"),
        ({"min_repeats": 9, "max_repeats": 8}, "min_repeats <= max_repeats, got 1, 9 and 8"),
        ({"tolerance": 0.0}, "tolerance > 0"),
        ({"tolerance": -0.1}, "tolerance > 0"),
        ({"max_seconds": 0}, "hardware needs max_seconds > 0"),
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(setting: dict[str, int], message: str) -> None:
    with pytest.raises(DynasError, match=message):
        meter(**setting)


@pytest.mark.parametrize("threads", [0, -1, 10_000])
def test_threads_that_the_process_may_not_use_are_refused(threads: int) -> None:
    cores = available_cores()
    with pytest.raises(DynasError, match=rf"hardware\.threads={threads}: this process may use {cores} cores"):
        meter(threads=threads)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system knows no affinity")
def test_the_affinity_of_the_process_counts_instead_of_the_machine() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        with pytest.raises(DynasError, match="this process may use 1 cores"):
            meter(threads=2)
    finally:
        os.sched_setaffinity(0, before)


def test_the_quota_of_any_control_group_above_counts(tmp_path: Path) -> None:
    membership, own = tmp_path / "cgroup", tmp_path / "root" / "pod" / "box"
    own.mkdir(parents=True)
    membership.write_text("1:cpu:/old\n0::/pod/box\n")
    (own / "cpu.max").write_text("max 100000\n")
    assert min(cgroup_quotas(tmp_path / "root", membership)) == float("inf")
    (own.parent / "cpu.max").write_text("150000 100000\n")
    assert min(cgroup_quotas(tmp_path / "root", membership)) == 1.5


def test_threads_that_torch_does_not_give_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    wanted = 1 if torch.get_num_threads() > 1 else 2
    if wanted > available_cores():
        pytest.skip("this process has one core and computes on it")
    with pytest.raises(DynasError, match=f"threads={wanted}, but torch computes on {torch.get_num_threads()} here"):
        meter(threads=wanted)([convolutions(1)], [INPUTS])


def test_denormals_are_flushed_while_timing_and_gc_is_off() -> None:
    seen = set()

    class Spy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.add((denormals_are_flushed(), gc.isenabled()))
            return x

    cpu = meter()
    assert not denormals_are_flushed()
    cpu([Spy()], [INPUTS])
    assert seen == {(cpu.facts["denormals_flushed"], False)}
    assert not denormals_are_flushed()
    assert gc.isenabled()


def test_time_in_which_others_had_the_processor_is_left_out() -> None:
    """Two busy processes beside ours on one core triple the wall time of a timing, but not what is reported."""
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system knows no affinity")
    before = os.sched_getaffinity(0)
    module, inputs = convolutions(60), (torch.zeros(16, 8, 32, 32),)
    os.sched_setaffinity(0, {min(before)})
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        start, cpu = time.perf_counter(), time.process_time()
        (latency,) = meter(min_repeats=12, max_repeats=12)([module], [inputs])
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    finally:
        for process in busy:
            process.kill()
            process.wait()
        os.sched_setaffinity(0, before)
    assert wall > 1.8 * cpu, "we were really disturbed"
    passes = 2 * (12 + 1)  # an untimed one before each timing, and one timing at least that is thrown away
    assert 1e-3 * latency.median_ms * passes < 1.2 * cpu
    assert latency.quality == "disturbed"


def rounds(warmup: int = 0, most: int = 10, tolerance: float = 0.01, max_seconds: float = 60) -> InterleavedRounds:
    return InterleavedRounds(warmup, 2, most, tolerance, max_seconds)


@pytest.mark.parametrize(
    ("times", "limit", "thrown_away"),
    [
        ([10, 10], 9, 2),
        ([10, 6, 5.8], 9, 3),  # 3 % shorter is no gain any more
        ([10, 9, 8, 7, 6, 6], 9, 6),
        ([10, 9, 8, 7, 6], 3, 3),
        ([10], 0, 0),
    ],
)
def test_a_module_is_warm_once_it_gains_no_more(times: list[float], limit: int, thrown_away: int) -> None:
    answers = iter([*times, *[1000.0] * 20])
    calls = []

    def sampler() -> Sample:
        calls.append(next(answers))
        return Sample(calls[-1])

    (result,) = rounds(warmup=limit, most=2)([sampler])
    assert len(calls) - len(result.timings) == thrown_away


def test_a_module_is_done_when_its_time_is_up() -> None:
    rng = np.random.default_rng(0)

    def sampler() -> Sample:
        time.sleep(0.01)
        return Sample(float(rng.uniform(1, 100)))

    (result,) = rounds(most=1000, tolerance=1e-9, max_seconds=0.1)([sampler])
    assert 2 <= len(result.timings) <= 11


def test_a_slow_machine_is_divided_out_round_by_round() -> None:
    """The machine's speed changes from round to round; two modules of 10 and 20 ms beside a reference of 5 ms."""
    rng = np.random.default_rng(1)
    speeds = {name: iter(np.repeat([1.0, 3.0, 1.5], 3)) for name in ("ten", "twenty", "reference")}
    noise = iter(rng.normal(1, 0.005, 100))
    ten, twenty = InterleavedRounds(0, 9, 9, 0.01, 60)(
        [
            lambda: Sample(10 * next(speeds["ten"]) * next(noise)),
            lambda: Sample(20 * next(speeds["twenty"]) * next(noise)),
        ],
        lambda: Sample(5 * next(speeds["reference"])),
        first_ms=5.0,
    )
    assert ten.times == pytest.approx(10, rel=0.02)
    assert twenty.times == pytest.approx(20, rel=0.02)
    assert ten.pace == twenty.pace == 1.5


def samples(*times: float) -> Callable[[], Sample]:
    """Return what takes these times, the last one from then on."""
    left = list(times)
    return lambda: Sample(left.pop(0) if len(left) > 1 else left[0])


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        ([10, 10.1, 9.9, 10], 10),
        ([20] * 7 + [10], 10),  # slow at first
        ([10] * 6 + [11], 10),  # slower at last
        ([13, 20, 20, 20, 13.2, 20, 20, 20] * 4, 13.1),  # mostly beside other work
    ],
    ids=["quiet", "slow at first", "slower at last", "disturbed"],
)
def test_the_pace_is_taken_once_it_has_settled(times: list[float], wanted: float) -> None:
    # windows of two timings, as of modules that take long
    every_window = InterleavedRounds(warmup=0, min_repeats=4, max_repeats=9, tolerance=0.01, max_seconds=1e-9)
    assert every_window.settle(samples(*times)) == pytest.approx(wanted, rel=0.01)


def test_a_pace_that_never_settles_is_that_of_the_fastest_timings() -> None:
    rng = np.random.default_rng(0)
    taken = iter(np.repeat(10 * 1.05 ** rng.permutation(16), 2))
    windows = InterleavedRounds(warmup=0, min_repeats=4, max_repeats=9, tolerance=0.01, max_seconds=1e-9)
    assert windows.settle(lambda: Sample(float(next(taken)))) == 10
    assert next(taken, None) is None, "sixteen windows were taken"


class Paced:
    """A meter on a machine that gets faster: each time that the pace is taken, and in the rounds after it."""

    first_ms: float | None = None

    def __init__(self, paces: Sequence[float], drifts: Sequence[float]) -> None:
        self.paces, self.drifts = iter(paces), iter(drifts)

    def refer_to(self, module: nn.Module, inputs: tuple[Tensor, ...], first_ms: float | None = None) -> float:
        self.first_ms = next(self.paces) if first_ms is None else first_ms
        return self.first_ms

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
        return [Timing(1, 1, 1, 1, next(self.drifts))]


@pytest.mark.parametrize(
    ("paces", "drifts", "wanted"),
    [
        ([10], [0.01], 10),
        ([10], [0.3], 10),  # slower than at first: disturbed
        ([10, 9], [-0.09, 0], 9),
        ([10, 11, 9.5], [-0.05, -0.05, 0.5], 9.5),
        ([10, 9, 8, 7], [-0.1, -0.1, -0.1], 7),
    ],
)
def test_the_pace_is_taken_again_where_the_first_rounds_are_faster(
    paces: list[float], drifts: list[float], wanted: float
) -> None:
    paced = Paced(paces, drifts)
    assert settled_pace(paced, convolutions(1), INPUTS) == paced.first_ms == wanted
    assert not [*paced.paces, *paced.drifts], "all were asked for"


@pytest.mark.parametrize(
    ("paces", "marked"),
    [
        ([1, 1.01, 0.99, 1.02, 1], []),
        ([0.91, 0.91, 0.9, 0.91, 0.6], []),  # a faster machine is no disturbance
        ([1, 1.2, 1, 1, 1.07], [1, 4]),
        ([1.5, 1.5, 1.5, 1.5, 1.9], [0, 4]),  # slower for good: only what differs from the rest
    ],
)
def test_what_is_slower_than_the_rest_of_the_run_is_disturbed(paces: list[float], marked: list[int]) -> None:
    """One call for each pace, as the reference shows it."""
    speed = [1.0]

    class Steady(TimingMeter):
        def sampler(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> Callable[[], Sample]:
            return lambda: Sample(10 * speed[0])

        def conditions(self) -> AbstractContextManager[None]:
            return nullcontext()

    steady = Steady(1, warmup=0, min_repeats=3, max_repeats=5, tolerance=0.1, max_seconds=1e-3)
    assert steady.refer_to(convolutions(1), INPUTS) == 10
    found = []
    for speed[0] in paces:
        (timing,) = steady([convolutions(1)], [INPUTS])
        assert timing.median_ms == pytest.approx(10)
        found.append(timing.quality == "disturbed")
    assert [index for index, disturbed in enumerate(found) if disturbed] == marked


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


def test_a_summary_holds_median_quantiles_and_quality() -> None:
    def summary(values: Sequence[float], pace: float = 1.0, interrupted: bool = False) -> Any:
        return meter().summarise(Taken([Sample(value, interrupted) for value in values], [pace] * len(values)))

    latency = summary([float(value) for value in range(11)])
    assert (latency.p10_ms, latency.median_ms, latency.p90_ms, latency.repeats) == (1.0, 5.0, 9.0, 11)
    assert (latency.quality, latency.drift) == ("unsteady", 0)
    assert summary([1.0 / 3] * 4).median_ms == 0.333333
    assert summary([2.0] * 4).quality == "ok"
    assert summary([2.0] * 4, interrupted=True).quality == "disturbed"
    slower = summary([2.0] * 4, pace=1.25)
    assert (slower.median_ms, slower.drift, slower.quality) == (1.6, 0.25, "disturbed")


def test_a_reference_is_timed_beside_all_others_and_keeps_its_first_time() -> None:
    calls: list[str] = []

    class Named(nn.Module):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def forward(self, x: Tensor) -> Tensor:
            calls.append(self.name)
            return x * 1.0

    cpu = meter(min_repeats=5, max_repeats=5, warmup=0, max_seconds=0.1)
    first = cpu.refer_to(Named("reference"), INPUTS)
    assert first > 0
    assert set(calls) == {"reference"}
    calls.clear()
    (latency,) = cpu([Named("other")], [INPUTS])
    assert calls.count("reference") == calls.count("other") == 2 * 5, "an untimed pass before each timing"
    assert latency.median_ms < 20 * first
    again = meter(min_repeats=5, max_repeats=5, max_seconds=0.1)
    assert again.refer_to(Named("reference"), INPUTS, first_ms=first / 100) == first / 100, "as in the run that goes on"
    (later,) = again([Named("other")], [INPUTS])
    assert later.drift > 5
    assert later.median_ms < latency.median_ms / 5
    assert later.quality == "disturbed"
