"""An ONNX model: runs with ONNX Runtime and many others."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from dynas.export.network import BATCH, TOKENS, Network, Tensors, run, worst_difference

MODEL = "model.onnx"
FILES: tuple[str, ...] = (MODEL,)
PACKAGES: tuple[str, ...] = ("onnx", "onnxscript", "onnxruntime")
EXTRA, TASK, PRECISION = "onnx", "", "fp32"  # for networks of any task
TOLERANCE: float | None = 1e-4
USE = 'onnxruntime.InferenceSession("model.onnx")'


def refusal(network: Network) -> str | None:
    """Return why a network cannot be written in this format: nothing is known before it is tried."""
    return None


def save(network: Network, folder: Path) -> None:
    """Translate the traced network and write it with its weights as one file."""
    outputs = len(run(network.module, network.inputs(1 if network.batch_size is None else network.batch_size)))
    names = ["output"] if outputs == 1 else [f"output_{number}" for number in range(outputs)]
    with errors_only("torch.onnx", "onnxscript"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch about itself
        program = torch.onnx.export(
            network.program, dynamo=True, output_names=names, external_data=False, verbose=False
        )
    assert program is not None
    name_dimensions(program)
    program.save(folder / MODEL)


@contextmanager
def errors_only(*names: str) -> Iterator[None]:
    """Keep warnings of these loggers off the screen: of what nothing here needs, and of steps that are left out."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def name_dimensions(program: torch.onnx.ONNXProgram) -> None:
    """Call the dynamic dimensions ``batch`` and ``tokens``, since torch numbers them."""
    graph = program.model.graph
    for value in (*graph.inputs, *graph.outputs):
        for place, name in enumerate((BATCH, TOKENS)):
            if value.shape is not None and len(value.shape) > place and not isinstance(value.shape[place], int):
                value.shape[place] = name


def load(folder: Path) -> Callable[[Tensors], Tensors]:
    """Return the model in the file, run by ONNX Runtime on the CPU."""
    return session(folder / MODEL)


def session(path: Path) -> Callable[[Tensors], Tensors]:
    """Return a model in a file, run by ONNX Runtime on the CPU."""
    import onnxruntime

    opened = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [one.name for one in opened.get_inputs()]

    def answer(inputs: Tensors) -> Tensors:
        feeds = {name: tensor.numpy() for name, tensor in zip(names, inputs, strict=True)}
        return tuple(torch.from_numpy(output) for output in opened.run(None, feeds))

    return answer


def difference(network: Network, folder: Path) -> float:
    """Return the largest difference between what files and network compute, as a share of the largest output."""
    return worst_difference(network, load(folder))
