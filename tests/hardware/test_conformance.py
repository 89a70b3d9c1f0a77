"""Every meter keeps the promises of meters."""

from __future__ import annotations

import shlex
import sys
from functools import partial

import pytest
import torch

from dynas.hardware.command import CommandMeter
from dynas.hardware.cpu import TorchCpuMeter
from dynas.hardware.cuda import CudaMeter
from dynas.hardware.llamacpp import LlamaCppMeter
from dynas.hardware.onnxruntime import OnnxRuntimeMeter
from dynas.hardware.openvino import OpenVinoMeter
from dynas.testing import MeterSuite
from tests.helpers.cli import ROOT

QUICK = (1, 0, 2, 3, 1.0)  # batch size, warm-up, repeats, tolerance
SECONDS = 0.1
BOARD = " ".join(map(shlex.quote, (sys.executable, str(ROOT / "tests/helpers/own/board.py")))) + " {onnx} {shape}"


class TestTorchCpuMeter(MeterSuite):
    make = staticmethod(lambda: TorchCpuMeter(1, *QUICK, max_seconds=SECONDS))


class TestOnnxRuntimeMeter(MeterSuite):
    make = staticmethod(lambda: OnnxRuntimeMeter(1, *QUICK, max_seconds=SECONDS))

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("onnxruntime")


class TestOpenVinoMeter(MeterSuite):
    make = staticmethod(
        lambda: OpenVinoMeter(1, *QUICK, max_seconds=SECONDS, calibration_images=4, bias_correction=False)
    )

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("openvino")


class TestLlamaCppMeter(MeterSuite):
    make = staticmethod(lambda: LlamaCppMeter("F16", 1, *QUICK, max_seconds=SECONDS))


class TestCommandMeter(MeterSuite):
    make = staticmethod(partial(CommandMeter, BOARD, 1, 60))

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("onnxruntime")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU on this machine")
class TestCudaMeter(MeterSuite):
    make = staticmethod(lambda: CudaMeter(*QUICK, SECONDS, 0, "eager", True, False))
    tolerance = 1e-2  # convolutions may run in TF32
