"""Images in another size."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def resize(images: Tensor, resolution: tuple[int, int]) -> Tensor:
    """Return images ``(n, C, H, W)`` with the height and width ``resolution``; the same ones where they have it.

    Interpolation is bilinear, with antialiasing where it makes images smaller.
    """
    if tuple(images.shape[2:]) == tuple(resolution):
        return images
    return F.interpolate(images, resolution, mode="bilinear", align_corners=False, antialias=True)
