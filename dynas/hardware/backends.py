"""How torch runs a module that is timed: as it is, compiled, or traced and frozen."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dynas.errors import DynasError, reason

if TYPE_CHECKING:
    from dynas.core.bench import Bench
    from dynas.hardware.latency import TimingMeter

Inputs = tuple[Tensor, ...]
Backend = Callable[[nn.Module, Inputs], Callable[..., Any]]


def eager(module: nn.Module, inputs: Inputs) -> Callable[..., Any]:
    """Return the module as it is."""
    return module


def compiled(module: nn.Module, inputs: Inputs) -> Callable[..., Any]:
    """Return the module compiled by torch.compile for inputs of these shapes.

    It is exported first: torch.compile keeps what it compiled by the code of a module, and would give up on the ninth
    sub-network of the same code.
    """
    run: Callable[..., Any] = torch.compile(torch.export.export(module, inputs).module(), dynamic=False)
    with torch.inference_mode():
        run(*inputs)  # compiles
    return run


def frozen(module: nn.Module, inputs: Inputs) -> Callable[..., Any]:
    """Return the module traced and frozen by torch.jit: weights are constants, batch norm is folded into them."""
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # of torch about itself, and of channel counts that are constants
        traced = torch.jit.trace(module, inputs, check_trace=False)  # type: ignore[no-untyped-call]
        run: Callable[..., Any] = torch.jit.freeze(traced)
        for _ in range(2):  # what it learns from two runs makes the third one faster
            run(*inputs)
    return run


BACKENDS: Mapping[str, Backend] = {"eager": eager, "compile": compiled, "freeze": frozen}


def named_backend(name: str) -> Backend:
    """Return a backend by its name.

    Raises:
        DynasError: there is none of this name, or it needs a compiler that this machine lacks.
    """
    if name not in BACKENDS:
        raise DynasError(f"hardware.backend={name}: give {', '.join(BACKENDS)}")
    compiler = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if name == "compile" and shutil.which(compiler) is None:
        raise DynasError(
            f"hardware.backend=compile needs the C++ compiler '{compiler}', which this machine lacks: install one, "
            "name another by the environment variable CXX, or give hardware.backend=freeze"
        )
    return BACKENDS[name]


def check_backend(meter: TimingMeter, bench: Bench) -> None:
    """Raise DynasError where a meter's backend cannot run the sub-networks of a bench."""
    (timed,) = bench.to_time([bench.deployed(bench.supernet.space.smallest())], meter.batch_size)
    try:
        with meter.conditions():
            meter.sampler(*timed)
    except Exception as error:  # compilers raise anything
        raise DynasError(
            f"hardware.backend cannot run sub-networks of '{bench.supernet.name}' here ({reason(error)}): "
            "give hardware.backend=eager"
        ) from error


def images_last(inputs: Inputs) -> Inputs:
    """Return inputs with images ``(N, C, H, W)`` in channels-last format, everything else as it is."""
    return tuple(
        one.contiguous(memory_format=torch.channels_last) if one.dim() == 4 else one.contiguous() for one in inputs
    )
