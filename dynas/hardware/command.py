"""A user's own command as the target: it gets an ONNX file per sub-network and prints milliseconds."""

from __future__ import annotations

import math
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, nn

from dynas.core.bench import Meter
from dynas.core.meter import Timing
from dynas.errors import DynasError
from dynas.export.onnx_trace import trace_onnx
from dynas.hardware.latency import summarised
from dynas.hardware.runtime import check_one_pass, check_packages

if TYPE_CHECKING:
    from dynas.core.bench import Bench

ONNX, SHAPE = "{onnx}", "{shape}"
SHOWN = 200  # characters of a command's output that an error quotes


class CommandError(Exception):
    """A run of the command that gave no latency."""


class CommandMeter(Meter):
    """Times modules by a command, which thereby makes any phone, board or simulator a target.

    The command is started once per module, without a shell. ``{onnx}`` in it stands for the path of an ONNX file with
    weights and a fixed batch size, which is removed afterwards, and ``{shape}`` for the shapes of the inputs, such as
    ``1x3x224x224``, with commas between several. Without ``{onnx}`` the path is the last argument. The last line that
    it prints is a latency in milliseconds, or several timings with spaces between them.

    Args:
        command: program and arguments, quoted as in a shell.
        batch_size: samples per forward pass; None: 1.
        timeout: seconds after which the command and all that it started are killed.

    Attributes:
        together: 1, as modules cannot take turns: each one's result is kept before the next one is started.

    Raises:
        DynasError: there is no such program, or a number makes no sense.
    """

    together = 1

    def __init__(self, command: str, batch_size: int | None, timeout: float) -> None:
        batch_size = 1 if batch_size is None else batch_size
        if batch_size < 1 or not 0 < timeout < math.inf:
            raise DynasError(f"hardware=command needs batch_size >= 1 and timeout > 0, got {batch_size} and {timeout}")
        try:
            words = shlex.split(str(command))  # YAML makes a boolean of true
        except ValueError as error:
            raise DynasError(f"hardware.command={command}: {error}, quote it as in a shell") from error
        if not words or shutil.which(words[0]) is None:
            raise DynasError(
                f"hardware.command={command}: there is no program '{words[0] if words else ''}' that can be started, "
                'give one such as hardware.command="./phone.sh {onnx}"'
            )
        self.words = words if any(ONNX in word for word in words) else [*words, ONNX]
        self.batch_size, self.timeout = batch_size, timeout

    def check(self, bench: Bench) -> None:
        """Raise DynasError where a package is missing, or a sub-network is more than one forward pass."""
        check_packages("hardware=command", ("onnx",), "onnxruntime")
        check_one_pass("command", bench)

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
        """Return one latency per module, as the command prints it for each one's own inputs.

        Raises:
            CommandError: it printed none.
        """
        return [self._time(module, own) for module, own in zip(modules, inputs, strict=True)]

    def _time(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> Timing:
        shape = ",".join("x".join(map(str, one.shape)) for one in inputs)
        with tempfile.TemporaryDirectory(prefix="dynas_") as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(trace_onnx(module, inputs, free=()))
            words = [word.replace(ONNX, str(path)).replace(SHAPE, shape) for word in self.words]
            return summarised(milliseconds(run_command(words, self.timeout, Path(folder))))


def run_command(words: Sequence[str], timeout: float, folder: Path) -> str:
    """Return what a command prints.

    Args:
        words: program and arguments.
        timeout: seconds after which it is killed, with all that it started in its process group.
        folder: where its output is kept meanwhile.

    Raises:
        CommandError: it cannot be started, took too long or failed.
    """
    output, errors = folder / "output", folder / "errors"  # not pipes, which whatever outlives the command may hold
    with output.open("wb") as out, errors.open("wb") as err:
        try:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        except OSError as error:
            raise CommandError(f"the command cannot be started: {error.strerror}") from error
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"the command took longer than hardware.timeout={timeout:g} seconds") from error
        finally:  # also of an interrupt, which a process group of its own does not hear of
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if status != 0:
        raise CommandError(f"the command ended with status {status}: {quoted(errors) or quoted(output) or 'no output'}")
    return output.read_text(encoding="utf-8", errors="replace")


def milliseconds(printed: str) -> list[float]:
    """Return the timings in the last line that a command printed.

    Raises:
        CommandError: it holds anything but positive numbers.
    """
    lines = [line for line in printed.splitlines() if line.strip()]
    last = lines[-1].strip() if lines else ""
    try:
        times = [float(word) for word in last.split()]
    except ValueError:
        times = []
    if not times or not all(0 < time < math.inf for time in times):
        raise CommandError(
            f"the command printed '{last[:SHOWN]}', not a positive number of milliseconds in its last line"
        )
    return times


def quoted(path: Path) -> str:
    """Return the end of what was printed to a file, as one line."""
    return " ".join(path.read_text(encoding="utf-8", errors="replace").split())[-SHOWN:]
