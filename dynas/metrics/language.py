"""How well a decoder foretells held-out text: bits per byte, perplexity, and its divergence from the whole network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dynas.core.data import IGNORED
from dynas.core.language import TASK, LanguageData
from dynas.core.metric import MeasuredMetric, Reading
from dynas.metrics.calibration import device_of
from dynas.metrics.threads import side_by_side

if TYPE_CHECKING:
    from dynas.core.bench import Bench


@torch.inference_mode()
def surprise(subnet: nn.Module, data: LanguageData) -> tuple[float, int]:
    """Return what the counted validation tokens take in nats, and how many they are."""
    total, count, device = 0.0, 0, device_of(subnet)
    for tokens, targets in data.validation_batches():
        counted = targets != IGNORED
        logits = subnet(tokens.to(device))[counted.to(device)].float()
        total += float(F.cross_entropy(logits, targets[counted].to(device), reduction="none").double().sum())
        count += int(counted.sum())
    return total, count


class BitsPerByte(MeasuredMetric):
    """Bits that a byte of the validation text takes, whatever the tokenizer is (Gao et al. 2020, arXiv:2101.00027)."""

    task = TASK
    portable = True

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Return those of each on the validation text."""
        data = cast(LanguageData, bench.data)
        found = side_by_side(lambda one: surprise(one, data), subnets, data)
        return [Reading(nats / math.log(2) / data.validation_bytes) for nats, _ in found]


class Perplexity(MeasuredMetric):
    """The exponential of the mean cross-entropy of tokens; to be compared between networks of one tokenizer only."""

    task = TASK
    portable = True

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Return that of each on the validation text."""
        data = cast(LanguageData, bench.data)
        found = side_by_side(lambda one: surprise(one, data), subnets, data)
        return [Reading(math.exp(nats / tokens)) for nats, tokens in found]


class Divergence(MeasuredMetric):
    """Mean Kullback-Leibler divergence of a network's next token from the whole network's, in nats per token."""

    task = TASK
    portable = True

    @torch.inference_mode()
    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Return that of each on the validation text, of which every batch is shown to the whole network once."""
        data, space = cast(LanguageData, bench.data), bench.supernet.space
        whole = bench.deployed(space.largest())
        totals, count = [0.0] * len(subnets), 0
        for tokens, targets in data.validation_batches():
            counted = targets != IGNORED
            wanted = shares(whole, tokens, counted)
            for place, one in enumerate(subnets):
                found = shares(one, tokens, counted).to(wanted.device)
                totals[place] += float(F.kl_div(found, wanted, reduction="none", log_target=True).double().sum())
            count += int(counted.sum())
        return [Reading(max(total, 0.0) / count) for total in totals]


def shares(network: nn.Module, tokens: Tensor, counted: Tensor) -> Tensor:
    """Return the log probabilities ``(n, vocabulary)`` of what follows the counted tokens."""
    device = device_of(network)
    return network(tokens.to(device))[counted.to(device)].float().log_softmax(dim=-1)  # type: ignore[no-any-return]
