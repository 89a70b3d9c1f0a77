"""ONNX Runtime on the CPU: sub-networks run, are judged and are timed in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import nn

from dynas.core.supernet import resolution_of
from dynas.export.network import BATCH, TOKENS, Tensors
from dynas.export.onnx_trace import trace_onnx
from dynas.hardware.runtime import Run, RuntimeMeter, RuntimeNetwork, Shapes

QUIET = 3  # errors only


class OnnxRuntimeMeter(RuntimeMeter):
    """Runs networks in ONNX Runtime, one after the other, with all of its graph optimisations.

    Args:
        threads: threads of an inference; those that wait do not spin.
        batch_size, warmup, min_repeats, max_repeats, precision: see `dynas.hardware.latency.CpuMeter`.

    Raises:
        DynasError: a number makes no sense on this machine.
    """

    name = "onnxruntime"
    packages = ("onnx", "onnxruntime")

    def convert(self, module: nn.Module, inputs: Tensors, free: Sequence[str] = (BATCH,)) -> RuntimeNetwork:
        """Return a module in eval mode as a network of this runtime whose inputs are free in leading dimensions."""
        return SessionNetwork(trace_onnx(module, inputs, free), self.threads, module)


class SessionNetwork(RuntimeNetwork):
    """An ONNX model in ONNX Runtime.

    Args:
        model: takes inputs of any batch size.
        threads: threads of an inference.
        module: where it comes from.
    """

    def __init__(self, model: bytes, threads: int, module: nn.Module) -> None:
        super().__init__(resolution_of(module))
        self.model, self.threads = model, threads

    @cached_property
    def weight_bytes(self) -> int:
        """Bytes of all weights and biases."""
        import onnx

        return sum(len(weights.raw_data) for weights in onnx.load_from_string(self.model).graph.initializer)

    def compile_for(self, shapes: Shapes) -> Run:
        """Return what computes the output of inputs of these shapes."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        for name, length in zip((BATCH, TOKENS), shapes[0], strict=False):
            options.add_free_dimension_override_by_name(name, length)
        options.log_severity_level = QUIET
        session = onnxruntime.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])
        names = [one.name for one in session.get_inputs()]

        def compute(arrays: list[NDArray[np.generic]]) -> NDArray[np.float32]:
            output: NDArray[np.float32] = session.run(None, dict(zip(names, arrays, strict=True)))[0]
            return output

        return compute
