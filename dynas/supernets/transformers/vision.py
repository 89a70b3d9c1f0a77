"""Vision transformers of patches (Dosovitskiy et al. 2021, arXiv:2010.11929), plain, DyNAS-T's and AutoFormer's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from dynas.core.space import Architecture
from dynas.errors import DynasError
from dynas.supernets.slicing import Linear, Sliced
from dynas.supernets.transformers.layers import Attention, Block, PreNorm, RelativeAttention, TwiceNormed
from dynas.supernets.transformers.shape import Counts, Layers, Shape, Sizes, count_macs, count_params, count_products

STD = 0.02  # of the first weights, as usual for vision transformers


@dataclass(frozen=True)
class Vision:
    """What all sub-networks share.

    Attributes:
        shape: of the layers.
        resolution: height and width of the images in pixels.
        patch: height and width of a patch in pixels.
        channels: of the images.
        classes: number of them.
        epsilon: of the norms.
        twice: whether each layer has DyNAS-T's further norm after attention.
        distance: rows or columns from which on relative positions are equal; None: there are none of them.
        pooled: whether the classifier sees the mean of the patches rather than the class token.
    """

    shape: Shape
    resolution: tuple[int, int]
    patch: int
    channels: int
    classes: int
    epsilon: float
    twice: bool = False
    distance: int | None = None
    pooled: bool = False

    def __post_init__(self) -> None:
        height, width = self.resolution
        square = self.distance is None or height == width
        numbers = (*self.resolution, self.patch, self.channels, self.classes)
        if min(numbers) < 1 or height % self.patch or width % self.patch or not square:
            raise DynasError(
                f"supernet.resolution={list(self.resolution)} patch={self.patch} channels={self.channels} "
                f"classes={self.classes}: give positive numbers, and a height and width that are multiples of the patch"
                + ("" if square else ", equal where positions are relative")
            )

    @property
    def resolutions(self) -> tuple[tuple[int, int], ...]:
        """Heights and widths of the images to choose from: one."""
        return (self.resolution,)

    @property
    def tokens(self) -> int:
        """Patches of an image, and the class token."""
        height, width = self.resolution
        return (height // self.patch) * (width // self.patch) + 1

    def block(self, width: int, heads: int, units: int) -> Block:
        """Return a layer."""
        attention = (
            Attention(width, heads, self.shape.head_size)
            if self.distance is None
            else RelativeAttention(width, heads, self.shape.head_size, self.distance)
        )
        return (TwiceNormed if self.twice else PreNorm)(attention, width, units, self.epsilon)

    def params(self, sizes: Sizes) -> Counts:
        """Return the parameters ``(n,)``."""
        width = sizes.width
        tables = 0 if self.distance is None else 4 * (2 * self.distance + 2) * self.shape.head_size
        patches = width * (self.channels * self.patch**2 + 1)
        ends = patches + width * (1 + self.tokens) + 2 * width + (width + 1) * self.classes
        return count_params(sizes, 3 if self.twice else 2) + sizes.depth * tables + ends

    def macs(self, sizes: Sizes) -> Counts:
        """Return the multiply-accumulates ``(n,)`` for one image.

        Counted are the patches, linear layers, attention's products, those with relative positions, and the head.
        """
        width = sizes.width
        patches = (self.tokens - 1) * width * self.channels * self.patch**2
        relative = 0 if self.distance is None else count_products(sizes, self.tokens)
        return count_macs(sizes, self.tokens) + relative + patches + width * self.classes


class VisionTransformer(nn.Module):
    """A network that tells classes of images.

    Args:
        vision: what it shares with others.
        layers: its own sizes.
    """

    resolution: tuple[int, int]

    def __init__(self, vision: Vision, layers: Layers) -> None:
        super().__init__()
        width = layers.width
        self.vision, self.resolution = vision, vision.resolution
        self.patches = nn.Conv2d(vision.channels, width, vision.patch, vision.patch)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, vision.tokens, width))
        blocks = map(partial(vision.block, width), layers.heads, layers.units)
        self.layers = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(width, vision.epsilon)
        self.head = Linear(width, vision.classes)

    def embed(self, images: Tensor) -> Tensor:
        """Return the tokens ``(N, T, width)`` that the first layer sees of images ``(N, channels, height, width)``."""
        patches = self.patches(images).flatten(2).transpose(1, 2)
        return torch.cat([self.class_token.expand(images.shape[0], -1, -1), patches], dim=1) + self.positions

    def pool(self, x: Tensor) -> Tensor:
        """Return what the classifier sees ``(N, width)`` of the last layer's tokens ``(N, T, width)``."""
        tokens: Tensor = self.norm(x)
        return tokens[:, 1:].mean(dim=1) if self.vision.pooled else tokens[:, 0]

    def features(self, images: Tensor) -> Tensor:
        """Return what the classifier sees ``(N, width)`` of images ``(N, channels, height, width)``."""
        x = self.embed(images)
        for layer in self.layers:
            x = layer(x)
        return self.pool(x)

    def logits(self, x: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of the last layer's tokens ``(N, T, width)``."""
        y: Tensor = self.head(self.pool(x))
        return y

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits ``(N, classes)`` of images ``(N, channels, height, width)``."""
        y: Tensor = self.head(self.features(images))
        return y


class ElasticVisionTransformer(Sliced, VisionTransformer):
    """The network of the largest layers, which runs or cuts out any smaller one."""

    def __init__(self, vision: Vision) -> None:
        super().__init__(vision, vision.shape.largest())
        for name, weight in self.named_parameters():
            if weight.dim() > 1:
                nn.init.trunc_normal_(weight, std=STD)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def smaller(self, architecture: Architecture) -> VisionTransformer:
        """Return a sub-network, whose weights are not looked at."""
        return VisionTransformer(self.vision, self.vision.shape.of(architecture))

    def forward(self, images: Tensor, architecture: Architecture | None = None) -> Tensor:
        """Run a sub-network on shared weights, by default the largest (see `VisionTransformer.forward`)."""
        y: Tensor = super().forward(images) if architecture is None else self.run(architecture, images)
        return y
