"""The images that supernets for classification take: their sizes to choose from, and noise of such a size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from dynas.errors import DynasError


def check_heights(resolutions: Sequence[int] | None) -> tuple[int, ...]:
    """Return the image heights to choose from, none for None; raise DynasError where they make no sense."""
    if resolutions is None:
        return ()
    fits = isinstance(resolutions, Sequence) and all(type(height) is int for height in resolutions)
    if not fits or len(resolutions) < 2 or resolutions[0] < 1 or any(b <= a for a, b in pairwise(resolutions)):
        raise DynasError(
            f"supernet.resolutions={resolutions}: give two or more image heights in ascending order, such as "
            "[128,160,192,224], or null for supernet.resolution alone"
        )
    return tuple(resolutions)


def image_sizes(resolution: tuple[int, int], heights: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return heights and widths to choose from, all of the aspect of ``resolution``; itself where there are none."""
    height, width = resolution
    return tuple((one, max(1, round(one * width / height))) for one in heights) or (resolution,)


def noise(batch_size: int, channels: int, size: tuple[int, int]) -> Tensor:
    """Return seeded noise ``(batch_size, channels, height, width)``."""
    return torch.randn(batch_size, channels, *size, generator=torch.Generator().manual_seed(0))
