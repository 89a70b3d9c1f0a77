"""Deployment runtimes: what runs there is what torch computes, and all metrics measure it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from torch import Tensor, nn

from dynas import DynasError
from dynas.compose.build import build
from dynas.compose.frames import register
from dynas.compose.problem import build_problem
from dynas.core.bench import Bench
from dynas.core.data import Data
from dynas.core.supernet import Supernet
from dynas.export.network import Tensors
from dynas.hardware.onnxruntime import OnnxRuntimeMeter
from dynas.hardware.openvino import OpenVinoMeter
from dynas.hardware.runtime import RuntimeMeter, RuntimeNetwork
from dynas.metrics.latency import Latency
from dynas.metrics.measurer import Measurer
from dynas.metrics.size import Size, weight_bytes
from dynas.system.folders import CONFIGS

pytestmark = pytest.mark.slow

QUICK = (1, 4, 1, 3, 4, 0.5)  # threads, batch size, warm-up, repeats, precision
METERS: dict[str, Any] = {
    "onnxruntime": lambda: OnnxRuntimeMeter(*QUICK),
    "openvino": lambda: OpenVinoMeter(*QUICK, 16, bias_correction=False),
}


@pytest.fixture(params=METERS)
def meter(request: pytest.FixtureRequest) -> RuntimeMeter:
    made: RuntimeMeter = METERS[request.param]()
    return made


@pytest.fixture(autouse=True)
def _hydra() -> Iterator[None]:
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        yield


def load(supernet: str) -> Any:
    return build(compose("search", overrides=[f"supernet={supernet}"]), "supernet")


@pytest.mark.parametrize("name", ["mbv3", "proxyless", "resnet50", "bootstrap_resnet50", "ncf"])
def test_every_batch_gives_what_torch_gives(meter: RuntimeMeter, name: str) -> None:
    supernet = load(name)
    genotypes = supernet.space.sample(1, np.random.default_rng(3))
    for genotype in [supernet.space.smallest(), *genotypes]:
        subnet = supernet.subnet(supernet.space.decode(genotype))
        network = meter.port(subnet, supernet.example_inputs(4, subnet))
        for size in (4, 7):
            inputs = supernet.example_inputs(size, subnet)
            with torch.inference_mode():
                expected = subnet(*inputs)
                torch.testing.assert_close(network(*inputs), expected, rtol=0, atol=1e-4 * float(expected.abs().max()))
        parameters = sum(tensor.nbytes for tensor in subnet.parameters())
        assert 0.8 < weight_bytes(network) / parameters <= 1.01, "batch norm is folded into convolutions"


@pytest.mark.parametrize("hardware", METERS)
def test_a_recommender_is_as_good_there_as_in_torch(hardware: str) -> None:
    measured = {}
    for name in (hardware, "cpu"):
        quick = ["hardware.min_repeats=2", "hardware.max_repeats=2"]
        config = compose("search", overrides=["supernet=ncf", f"hardware={name}", "objectives=[hr10,latency]", *quick])
        problem, measurer = build_problem(config)
        assert measurer.bench.meter.batch_size == 100, "the candidates of one user"
        (row,) = measurer.measure(problem.space.smallest()[None])
        assert row.error == ""
        measured[name] = row.values
    assert measured[hardware][0] == pytest.approx(measured["cpu"][0], abs=0.2)
    assert measured[hardware][1] > 0


class NoData(Data):
    task, quality, digest = "classification", "top1", "none"


class Doubtful(Supernet):
    """Ends in an addition that tracing freezes, so that the converted network is another one."""

    name, task = "doubtful", "classification"
    weights_digest = "none"

    def __init__(self) -> None:
        self.space = load("mbv3").space
        self.made = 0

    def subnet(self, architecture: Any) -> nn.Module:
        self.made += 1
        return Forgetful(frozen=self.made % 2 == 0).eval()

    def example_inputs(self, batch_size: int, subnet: nn.Module | None = None) -> tuple[Tensor, ...]:
        return (torch.ones(batch_size, 3),)

    def macs(self, genotypes: Any) -> Any:
        return np.zeros(len(genotypes), dtype=np.int64)

    params = macs


class Forgetful(nn.Module):
    """Where ``frozen``, adds one more in every call, which a trace cannot know."""

    def __init__(self, frozen: bool) -> None:
        super().__init__()
        self.frozen, self.calls = frozen, 0
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        y: Tensor = self.linear(x)
        return y + 10.0 * self.calls if self.frozen else y


def test_a_conversion_that_computes_something_else_fails_that_candidate_only(meter: RuntimeMeter) -> None:
    supernet: Any = Doubtful()
    measurer = Measurer(Bench(supernet, NoData(), meter), {"latency": Latency(), "size": Size()})
    rows = list(measurer.measure(supernet.space.sample(3, np.random.default_rng(0))))
    assert [row.error == "" for row in rows] == [True, False, True]
    assert f"{meter.name} computes something else than torch: outputs differ by" in rows[1].error
    assert np.isnan(rows[1].values).all()
    assert np.isfinite([rows[0].values, rows[2].values]).all()


def test_a_network_of_many_forward_passes_is_refused(meter: RuntimeMeter) -> None:
    measurer = Measurer(Bench(load("transformer"), NoData(), meter))  # type: ignore[arg-type]
    with pytest.raises(DynasError, match=f"hardware={meter.name} runs networks of a single forward pass, not 'transf"):
        measurer.check()


def test_a_missing_runtime_is_told_with_what_to_install(meter: RuntimeMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dynas.hardware.runtime.find_spec", lambda name: None)
    with pytest.raises(DynasError, match=r"needs .+ and \w+: .*pip install .*'onnx>="):
        Measurer(Bench(load("mbv3"), NoData(), meter)).check()  # type: ignore[arg-type]


def test_the_threads_are_those_of_the_config_and_do_not_spin() -> None:
    import onnxruntime

    made: list[Any] = []
    original = onnxruntime.InferenceSession

    class Kept(original):  # type: ignore[misc, valid-type]
        def __init__(self, model: bytes, options: Any, providers: list[str]) -> None:
            made.append(options)
            super().__init__(model, options, providers=providers)

    meter = OnnxRuntimeMeter(*QUICK)
    onnxruntime.InferenceSession = Kept
    try:
        network: RuntimeNetwork = meter.port(nn.Linear(3, 2).eval(), inputs := tensors(4))
        network(*inputs)
    finally:
        onnxruntime.InferenceSession = original
    options = made
    assert len(options) == 1, "a session per shape, and one shape"
    assert (options[0].intra_op_num_threads, options[0].inter_op_num_threads) == (1, 1)
    assert options[0].get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options[0].execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL


def tensors(size: int) -> Tensors:
    return (torch.ones(size, 3),)
