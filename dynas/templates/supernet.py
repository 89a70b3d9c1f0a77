"""A supernet of small convolutional networks, whose depth and widths are elastic.

`dynas.core.supernet` says what a supernet promises. `Sliced` cuts sub-networks out of the largest one: each of their
parameters is the leading part of the largest one's parameter of the same name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas import DesignVariable, SearchSpace
from dynas.core.design import depth_gates
from dynas.core.space import Architecture, Genotypes
from dynas.core.supernet import Supernet
from dynas.supernets.slicing import Sliced
from dynas.supernets.weights.load import load_weights

KERNEL, STRIDE = 3, 2


class Network(nn.Module):
    """A sub-network: convolutions, the mean over all pixels, and a linear layer.

    Args:
        widths: channels of each convolution.
        channels: channels of the images.
        classes: number of classes.
    """

    def __init__(self, widths: Sequence[int], channels: int, classes: int) -> None:
        super().__init__()
        self.channels = channels
        inputs = [channels, *widths]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, width, KERNEL, STRIDE, padding=1) for before, width in zip(inputs, widths, strict=False)
        )
        self.last = nn.Linear(inputs[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(n, classes)`` of images ``(n, channels, height, width)``."""
        for convolution in self.convolutions:
            images = torch.relu(convolution(images))
        logits: Tensor = self.last(images.mean(dim=(2, 3)))
        return logits


class Elastic(Sliced, Network):
    """The largest network, which training runs at any smaller size."""

    def smaller(self, architecture: Architecture) -> Network:
        """Return a sub-network, whose weights are not looked at."""
        widths = architecture["width"][: architecture["depth"]]
        return Network(widths, self.channels, self.last.out_features)

    def forward(self, images: Tensor, architecture: Architecture | None = None) -> Tensor:
        """Run a sub-network on shared weights, by default the largest."""
        return super().forward(images) if architecture is None else self.run(architecture, images)


class Mine(Supernet):
    """The supernet that a search draws from.

    Args:
        weights: ``random``, or the path of weights that ``dynas train`` has written.
        widths: channels that each convolution may have.
        depths: how many convolutions there may be.
        channels: channels of the images.
        classes: number of classes.
        resolution: height and width of the images in pixels.
    """

    name = "mine"
    task = "classification"

    def __init__(
        self,
        weights: str,
        widths: Sequence[int],
        depths: Sequence[int],
        channels: int,
        classes: int,
        resolution: Sequence[int],
    ) -> None:
        self.widths, self.depths = np.array(widths), np.array(depths)
        self.images = (channels, *resolution)
        # a gate switches a width off where its convolution is not there: two spellings of one network are measured once
        self.space = SearchSpace(
            [
                DesignVariable("depth", tuple(depths)),
                DesignVariable("width", tuple(widths), length=max(depths), gates=depth_gates("depth", [max(depths)])),
            ]
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.elastic = Elastic([max(widths)] * max(depths), channels, classes)
        self.weights_digest = load_weights(self.elastic, weights, self.name)
        self.elastic.eval()

    def subnet(self, architecture: Architecture) -> Network:
        """Return a stand-alone network in eval mode with its own copy of the sliced weights."""
        subnet: Network = self.elastic.static(architecture)
        return subnet

    def example_inputs(self, batch_size: int, subnet: nn.Module | None = None) -> tuple[Tensor, ...]:
        """Return the same random images ``(batch_size, channels, height, width)`` every time."""
        return (torch.randn((batch_size, *self.images), generator=torch.Generator().manual_seed(0)),)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the multiply-accumulates ``(n,)`` for one image: those of the convolutions and of the last layer."""
        channels = self._channels(genotypes)
        pixels, size = [], self.images[1:]
        for _ in range(channels.shape[1] - 1):
            size = tuple(math.ceil(length / STRIDE) for length in size)
            pixels.append(math.prod(size))
        convolutions = KERNEL**2 * channels[:, :-1] * channels[:, 1:] * np.array(pixels)
        return np.asarray(convolutions.sum(axis=1) + self._features(genotypes) * self.elastic.last.out_features)

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the parameters ``(n,)``: weights and biases."""
        channels = self._channels(genotypes)
        convolutions = (KERNEL**2 * channels[:, :-1] + 1) * channels[:, 1:]
        return np.asarray(convolutions.sum(axis=1) + (self._features(genotypes) + 1) * self.elastic.last.out_features)

    def _channels(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the channels before, between and after the convolutions ``(n, 1 + depth)``, 0 where there is none."""
        there = np.arange(max(self.depths)) < self.depths[genotypes[:, :1]]
        widths = np.where(there, self.widths[genotypes[:, 1:]], 0)
        return np.insert(widths, 0, self.images[0], axis=1).astype(np.int64)

    def _features(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the inputs ``(n,)`` of the last layer."""
        features: NDArray[np.int64] = self._channels(genotypes)[np.arange(len(genotypes)), self.depths[genotypes[:, 0]]]
        return features
