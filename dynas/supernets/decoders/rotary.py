"""Rotary positions (Su et al. 2021, arXiv:2104.09864): pairs of channels turn by angles that grow with the position."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dynas.errors import DynasError

KINDS = ("default", "linear", "llama3")


@dataclass(frozen=True)
class Rotary:
    """How fast pairs of channels turn.

    Attributes:
        size: channels of a head.
        theta: base of the wave lengths.
        factor: by which slow turns are slowed down further, for texts that are longer than those first trained on.
        blend: wave lengths, in tokens, up to which nothing and from which on everything is slowed down (Llama 3); None:
            everything is.
    """

    size: int
    theta: float
    factor: float = 1.0
    blend: tuple[float, float] | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any], size: int, origin: object) -> Rotary:
        """Return what ``rope_parameters`` of a config.json say, or raise DynasError."""
        kind = settings.get("rope_type", settings.get("type", "default"))
        if kind not in KINDS or settings.get("partial_rotary_factor", 1.0) != 1.0:
            raise DynasError(f"'{origin}': rotary positions of the kind {kind} are not known; known are {KINDS}")
        try:
            theta = float(settings["rope_theta"])
            if kind == "default":
                return cls(size, theta)
            factor = float(settings["factor"])
            if kind == "linear":
                return cls(size, theta, factor)
            first = float(settings["original_max_position_embeddings"])
            blend = (first / float(settings["high_freq_factor"]), first / float(settings["low_freq_factor"]))
            return cls(size, theta, factor, blend)
        except (KeyError, TypeError, ValueError) as error:
            raise DynasError(f"'{origin}': the settings of its rotary positions are incomplete: {error}") from error

    def frequencies(self) -> Tensor:
        """Return the angles ``(size / 2,)`` that pairs of channels turn by from one token to the next."""
        exponents = torch.arange(0, self.size, 2, dtype=torch.float32, device="cpu") / self.size
        angles = 1.0 / self.theta**exponents
        if self.blend is None:
            return angles / self.factor
        short, long = self.blend
        waves = 2 * math.pi / angles
        share = ((long / waves - 1) / (long / short - 1)).clamp(0, 1)  # of the angle as it is
        return share * angles + (1 - share) * angles / self.factor


class Turn(nn.Module):
    """Makes cosines and sines of positions.

    Args:
        rotary: how fast pairs of channels turn.
    """

    frequencies: Tensor

    def __init__(self, rotary: Rotary) -> None:
        super().__init__()
        self.register_buffer("frequencies", rotary.frequencies(), persistent=False)

    def forward(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosines and sines ``(T, size)`` of positions ``(T,)``."""
        angles = positions[:, None].float() * self.frequencies.to(positions.device)
        both = torch.cat([angles, angles], dim=-1)
        return both.cos(), both.sin()


def turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turn the channels of heads ``(N, heads, T, size)``, each of the first half with its partner of the second."""
    cosines, sines = turn
    first, second = x.chunk(2, dim=-1)
    return x * cosines + torch.cat([-second, first], dim=-1) * sines
