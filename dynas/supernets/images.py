"""What supernets for classification of images have in common: sizes of images and precisions to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor, nn

from dynas.core.design import DesignVariable
from dynas.core.space import Architecture, SearchSpace
from dynas.core.supernet import Supernet, resolution_of
from dynas.errors import DynasError

Size = tuple[int, int]  # height and width in pixels
PRECISIONS = ("fp32", "int8")  # what a network may be computed in, ascending by speed


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


def image_sizes(resolution: Size, heights: Sequence[int]) -> tuple[Size, ...]:
    """Return heights and widths to choose from, all of the aspect of ``resolution``; itself where there are none."""
    height, width = resolution
    return tuple((one, max(1, round(one * width / height))) for one in heights) or (resolution,)


def choose_precision(space: SearchSpace, choices: Sequence[str] | None) -> SearchSpace:
    """Return ``space`` with one more design variable ``p``, the last one, for the precision; itself for None.

    Raises:
        DynasError: the choices make no sense.
    """
    if choices is None:
        return space
    if isinstance(choices, str) or sorted(map(str, choices)) != sorted(PRECISIONS):
        given = choices if isinstance(choices, str) else f"[{','.join(map(str, choices))}]"
        raise DynasError(
            f"supernet.precision_choices={given}: give [{','.join(PRECISIONS)}], or null for one precision, "
            "which precision=int8 or precision=fp32 names"
        )
    return SearchSpace([*space.variables, DesignVariable("p", tuple(choices))])


def in_full_precision(architecture: Architecture) -> Architecture:
    """Return an architecture as it was trained, where it has a precision to choose."""
    return architecture | {"p": "fp32"} if "p" in architecture else architecture


class ImageShape(Protocol):
    """The part of a network's shape that its images decide."""

    @property
    def channels(self) -> int:
        """Input channels."""
        ...

    @property
    def resolutions(self) -> tuple[Size, ...]:
        """Heights and widths of the images to choose from, ascending."""
        ...


class ElasticNet(Protocol):
    """All sub-networks in one set of weights."""

    def static(self, architecture: Architecture) -> nn.Module:
        """Return a stand-alone network with copies of the active weights, in eval mode."""
        ...


class ImageSupernet(Supernet):
    """The parts of a supernet for classification of images that do not depend on the kind of network.

    Attributes:
        shape: the fixed part of the network.
        elastic: the network; those that it cuts out know the size of their images as ``resolution``.
        space: what is elastic.
        precision_choices: what sub-networks may choose to be computed in; None: no choice.
    """

    shape: ImageShape
    elastic: ElasticNet
    task = "classification"

    @property
    def resolutions(self) -> tuple[Size, ...]:
        """Heights and widths of the images that sub-networks take."""
        return self.shape.resolutions

    def subnet(self, architecture: Architecture) -> nn.Module:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        subnet = self.elastic.static(architecture)
        if self.precision_choices:
            subnet.precision = architecture["p"]
        return subnet

    def example_inputs(self, batch_size: int, subnet: nn.Module | None = None) -> tuple[Tensor, ...]:
        """Return one batch of seeded noise, shaped as the images of ``subnet``, by default the largest ones."""
        size = (resolution_of(subnet) if subnet is not None else None) or self.resolutions[-1]
        noise = torch.Generator().manual_seed(0)
        return (torch.randn(batch_size, self.shape.channels, *size, generator=noise),)
