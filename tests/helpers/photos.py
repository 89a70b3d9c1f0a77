"""Writes small image folders in the layouts of ImageNet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.io import savemat
from torch.utils.data import TensorDataset

CLASSES = ("n01440764", "n01443537", "n02105855", "n03000684")
DEVKIT_ORDER = (2, 0, 3, 1)  # the class at each number of the development kit, less one


def photo(rng: np.random.Generator, width: int = 50, height: int = 40, tint: int = 0) -> Image.Image:
    """Return smooth random colours; ``tint`` moves them towards one of three."""
    coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    coarse[..., tint % 3] |= 128
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def numbered(count: int = 40, classes: int = 4) -> TensorDataset:
    """Return a Dataset whose images say their own number."""
    images = torch.arange(float(count))[:, None, None, None].expand(-1, 3, 5, 6)
    return TensorDataset(images, torch.arange(count) % classes)


def write_split(folder: Path, per_class: int, rng: np.random.Generator, classes: Sequence[str] = CLASSES) -> None:
    """Write one folder per class."""
    for index, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            size = (50, 40) if number % 2 else (36, 47)
            photo(rng, *size, tint=index).save(folder / name / f"{name}_{number}.JPEG", quality=90)


def write_imagenet(root: Path, validation: int = 5, train: int = 8, classes: Sequence[str] = CLASSES) -> Path:
    """Write ``val`` and ``train`` with one folder per class and that many images in each."""
    rng = np.random.default_rng(0)
    write_split(root / "val", validation, rng, classes)
    write_split(root / "train", train, rng, classes)
    return root


def write_flat(root: Path, classes_of: Sequence[int], train: int = 8) -> Path:
    """Write a flat ``val`` in which image ``i`` is of class ``classes_of[i - 1]``, and ``train``."""
    rng = np.random.default_rng(0)
    (root / "val").mkdir(parents=True)
    for number, index in enumerate(classes_of, start=1):
        photo(rng, tint=index).save(root / "val" / f"ILSVRC2012_val_{number:08}.JPEG", quality=90)
    write_split(root / "train", train, rng)
    return root


def write_ground_truth(folder: Path, classes_of: Sequence[int]) -> Path:
    """Write the labels as the development kit numbers them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ILSVRC2012_validation_ground_truth.txt"
    path.write_text("".join(f"{1 + DEVKIT_ORDER.index(index)}\n" for index in classes_of))
    return path


def write_meta(folder: Path) -> Path:
    """Write meta.mat as the development kit has it: leaves, then inner nodes of the hierarchy."""
    fields = [("ILSVRC2012_ID", object), ("WNID", object), ("words", object), ("num_children", object)]
    rows = [(float(1 + number), CLASSES[index], "leaf", 0.0) for number, index in enumerate(DEVKIT_ORDER)]
    rows.append((5.0, "n00001740", "entity", 4.0))
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / "meta.mat", {"synsets": np.array(rows, dtype=fields).reshape(-1, 1)})
    return folder / "meta.mat"


def write_solution(path: Path, classes_of: Sequence[int]) -> Path:
    """Write the labels as Kaggle's LOC_val_solution.csv, some with two boxes."""
    lines = ["ImageId,PredictionString"]
    for number, index in reversed(list(enumerate(classes_of, start=1))):
        boxes = f"{CLASSES[index]} 85 1 499 272 " * (1 + number % 2)
        lines.append(f"ILSVRC2012_val_{number:08},{boxes}")
    path.write_text("\n".join(lines) + "\n")
    return path
