"""Vision transformers as supernets: ViT with elastic layers, heads and feed-forward networks, and AutoFormer.

Dosovitskiy et al. 2021 (arXiv:2010.11929), with the space of DyNAS-T's ``vit_base_imagenet``; Chen et al. 2021
(arXiv:2107.00651) for AutoFormer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynas.core.space import Genotypes
from dynas.errors import DynasError
from dynas.supernets.images import ImageSupernet, choose_precision
from dynas.supernets.transformers.lookup import EncoderSupernet, Frame
from dynas.supernets.transformers.names import AUTOFORMER, VIT, Rule, renamed, split_joint
from dynas.supernets.transformers.shape import Shape, Sizes, search_space
from dynas.supernets.transformers.vision import ElasticVisionTransformer, Vision
from dynas.supernets.weights.download import sha256
from dynas.supernets.weights.load import copy_state, load_weights, locate
from dynas.supernets.weights.state import read_state
from dynas.supernets.weights.storage import read_inferred

HUGGING_FACE, OTHERS, CREAM = 1e-12, 1e-6, 1e-5  # epsilons of the norms by who trained the weights


class VisionSupernet(ImageSupernet, EncoderSupernet):
    """What supernets of vision transformers have in common."""

    shape: Vision
    elastic: ElasticVisionTransformer

    def build(self, vision: Vision, seed: int, precision_choices: Sequence[str] | None) -> None:
        """Make the space and the untrained network."""
        self.shape = vision
        self.space = choose_precision(search_space(vision.shape), precision_choices)
        self.precision_choices = precision_choices
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.elastic = ElasticVisionTransformer(vision)
        self.elastic.eval()

    @property
    def frame(self) -> Frame:
        """What its sub-networks have in common."""
        vision = self.shape
        return Frame(vision.shape, (*vision.resolution, vision.channels), vision.tokens, vision.classes)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact multiply-accumulates ``(n,)`` for one image."""
        return self.shape.macs(Sizes.of(self.shape.shape, genotypes))

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters ``(n,)``, positions and class token included."""
        return self.shape.params(Sizes.of(self.shape.shape, genotypes))


class VitSupernet(VisionSupernet):
    """A ViT whose sub-networks have fewer layers, heads and feed-forward units.

    Args:
        weights: ``embedded``, ``random`` (untrained) or a path to a checkpoint: of ours, DyNAS-T, timm, torchvision or
            Hugging Face transformers.
        resolution: input height and width in pixels.
        patch: height and width of a patch in pixels.
        channels, classes: of the images.
        width: of the tokens.
        layers, heads, feeds, head_size: see `dynas.supernets.transformers.shape.Shape`.
        residual_norm: whether a norm follows the first residual, as in DyNAS-T's network; None: as the weights have it.
        epsilon: of the norms; None: that of where the weights come from.
        seed: seed of the weights where ``weights=random``.
        precision_choices: ``[fp32, int8]`` adds the design variable ``p``; None: all sub-networks have one precision.

    Raises:
        DynasError: the weights cannot be read or do not fit, or the shape makes no sense.
    """

    name = "vit"

    def __init__(
        self,
        weights: str,
        resolution: Sequence[int],
        patch: int,
        channels: int,
        classes: int,
        width: int,
        layers: Sequence[int],
        heads: Sequence[int],
        feeds: Sequence[int],
        head_size: int,
        residual_norm: bool | None = None,
        epsilon: float | None = None,
        seed: int = 0,
        precision_choices: Sequence[str] | None = None,
    ) -> None:
        shape = Shape((width,), tuple(layers), tuple(heads), tuple(feeds), head_size)
        path = None if weights == "random" else locate(weights, self.name, None)
        given = {} if path is None else read_state(path)
        state = split_joint(vision_state(given, VIT))
        twice = any(".residual_norm." in key for key in state) if residual_norm is None else residual_norm
        if epsilon is None:  # a file that was trained further says what it was trained with
            stored = (None if path is None else read_inferred(path)) or {}
            origin = HUGGING_FACE if any("layernorm_before" in key for key in given) else OTHERS
            epsilon = float(stored.get("epsilon", origin))
        self.inferred = {"residual_norm": twice, "epsilon": epsilon}
        vision = Vision(shape, pair(resolution), patch, channels, classes, epsilon, twice)
        self.build(vision, seed, precision_choices)
        if path is not None:
            copy_state(self.elastic, state, path)
        self.weights_digest = "random" if path is None else sha256(path)


class AutoFormerSupernet(VisionSupernet):
    """AutoFormer: a vision transformer with elastic width, layers, heads and shares of feed-forward units.

    Positions are absolute and relative, and the classifier sees the mean of the patches.

    Args:
        weights: ``random`` (untrained) or a path to a checkpoint, of ours or of Cream.
        resolution, patch, channels, classes: see `VitSupernet`; height and width are equal.
        widths, layers, heads, feeds, head_size, stored: see `dynas.supernets.transformers.shape.Shape`.
        distance: rows or columns between patches from which on relative positions are equal.
        seed, precision_choices: see `VitSupernet`.

    Raises:
        DynasError: the weights cannot be read or do not fit, or the shape makes no sense.
    """

    name = "autoformer"

    def __init__(
        self,
        weights: str,
        resolution: Sequence[int],
        patch: int,
        channels: int,
        classes: int,
        widths: Sequence[int],
        layers: Sequence[int],
        heads: Sequence[int],
        feeds: Sequence[float],
        head_size: int,
        stored: int | None,
        distance: int,
        seed: int = 0,
        precision_choices: Sequence[str] | None = None,
    ) -> None:
        shares = tuple(map(float, feeds))
        shape = Shape(tuple(widths), tuple(layers), tuple(heads), shares, head_size, stored)
        vision = Vision(shape, pair(resolution), patch, channels, classes, CREAM, distance=distance, pooled=True)
        self.build(vision, seed, precision_choices)
        self.weights_digest = load_weights(
            self.elastic, weights, self.name, named=partial(vision_state, rules=AUTOFORMER)
        )


def pair(resolution: Sequence[int]) -> tuple[int, int]:
    """Return height and width, or raise DynasError."""
    if len(resolution) != 2:
        raise DynasError(f"supernet.resolution={list(resolution)}: give [height,width]")
    return resolution[0], resolution[1]


def vision_state(state: Mapping[str, Tensor], rules: Sequence[Rule]) -> dict[str, Tensor]:
    """Return weights under our names, positions as ``(1, tokens, width)``, which some keep in a table."""
    found = renamed(state, rules)
    if "positions" in found and found["positions"].dim() == 2:
        found["positions"] = found["positions"][None]
    return found
