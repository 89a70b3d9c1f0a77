from __future__ import annotations

import os
import shutil

import pytest
import torch
from torch import nn

from dynas import DynasError
from dynas.core.bench import Bench
from dynas.data.fashion_mnist import FashionMNIST
from dynas.hardware.backends import BACKENDS, images_last
from dynas.hardware.cpu import TorchCpuMeter
from dynas.metrics.accuracy import Top1
from dynas.metrics.latency import Latency
from dynas.metrics.measurer import Measurer
from dynas.supernets.mbv3 import MobileNetV3Supernet

IMAGES = torch.randn(2, 3, 8, 8)


def meter(backend: str = "eager", channels_last: bool = True) -> TorchCpuMeter:
    return TorchCpuMeter(1, 2, 2, 3, 4, 0.5, 60, backend, channels_last)


def network(channels: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, channels, 3), nn.BatchNorm2d(channels), nn.ReLU(), nn.Flatten()).eval()


@pytest.mark.parametrize("backend", ["eager", "freeze"])
def test_a_backend_computes_what_the_module_computes(backend: str) -> None:
    module = network(4)
    with meter().conditions():
        run = BACKENDS[backend](module, (IMAGES,))
        assert torch.allclose(run(IMAGES), module(IMAGES), atol=1e-5)
        assert (run is module) == (backend == "eager")


def test_batch_norm_is_folded_where_a_module_is_frozen() -> None:
    run = BACKENDS["freeze"](network(4), (IMAGES,))
    assert "batch_norm" not in str(run.graph)  # type: ignore[attr-defined]


@pytest.mark.skipif(shutil.which(os.environ.get("CXX", "g++")) is None, reason="this machine has no C++ compiler")
def test_more_modules_of_the_same_code_are_compiled_than_torch_compiles_by_itself() -> None:
    counters = torch._dynamo.utils.counters
    counters.clear()
    modules = [nn.Sequential(nn.Linear(width, 4), nn.ReLU()).eval() for width in (2, 3)]
    inputs = [torch.randn(2, width) for width in (2, 3)]
    with torch._dynamo.config.patch(recompile_limit=1):
        runs = [BACKENDS["compile"](module, (own,)) for module, own in zip(modules, inputs, strict=True)]
        assert counters["stats"]["unique_graphs"] == 2
        with torch.inference_mode():
            for run, module, own in zip(runs, modules, inputs, strict=True):
                assert torch.allclose(run(own), module(own), atol=1e-5)
        assert counters["stats"]["unique_graphs"] == 2, "nothing is compiled while it is timed"


def test_what_is_prepared_is_prepared_before_the_first_timing() -> None:
    modules = [network(4), network(5)]
    for latency in meter("freeze")(modules, [(IMAGES,)] * 2):
        assert 0 < latency.median_ms < 50


def test_images_lie_channels_last_where_that_was_asked_for() -> None:
    seen = []

    class Spy(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.is_contiguous(memory_format=torch.channels_last))
            return x

    for channels_last in (True, False):
        seen.clear()
        meter(channels_last=channels_last)([Spy()], [(IMAGES,)])
        assert set(seen) == {channels_last}
        convolution = meter(channels_last=channels_last).deploy(nn.Conv2d(3, 4, 3), None)  # type: ignore[arg-type]
        assert convolution.weight.is_contiguous(memory_format=torch.channels_last) == channels_last
    assert images_last((torch.ones(3, 2),))[0].shape == (3, 2)


def test_accuracy_is_that_of_the_module_whatever_is_timed() -> None:
    supernet = MobileNetV3Supernet("embedded", 0.125, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2))
    data = FashionMNIST("embedded", 2, 100, 40)
    genotype = supernet.space.smallest()[None]
    values = {}
    for backend in ("eager", "freeze"):
        bench = Measurer(Bench(supernet, data, meter(backend)), {"latency": Latency(), "top1": Top1()})
        bench.check()
        (row,) = bench.measure(genotype)
        assert row.error == ""
        values[backend] = row.values
    assert values["eager"][1] == values["freeze"][1]


def test_a_backend_that_cannot_run_a_supernet_is_refused_before_anything_is_measured() -> None:
    class Untraceable(MobileNetV3Supernet):
        def subnet(self, architecture: object) -> nn.Module:
            class Module(nn.Module):
                def forward(self, x: torch.Tensor) -> torch.Tensor:
                    raise RuntimeError("no trace of me")

            return Module()

    supernet = Untraceable("random", 0.125, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2))
    with pytest.raises(
        DynasError, match=r"cannot run sub-networks of .* here \(.*no trace of me.*hardware.backend=eager"
    ):
        Measurer(Bench(supernet, FashionMNIST("embedded", 2, 100, 40), meter("freeze")), {"latency": Latency()}).check()


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(DynasError, match=r"hardware\.backend=tvm: give eager, compile, freeze"):
        meter("tvm")


def test_compiling_without_a_compiler_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(DynasError, match=r"needs the C\+\+ compiler 'no-such-compiler'.*CXX.*backend=freeze"):
        meter("compile")
    assert meter("freeze")
