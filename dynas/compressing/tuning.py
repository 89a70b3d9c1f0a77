"""Fine-tuning of the candidates, each for as many steps as the time allows; what is done is on disk."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from dynas.compressing.candidates import Candidate
from dynas.compressing.timing import Clock
from dynas.core.supernet import Supernet
from dynas.errors import DynasError, reason
from dynas.system.files import replacing
from dynas.training.tuning import Tuner

FOLDER = "tuned"
TIMED = 5  # steps that tell how long one takes
FEWEST = 20  # below it, tuning is not worth its name

Say = Callable[[str], None]


def tune(candidates: Sequence[Candidate], tuner: Tuner, clock: Clock, folder: Path, say: Say) -> list[nn.Module]:
    """Return the candidates after fine-tuning, in eval mode; those that were tuned before are read.

    Args:
        candidates: who is tuned.
        tuner: tunes for as many steps as are wanted.
        clock: shares out the time that is left among those that are missing.
        folder: of the compression; weights go to ``tuned``.
        say: tells a sentence.
    """
    (folder / FOLDER).mkdir(exist_ok=True)
    missing = [one for one in candidates if not path_of(folder, one).exists()]
    for place, one in enumerate(missing):
        steps = affordable(tuner, one, clock.left("tuning") / (len(missing) - place))
        say(f"tuning {one.name} ({', '.join(one.rules)}; {one.limit}) for {steps} steps")
        module = tuner.tuned(one.architecture, steps)
        with replacing(path_of(folder, one)) as file:
            file.write(save(apart(module)))
    return [read_tuned(folder, one, tuner.supernet) for one in candidates]


def apart(module: nn.Module) -> dict[str, Tensor]:
    """Return a state dict whose tensors share no memory, as safetensors wants them, even where layers share theirs."""
    return {name: value.clone(memory_format=torch.contiguous_format) for name, value in module.state_dict().items()}


def affordable(tuner: Tuner, candidate: Candidate, seconds: float) -> int:
    """Return the number of steps that a candidate gets within a time."""
    if math.isinf(seconds):
        return tuner.steps
    tuner.tuned(candidate.architecture, 1)  # where everything is made that is made once
    began = time.perf_counter()
    tuner.tuned(candidate.architecture, 1)
    fixed = time.perf_counter() - began
    began = time.perf_counter()
    tuner.tuned(candidate.architecture, 1 + TIMED)
    each = max(time.perf_counter() - began - fixed, 1e-6) / TIMED
    return int(min(tuner.steps, max(FEWEST, (seconds - 2 * fixed - TIMED * each) / each)))


def path_of(folder: Path, candidate: Candidate) -> Path:
    """Return where a candidate's weights are."""
    return folder / FOLDER / f"{candidate.name}.safetensors"


def read_tuned(folder: Path, candidate: Candidate, supernet: Supernet) -> nn.Module:
    """Return a tuned candidate in eval mode; raise DynasError where its file is damaged."""
    module, path = supernet.subnet(candidate.architecture), path_of(folder, candidate)
    try:
        module.load_state_dict(load_file(path))
    except Exception as error:  # of safetensors or of torch, for a file of another network
        raise DynasError(f"'{path}' cannot be read ({reason(error)}): remove it, so that it is made again") from error
    return module.eval()
