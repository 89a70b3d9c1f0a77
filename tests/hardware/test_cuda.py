"""The CUDA meter: its refusal where there is no GPU, and, marked gpu, what it does on one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dynas import DynasError
from dynas.core.bench import Bench
from dynas.data.fashion_mnist import FashionMNIST
from dynas.hardware.cuda import CudaMeter, driver_facts
from dynas.metrics.accuracy import Top1
from dynas.metrics.calibration import device_of
from dynas.metrics.latency import Latency
from dynas.metrics.measurer import Measurer
from dynas.supernets.mbv3 import MobileNetV3Supernet
from tests.helpers.cli import dynas

GPU = torch.cuda.is_available()


@pytest.fixture(params=[False, True], ids=["launches", "graphs"])
def graphs(request: pytest.FixtureRequest) -> bool:
    if not GPU:
        pytest.skip("torch finds no GPU on this machine")
    return bool(request.param)


def meter(graphs: bool = False, device: int = 0, batch_size: int = 4) -> CudaMeter:
    return CudaMeter(batch_size, 5, 5, 20, 0.05, 10, device, "eager", True, graphs)


@pytest.mark.skipif(GPU, reason="this machine has a GPU")
def test_a_machine_without_a_gpu_is_refused_in_one_sentence(tmp_path: object) -> None:
    with pytest.raises(DynasError, match=r"hardware=cuda needs an NVIDIA GPU .* choose hardware=cpu"):
        meter()
    done = dynas("search", "hardware=cuda", cwd=tmp_path)  # type: ignore[arg-type]
    assert done.returncode == 1
    assert "hardware=cuda needs an NVIDIA GPU" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_driver_that_does_not_answer_tells_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert driver_facts("no-such-gpu") == {}


def test_modules_compute_where_their_parameters_are() -> None:
    assert device_of(nn.ReLU()) == torch.device("cpu")
    assert device_of(nn.Linear(2, 2, device="meta")) == torch.device("meta")


@pytest.mark.gpu
def test_a_larger_module_takes_longer_on_the_gpu(graphs: bool) -> None:
    images = torch.randn(8, 16, 64, 64)
    modules = [nn.Sequential(*(nn.Conv2d(16, 16, 3) for _ in range(n))).eval().cuda() for n in (2, 20)]
    few, many = meter(graphs)(modules, [(images,)] * 2)
    assert 3 * few.median_ms < many.median_ms
    assert few.p10_ms <= few.median_ms <= few.p90_ms


@pytest.mark.gpu
def test_accuracy_on_the_gpu_is_that_on_the_cpu(graphs: bool) -> None:
    supernet = MobileNetV3Supernet("embedded", 0.125, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2))
    data = FashionMNIST("embedded", 2, 500, 200)
    genotypes = supernet.space.sample_distinct(3, np.random.default_rng(0))
    bench = Measurer(Bench(supernet, data, meter(graphs)), {"latency": Latency(), "top1": Top1()})
    bench.check()
    first = bench.watch_reference()
    assert first is not None
    assert first > 0
    measured = list(bench.measure(genotypes))
    for genotype, row in zip(genotypes, measured, strict=True):
        assert row.error == ""
        subnet = supernet.subnet(supernet.space.decode(genotype))
        (here,) = Top1().measure([subnet], bench)
        assert row.values[1] == pytest.approx(here.value, abs=1.0)
        assert bench.deployed(genotype).training is False
        assert device_of(bench.deployed(genotype)).type == "cuda"


@pytest.mark.gpu
def test_facts_name_the_gpu(graphs: bool) -> None:
    facts = meter(graphs).facts
    assert facts["gpu"] == torch.cuda.get_device_name(0)
    assert {"capability", "memory_bytes", "cuda", "cudnn"} <= set(facts)


@pytest.mark.gpu
def test_a_gpu_that_is_not_there_is_refused(graphs: bool) -> None:
    with pytest.raises(DynasError, match=r"hardware\.device=99: give 0 to"):
        meter(graphs, device=99)
