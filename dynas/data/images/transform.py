"""From an image file to the pixels that a network sees, as Once-for-All prepares ImageNet.

Cai et al. 2020 (arXiv:1908.09791; the data provider of mit-han-lab/once-for-all): Pillow's antialiased bilinear
resizing, a centre crop for evaluation, and for training a random crop, a flip and a slight change of colours.
"""

from __future__ import annotations

import math
import warnings
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from torch import Tensor

from dynas.errors import DynasError

Pixels = NDArray[np.uint8]
Size = tuple[int, int]  # height, width

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours in [0, 1]
KEPT = 0.875  # share of the resized image's shorter side that the centre crop keeps
AREA, ASPECT = (0.08, 1.0), (3 / 4, 4 / 3)  # of a random crop: share of the image, width / height
BRIGHTNESS, SATURATION = 32 / 255, 0.5  # by which these change at most, up or down
CROP_TRIES = 10

# Pillow warns of odd EXIF data, palettes and metadata, as some of ImageNet's files have; the pixels are fine
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def read_rgb(path: str) -> Image.Image:
    """Return an image file of any mode as RGB; the orientation of EXIF is ignored, as everywhere with ImageNet.

    Of 16 bits per pixel the upper 8 are kept.

    Raises:
        DynasError: the file is no image that can be decoded whole, or how bright its numbers are is not known.
    """
    try:
        with Image.open(path) as image:
            return eight_bits(image).convert("RGB")
    except Exception as error:  # decoders raise a different type for every way in which a file can be broken
        raise DynasError(f"cannot decode the image '{path}': {' '.join(str(error).split())}") from error


def eight_bits(image: Image.Image) -> Image.Image:
    """Return an image of 8 bits per colour; raise ValueError where its brightest number is not known.

    Pillow itself cuts off at 255 what it converts from more bits.
    """
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in ("PNG", "PPM")):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        numbers = "whole numbers of 32 bits" if image.mode == "I" else "floating-point numbers"
        raise ValueError(f"its pixels are {numbers}, of which white is unknown: convert it to 8 or 16 bits")
    return image


def centre(image: Image.Image, size: Size) -> Pixels:
    """Return the evaluation view ``(height, width, 3)``: resized with a margin, then cropped in the middle."""
    height, width = size
    shown = math.ceil(height / KEPT), math.ceil(width / KEPT)
    # the side that needs the larger factor gets its exact length, the other one follows
    if shown[0] * image.width >= shown[1] * image.height:
        resized = int(shown[0] * image.width / image.height), shown[0]
    else:
        resized = shown[1], int(shown[1] * image.height / image.width)
    left, top = round((resized[0] - width) / 2), round((resized[1] - height) / 2)
    view = image.resize(resized, Image.Resampling.BILINEAR).crop((left, top, left + width, top + height))
    return np.asarray(view)


def augmented(image: Image.Image, size: Size, rng: np.random.Generator) -> Pixels:
    """Return a random training view ``(height, width, 3)``."""
    height, width = size
    view = image.crop(random_box(image.width, image.height, rng)).resize((width, height), Image.Resampling.BILINEAR)
    if rng.random() < 0.5:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    changes = [(ImageEnhance.Brightness, BRIGHTNESS), (ImageEnhance.Color, SATURATION)]
    for index in rng.permutation(len(changes)):
        enhance, strength = changes[index]
        view = enhance(view).enhance(rng.uniform(1 - strength, 1 + strength))
    return np.asarray(view)


def random_box(width: int, height: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a random crop, or of the largest middle one where none was found.

    Szegedy et al. 2015 (arXiv:1409.4842, section 6): the share of the area is uniform, the logarithm of the aspect
    ratio too.
    """
    for _ in range(CROP_TRIES):
        area = width * height * rng.uniform(*AREA)
        aspect = math.exp(rng.uniform(math.log(ASPECT[0]), math.log(ASPECT[1])))
        wide, high = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < wide <= width and 0 < high <= height:
            left, top = int(rng.integers(width - wide + 1)), int(rng.integers(height - high + 1))
            return left, top, left + wide, top + high
    wide = max(1, min(width, round(height * ASPECT[1])))
    high = max(1, min(height, round(width / ASPECT[0])))
    left, top = (width - wide) // 2, (height - high) // 2
    return left, top, left + wide, top + high


@lru_cache(maxsize=8)
def affine(width: int) -> tuple[Tensor, Tensor]:
    """Return factor and offset that normalise a row of ``width`` interleaved pixels: ``(3 * width,)`` each.

    Whole rows, since adding three numbers to every pixel takes half as long again.
    """
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    return (1 / (255 * std)).repeat(width), (-mean / std).repeat(width)


def normalise(pixels: Pixels) -> Tensor:
    """Return pixels ``(n, height, width, 3)`` as floats ``(n, 3, height, width)`` of mean 0 and deviation 1.

    They keep their order in memory, which is torch's channels_last.
    """
    n, height, width, _ = pixels.shape
    factor, offset = affine(width)
    # copied, since torch wants no read-only memory; a batch of bytes is small beside its floats
    rows = torch.from_numpy(pixels.reshape(n, height, 3 * width).copy()).float()
    return rows.mul_(factor).add_(offset).view(n, height, width, 3).permute(0, 3, 1, 2)
