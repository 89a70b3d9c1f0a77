"""What running a decoder takes: time to the first token, time per token, tokens per second, and memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas.core.language import TASK, LanguageModel, LanguageSupernet
from dynas.core.metric import CountedMetric, MeasuredMetric, Reading
from dynas.core.space import Genotypes
from dynas.core.supernet import Supernet
from dynas.errors import DynasError
from dynas.metrics.calibration import device_of

if TYPE_CHECKING:
    from dynas.core.bench import Bench
    from dynas.core.meter import Timing

BITS = {"float32": 32, "bfloat16": 16, "float16": 16, "int8": 8}


class Prefill(nn.Module):
    """Reads a text and tells what follows."""

    def __init__(self, subnet: nn.Module) -> None:
        super().__init__()
        self.subnet = subnet

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits ``(N, vocabulary)`` of what follows texts ``(N, T)``."""
        network = cast(LanguageModel, self.subnet)
        return network.decode(tokens, network.start())


class Step(nn.Module):
    """Continues texts that were read before by one token, always from the same state.

    Args:
        subnet: the network.
        read: tokens of the texts ``(N, T)``.
    """

    def __init__(self, subnet: nn.Module, read: Tensor) -> None:
        super().__init__()
        self.subnet = subnet
        network = cast(LanguageModel, subnet)
        self.memories = network.start()
        with torch.inference_mode():
            network.decode(read.to(device_of(subnet)), self.memories)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits ``(N, vocabulary)`` of what follows tokens ``(N, 1)``."""
        return cast(LanguageModel, self.subnet).decode(tokens, self.memories.copy())


class Generation(MeasuredMetric):
    """What metrics of running decoders have in common.

    Args:
        batch_size: texts at a time.
        length: tokens of the text that is read, or that was read before a step.

    Raises:
        DynasError: a number makes no sense.
    """

    task = TASK
    noisy = True
    times = True

    def __init__(self, batch_size: int, length: int) -> None:
        if min(batch_size, length) < 1:
            raise DynasError(f"metric.batch_size={batch_size} metric.length={length}: give 1 or more")
        self.batch_size, self.length = batch_size, length
        self.text = torch.zeros(batch_size, length, dtype=torch.long)

    def check(self, bench: Bench) -> None:
        """Raise DynasError where networks cannot be run token by token, or not on so long a text."""
        smallest = bench.deployed(bench.supernet.space.smallest())
        if not isinstance(smallest, LanguageModel):
            raise DynasError(
                "ttft, tpot and tokens_per_second run a network token by token, which this hardware does not: give "
                "hardware=cpu or hardware=llamacpp, or objectives without them"
            )
        if self.length >= smallest.positions:
            raise DynasError(
                f"metric.length={self.length}: give less than {smallest.positions}, the network's longest text"
            )

    def prefills(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Timing]:
        """Time all sub-networks reading texts, in interleaved rounds."""
        return bench.meter([Prefill(one).eval() for one in subnets], [(self.text,)] * len(subnets))

    def steps(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Timing]:
        """Time all sub-networks continuing texts by a token, in interleaved rounds."""
        return bench.meter([Step(one, self.text).eval() for one in subnets], [(self.text[:, :1],)] * len(subnets))


class TimeToFirstToken(Generation):
    """Median time of reading texts and telling the token behind them."""

    extras = ("ttft_repeats [runs]", "ttft_quality")

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Time all sub-networks."""
        return [told(one, self.extras) for one in self.prefills(subnets, bench)]


class TimePerToken(Generation):
    """Median time of one more token behind texts that were read before."""

    extras = ("tpot_repeats [runs]", "tpot_quality")

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Time all sub-networks."""
        return [told(one, self.extras) for one in self.steps(subnets, bench)]


class TokensPerSecond(Generation):
    """Tokens that are made in a second for several texts at a time, from the median time of a step."""

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Time all sub-networks."""
        return [Reading(1e3 * self.batch_size / one.median_ms) for one in self.steps(subnets, bench)]


def told(timing: Timing, extras: Sequence[str]) -> Reading:
    """Return a median time with how often it was taken and what is to be said of it."""
    return Reading(timing.median_ms, dict(zip(extras, (float(timing.repeats), timing.quality), strict=True)))


class Memory(CountedMetric):
    """Megabytes (10^6 bytes) of weights, and of keys and values of the texts that are being continued.

    Args:
        weights, cache: precision of the weights, and of keys and values: float32, bfloat16, float16 or int8.
        batch_size: texts at a time.
        length: tokens of each.

    Raises:
        DynasError: a setting makes no sense.
    """

    task = TASK

    def __init__(self, weights: str, cache: str, batch_size: int, length: int) -> None:
        if weights not in BITS or cache not in BITS:
            raise DynasError(f"metric.weights={weights} metric.cache={cache}: give {', '.join(BITS)}")
        if batch_size < 0 or length < 0:
            raise DynasError(f"metric.batch_size={batch_size} metric.length={length}: give 0 or more")
        self.weights, self.cache, self.batch_size, self.length = weights, cache, batch_size, length

    def count(self, supernet: Supernet, genotypes: Genotypes) -> NDArray[np.float64]:
        """Return the megabytes ``(n,)`` of canonical genotypes ``(n, G)``."""
        if not isinstance(supernet, LanguageSupernet):
            raise DynasError(f"supernet '{supernet.name}' is no decoder: memory needs supernet=decoder, size does not")
        kept = self.batch_size * supernet.remembered(genotypes, self.length)
        bits = BITS[self.weights] * supernet.params(genotypes) + BITS[self.cache] * kept
        return np.asarray(bits / 8e6)
