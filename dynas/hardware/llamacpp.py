"""llama.cpp on the CPU: what running a decoder takes is measured on the GGUF file that would be deployed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from torch import Tensor, nn

from dynas.core.checkpoint import PublishesCheckpoints
from dynas.core.language import LanguageModel
from dynas.errors import DynasError, one_of
from dynas.export.gguf import refusal, told, write_gguf
from dynas.export.llamacpp import LlamaCpp
from dynas.export.network import relative_difference
from dynas.hardware.interleaved import Sample, Sampler
from dynas.hardware.latency import CpuMeter, Module
from dynas.hardware.runtime import check_packages
from dynas.metrics.generation import Prefill, Step

if TYPE_CHECKING:
    from dynas.core.bench import Bench

TOLERANCES = {"F32": 1e-3, "F16": 2e-3, "Q8_0": 3e-2}  # of the largest log probability, as for files that are exported
STEPS = 16  # tokens that a time per token is taken of
TRIED = 64  # random sub-networks that must be loadable before a search begins
PROBE = 8  # tokens of the text that llama.cpp is compared on


class LlamaCppNetwork(nn.Module):
    """A decoder in torch, and the same in llama.cpp.

    Quality is measured on the one, times on the other.

    Args:
        subnet: in torch.
        model: the same, loaded by llama.cpp.
    """

    def __init__(self, subnet: nn.Module, model: LlamaCpp) -> None:
        super().__init__()
        self.subnet, self.model = subnet, model

    @property
    def network(self) -> LanguageModel:
        """The decoder in torch."""
        return cast(LanguageModel, self.subnet)

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return self.network.vocabulary

    @property
    def positions(self) -> int:
        """Longest text in tokens."""
        return self.network.positions

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return the logits ``(N, T, vocabulary)`` of what follows each of the tokens ``(N, T)``, as torch does."""
        return self.network(input_ids)

    def start(self) -> Any:
        """Return what torch remembers before the first token."""
        return self.network.start()

    def decode(self, input_ids: Tensor, memories: Any) -> Tensor:
        """Continue texts by tokens ``(N, T)`` in torch; return the logits ``(N, vocabulary)`` of what follows."""
        return self.network.decode(input_ids, memories)


class LlamaCppMeter(CpuMeter):
    """Times decoders in llama.cpp, one text at a time, by its own clock; quality is that in torch.

    Args:
        weights: precision of the matrices: F32, F16 or Q8_0.
        threads: threads of llama.cpp.
        batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds: see `CpuMeter`.

    Raises:
        DynasError: a setting makes no sense on this machine.
    """

    def __init__(
        self,
        weights: str,
        threads: int,
        batch_size: int | None,
        warmup: int,
        min_repeats: int,
        max_repeats: int,
        tolerance: float,
        max_seconds: float = 2.0,
    ) -> None:
        super().__init__(threads, batch_size, warmup, min_repeats, max_repeats, tolerance, max_seconds)
        if weights not in TOLERANCES:
            raise one_of("hardware.weights", weights, TOLERANCES)
        self.weights = weights
        self.facts |= {"weights": weights}

    def check(self, bench: Bench) -> None:
        """Raise DynasError where a package is missing, or llama.cpp would not load every sub-network."""
        check_packages("hardware=llamacpp", ("gguf", "xllamacpp"), "llm")
        supernet = bench.supernet
        if not isinstance(supernet, PublishesCheckpoints):
            raise DynasError(f"hardware=llamacpp runs decoders of language, not '{supernet.name}': give hardware=cpu")
        space = supernet.space
        rows = [space.smallest(), space.largest(), *space.sample(TRIED, np.random.default_rng(0))]
        for row in rows:
            if why := refusal(supernet.checkpoint(supernet.subnet(space.decode(row)))):
                raise DynasError(
                    f"hardware=llamacpp cannot run all sub-networks: {why}; make less of the network elastic, such as "
                    "by supernet.groups and supernet.feeds, or give hardware=cpu"
                )

    def deploy(self, subnet: nn.Module, bench: Bench) -> nn.Module:
        """Return a sub-network with its like in llama.cpp.

        Raises:
            ValueError: the two differ by more than their precision explains.
        """
        supernet = bench.supernet
        assert isinstance(supernet, PublishesCheckpoints)
        with tempfile.TemporaryDirectory(prefix="dynas_") as folder:
            path = Path(folder) / "model.gguf"
            write_gguf(supernet.checkpoint(subnet), path, self.weights)
            model = LlamaCpp(path, self.threads)
        text = supernet.example_inputs(1)[0][0, :PROBE].tolist()
        apart = relative_difference((told(subnet, text),), (model.log_probabilities(text),))
        if not apart <= TOLERANCES[self.weights]:
            raise ValueError(
                f"llama.cpp computes something else than torch: log probabilities differ by {apart:.2g} of the largest "
                f"one, more than {TOLERANCES[self.weights]:g}"
            )
        return LlamaCppNetwork(subnet, model)

    def sampler(self, module: Module, inputs: tuple[Tensor, ...]) -> Sampler:
        """Return what times reading a text, or continuing it by a token, in llama.cpp; parts of networks run in torch.

        Raises:
            DynasError: it is several texts.
        """
        subnet = module.subnet if isinstance(module, Prefill | Step) else module
        if not isinstance(subnet, LlamaCppNetwork):
            return super().sampler(module, inputs)
        if len(inputs[0]) > 1:
            raise DynasError("hardware=llamacpp times one text at a time: give batch_size=1")
        if not isinstance(module, Step):
            text = inputs[0][0].tolist()
            return lambda: Sample(subnet.model.read_ms(text))
        read = [0] * min(module.memories.length, subnet.positions - 2)
        return lambda: Sample(subnet.model.step_ms(read, STEPS))
