"""PyTorch on an NVIDIA GPU, timed by CUDA events."""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dynas.errors import DynasError
from dynas.hardware.backends import check_backend, eager, images_last, named_backend
from dynas.hardware.interleaved import Sample, Sampler
from dynas.hardware.latency import TimingMeter
from dynas.hardware.runtime import check_one_pass

if TYPE_CHECKING:
    from dynas.core.bench import Bench

QUERIES = ("driver_version", "clocks.sm", "clocks.max.sm", "clocks.mem", "power.limit")  # of nvidia-smi
UNTIMED = 2  # passes before each timing, as many as torch's Timer makes on the CPU


class CudaMeter(TimingMeter):
    """Runs sub-networks of a single forward pass on one GPU; accuracy is measured there, too.

    A timing is what passes on the GPU between two events around one forward pass, which begins once all earlier work
    is done. Copies between host and GPU are not timed.

    Args:
        batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds: see `TimingMeter`.
        device: number of the GPU.
        backend: ``eager``, ``compile`` (torch.compile) or ``freeze`` (torch.jit).
        channels_last: whether weights and images lie in memory channels last.
        graphs: whether a pass is captured as a CUDA graph, which is launched as a whole.

    Raises:
        DynasError: there is no such GPU, or a setting makes no sense.
    """

    def __init__(
        self,
        batch_size: int | None,
        warmup: int,
        min_repeats: int,
        max_repeats: int,
        tolerance: float,
        max_seconds: float,
        device: int,
        backend: str,
        channels_last: bool,
        graphs: bool,
    ) -> None:
        super().__init__(batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds)
        if not torch.cuda.is_available():
            raise DynasError(
                f"hardware=cuda needs an NVIDIA GPU and a torch built for it; torch {torch.__version__} finds none: "
                "choose hardware=cpu"
            )
        if not 0 <= device < torch.cuda.device_count():
            raise DynasError(f"hardware.device={device}: give 0 to {torch.cuda.device_count() - 1}")
        self.device = f"cuda:{device}"
        self.backend, self.channels_last, self.graphs = named_backend(backend), channels_last, graphs
        self.facts |= device_facts(device)

    def check(self, bench: Bench) -> None:
        """Raise DynasError where the sub-networks are more than one forward pass, or cannot run as was asked for."""
        check_one_pass("cuda", bench)
        if self.graphs or self.backend is not eager:
            check_backend(self, bench)

    def deploy(self, subnet: nn.Module, bench: Bench) -> nn.Module:
        """Return a sub-network on the GPU."""
        return self.port(subnet, ())

    def port(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> nn.Module:
        """Return any module on the GPU, whatever its inputs."""
        memory_format = torch.channels_last if self.channels_last else torch.contiguous_format
        return module.to(self.device, memory_format=memory_format)  # type: ignore[call-overload, no-any-return]

    def sampler(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> Sampler:
        """Return what times one forward pass of a module."""
        inputs = tuple(one.to(self.device) for one in (images_last(inputs) if self.channels_last else inputs))
        run = self.backend(module, inputs)
        launch = captured(run, inputs) if self.graphs else lambda: run(*inputs)
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]

        def take() -> Sample:
            for _ in range(UNTIMED):
                launch()
            torch.cuda.synchronize(self.device)
            begin.record()
            launch()
            end.record()
            end.synchronize()
            return Sample(begin.elapsed_time(end))

        return take

    @contextmanager
    def conditions(self) -> Iterator[None]:
        """Compute on the GPU in inference mode, without garbage collection; then as before."""
        collects = gc.isenabled()
        gc.disable()
        try:
            with torch.cuda.device(self.device), torch.inference_mode():
                yield
        finally:
            if collects:
                gc.enable()


def captured(run: Callable[..., Any], inputs: tuple[Tensor, ...]) -> Callable[[], None]:
    """Return what launches a pass as a CUDA graph, captured after a few passes on a stream of their own."""
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            run(*inputs)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run(*inputs)
    replay: Callable[[], None] = graph.replay
    return replay


def device_facts(device: int) -> dict[str, object]:
    """Return name, compute capability, memory, versions and, where the driver tells, clocks of a GPU."""
    properties = torch.cuda.get_device_properties(device)
    return {
        "gpu": properties.name,
        "capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "memory_bytes": properties.total_memory,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        **driver_facts(str(getattr(properties, "uuid", ""))),
    }


def driver_facts(uuid: str) -> dict[str, object]:
    """Return what nvidia-smi says of the GPU of this identity; nothing where it does not run."""
    command = ["nvidia-smi", f"--id=GPU-{uuid}", f"--query-gpu={','.join(QUERIES)}", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    return dict(zip(QUERIES, (cell.strip() for cell in answer.split(",")), strict=False))
