"""What every latency meter promises (see `dynas.core.bench.Meter`)."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from copy import deepcopy
from functools import lru_cache

import pytest
import torch
from torch import Tensor, nn

from dynas.core.bench import Meter
from dynas.core.meter import Timing, WatchesReference
from dynas.metrics.calibration import device_of

CHANNELS, PIXELS = 8, 32
SMALL, LARGE = 1, 120  # convolutions
QUALITIES = ("ok", "unsteady", "disturbed", "")


class MeterSuite:
    """Checks a latency meter; subclass it in a test module and say how the meter is made.

    Attributes:
        make: returns the meter.
        tolerance: largest difference from what torch computes on the CPU, as a share of the largest output.
        margin: how many times longer a network of 120 convolutions takes at least than one of a single one.
    """

    make: Callable[[], Meter]
    tolerance: float = 1e-4
    margin: float = 3.0

    @pytest.fixture
    def meter(self) -> Meter:
        """Return a new meter."""
        return self.make()

    @pytest.fixture
    def timings(self) -> list[Timing]:
        """Return what a small, a large and another small network take."""
        return _timings(self.make)

    def test_it_says_what_it_is(self, meter: Meter) -> None:
        """Check what a search reads of it before it measures."""
        assert meter.batch_size >= 1
        assert meter.device
        assert "fp32" in meter.precisions
        assert meter.together is None or meter.together >= 1
        assert meter.digest is None or meter.digest
        assert all(isinstance(name, str) for name in meter.facts)

    def test_there_is_a_timing_for_each_module(self, timings: list[Timing]) -> None:
        """Check that times are positive, and their quantiles in order."""
        assert len(timings) == 3
        for timing in timings:
            assert 0 < timing.p10_ms <= timing.median_ms <= timing.p90_ms < math.inf
            assert timing.repeats >= 1

    def test_timings_say_how_far_they_can_be_trusted(self, timings: list[Timing]) -> None:
        """Check that a quality is one of the known words."""
        for timing in timings:
            assert timing.quality in QUALITIES
            assert math.isfinite(timing.drift)

    def test_a_larger_module_takes_longer(self, timings: list[Timing]) -> None:
        """Check that timings are in the order of the modules."""
        first, large, last = (timing.p10_ms for timing in timings)
        assert large > self.margin * max(first, last)

    def test_what_runs_there_computes_what_torch_computes(self, meter: Meter) -> None:
        """Check a small network with batch norm."""
        module, inputs = _network(2), _inputs(meter)
        with torch.inference_mode():
            expected = module(*inputs)
            ported = meter.port(deepcopy(module), inputs)
            given = ported(*(one.to(device_of(ported)) for one in inputs)).cpu()
        torch.testing.assert_close(given, expected, rtol=0, atol=self.tolerance * float(expected.abs().max()))

    def test_modules_and_inputs_stay_as_they_are(self, meter: Meter) -> None:
        """Check that timing changes neither weights nor statistics nor modes."""
        inputs = _inputs(meter)
        module = meter.port(_network(2), inputs)
        weights, images = deepcopy(module.state_dict()), inputs[0].clone()
        modes = [part.training for part in module.modules()]
        meter([module], [inputs])
        assert [part.training for part in module.modules()] == modes
        for name, value in module.state_dict().items():
            assert torch.equal(value, weights[name]), name
        assert torch.equal(inputs[0], images)

    def test_what_is_set_for_the_whole_process_is_put_back(self, meter: Meter) -> None:
        """Check torch's threads and modes, random numbers and Python's garbage collection."""
        threads = torch.get_num_threads()
        inputs = _inputs(meter)
        module = meter.port(_network(1), inputs)
        torch.set_num_threads(3)
        try:
            before = _process_state()
            meter([module], [inputs])
            assert _process_state() == before
        finally:
            torch.set_num_threads(threads)

    def test_a_reference_tells_the_pace_of_the_machine(self, meter: Meter) -> None:
        """Check it of meters that watch one."""
        if not isinstance(meter, WatchesReference):
            return
        inputs = _inputs(meter)
        reference = meter.port(_network(2), inputs)
        first_ms = meter.refer_to(reference, inputs)
        assert 0 < first_ms < math.inf
        assert meter.first_ms == first_ms
        assert meter.refer_to(reference, inputs, 7.0) == meter.first_ms == 7.0, "as it was when the run began"
        (timing,) = meter([meter.port(_network(1), inputs)], [inputs])
        assert timing.drift != 0, "the reference takes another time now"


def _network(convolutions: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(convolutions)]
        return nn.Sequential(*layers, nn.BatchNorm2d(CHANNELS), nn.Flatten(), nn.Linear(CHANNELS * PIXELS**2, 5)).eval()


def _inputs(meter: Meter) -> tuple[Tensor, ...]:
    shape = (meter.batch_size, CHANNELS, PIXELS, PIXELS)
    return (torch.randn(shape, generator=torch.Generator().manual_seed(0)),)


@lru_cache(maxsize=1)
def _timings(make: Callable[[], Meter]) -> list[Timing]:
    meter = make()
    inputs = _inputs(meter)
    modules = [meter.port(_network(convolutions), inputs) for convolutions in (SMALL, LARGE, SMALL)]
    return meter(modules, [inputs] * len(modules))


def _process_state() -> tuple[object, ...]:
    modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()
    denormal = float(torch.tensor(5e-324, dtype=torch.float64) * 1.0)
    random = tuple(torch.get_rng_state().tolist())
    return (torch.get_num_threads(), gc.isenabled(), denormal, random, *modes)
