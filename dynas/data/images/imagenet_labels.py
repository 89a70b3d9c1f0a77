"""Labels of ImageNet's validation images where these lie in one flat folder, as their archive has them.

The development kit of ILSVRC 2012 numbers classes (ILSVRC2012_ID, 1 to 1000) in an order of its own: networks count
them in the sorted order of their WordNet ids, so its numbers mean nothing without its meta.mat.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dynas.data.images.folder import ImageList, class_names, image_names, list_classes
from dynas.data.images.mat_file import read_mat
from dynas.errors import DynasError
from dynas.system.text_file import read_lines

GROUND_TRUTH = "ILSVRC2012_validation_ground_truth.txt"
META = "meta.mat"
SOLUTION = "LOC_val_solution.csv"
NUMBER = re.compile(r"[ \t]*\d{1,9}[ \t]*", re.ASCII)
PLACES = (
    GROUND_TRUTH,
    f"ILSVRC2012_devkit_t12/data/{GROUND_TRUTH}",
    SOLUTION,
    f"../../../{SOLUTION}",  # seen from Kaggle's ILSVRC/Data/CLS-LOC
)


def validation_images(root: Path, labels: str | None) -> ImageList:
    """Return all validation images of ``root/val``: in folders by class, or flat with a file of labels.

    Args:
        root: the folder that holds ``val``.
        labels: the file of labels for a flat folder: the development kit's ground truth with meta.mat beside it,
            or Kaggle's LOC_val_solution.csv; None looks for them in the usual places below ``root``.

    Raises:
        DynasError: there are no images, or no labels that fit them.
    """
    folder = root / "val"
    if not folder.is_dir():
        raise DynasError(f"no ImageNet at '{root}': data.path must be a folder with the folders 'val' and 'train'")
    if classes := class_names(folder):
        if labels is not None:
            raise DynasError(f"data.labels={labels} is for a flat folder, but '{folder}' has a folder per class")
        return list_classes(folder, classes)
    names = image_names(folder)
    if not names:
        raise DynasError(f"'{folder}' holds neither class folders nor images")
    path = find_labels(root, labels)
    if path.suffix.lower() == ".csv":
        classes_of = read_solution(path)
        classes = sorted(set(classes_of.values()))
    else:
        wordnet_ids = read_meta(path.with_name(META))
        classes_of = read_ground_truth(path, wordnet_ids)
        classes = sorted(wordnet_ids.values())
    keys = [Path(name).stem for name in names]
    if set(keys) != set(classes_of):
        raise DynasError(
            f"the {len(names)} images of '{folder}' are not those of the {len(classes_of)} labels in '{path}'"
        )
    indices = {name: index for index, name in enumerate(classes)}
    return ImageList(folder, names, np.array([indices[classes_of[key]] for key in keys], dtype=np.int64), classes)


def find_labels(root: Path, labels: str | None) -> Path:
    """Return the file of labels that was given, or that lies in one of the usual places."""
    places = [root / place for place in PLACES] if labels is None else [Path(labels).expanduser()]
    for path in places:
        if path.is_file():
            return path
    if labels is not None:
        raise DynasError(f"no file of labels '{labels}': data.labels names a {GROUND_TRUTH} or a {SOLUTION}")
    raise DynasError(
        f"'{root / 'val'}' has no folder per class, and no labels lie beside it: put {GROUND_TRUTH} with its {META}, "
        f"or {SOLUTION}, into '{root}', or name one of them by data.labels=<file>"
    )


def read_meta(path: Path) -> Mapping[int, str]:
    """Return the WordNet id of each class number in the development kit's meta.mat; inner nodes are left out.

    Raises:
        DynasError: the file is missing or is not the kit's.
    """
    if not path.is_file():
        raise DynasError(
            f"the numbers of {GROUND_TRUTH} are in an order that only '{path}' explains, which is missing: "
            f"put the development kit's {META} there, or give {SOLUTION} by data.labels=<file>"
        )
    try:
        leaves = [row for row in read_mat(path.read_bytes())["synsets"] if row["num_children"] == [0]]
        ids = {int(row["ILSVRC2012_ID"][0]): str(row["WNID"]) for row in leaves}
        if not ids or len(set(ids.values())) != len(leaves):
            raise ValueError("its classes are not distinct")
        return ids
    except Exception as error:  # whatever a damaged file makes of its structures
        raise DynasError(f"'{path}' is not the {META} of ILSVRC 2012's development kit: {error!r}") from error


def read_ground_truth(path: Path, wordnet_ids: Mapping[int, str]) -> Mapping[str, str]:
    """Return the WordNet id of each image: line ``i`` belongs to ``ILSVRC2012_val_{i:08}``.

    Raises:
        DynasError: a line is not the number of a class.
    """
    classes_of = {}
    for number, line in enumerate(read_lines(path, "file of labels"), start=1):
        if not NUMBER.fullmatch(line) or int(line) not in wordnet_ids:
            raise DynasError(f"line {number} of '{path}' is '{line}', which is no class number of its {META}")
        classes_of[f"ILSVRC2012_val_{number:08}"] = wordnet_ids[int(line)]
    return classes_of


def read_solution(path: Path) -> Mapping[str, str]:
    """Return the WordNet id of each image in Kaggle's LOC_val_solution.csv: the first word of its boxes.

    Raises:
        DynasError: it has other columns, or an image stands there twice.
    """
    try:
        rows = list(csv.DictReader(read_lines(path, "file of labels")))
    except csv.Error as error:
        raise DynasError(f"'{path}' is no {SOLUTION}: {error}") from error
    if not rows or not {"ImageId", "PredictionString"} <= set(rows[0]):
        raise DynasError(
            f"'{path}' is no {SOLUTION}: it needs the columns ImageId and PredictionString, with a comma between them"
        )
    classes_of = {}
    for row in rows:
        words = (row["PredictionString"] or "").split()
        if not words:
            raise DynasError(f"'{path}' has no class for the image '{row['ImageId']}'")
        if row["ImageId"] in classes_of:
            raise DynasError(f"'{path}' has the image '{row['ImageId']}' twice")
        classes_of[row["ImageId"]] = words[0]
    return classes_of
