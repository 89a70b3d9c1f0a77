"""Anyone's texts with labels, from a file or from a folder in the layout of GLUE's SST-2."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from dynas.data.text.labelled import LabelledTexts, Texts
from dynas.data.text.labelled_files import read_labelled
from dynas.data.text.parallel_files import near_duplicate_key
from dynas.data.text.word_pieces import read_tokenizer
from dynas.errors import DynasError

TRAINING, VALIDATION = ("train",), ("dev", "validation", "val")  # names of files in a folder
SUFFIXES = (".tsv", ".csv", ".jsonl", ".tsv.xz", ".csv.xz", ".jsonl.xz", ".tsv.gz", ".csv.gz", ".jsonl.gz")


def text_classification(
    path: str,
    validation: str | None,
    validation_size: int | None,
    tokenizer: str,
    lowercase: bool,
    max_length: int,
    text: str | None,
    label: str | None,
    classes: list[str] | None,
    seed: int,
) -> LabelledTexts:
    """Return the texts of files.

    Args:
        path: file of the texts, or a folder with train and dev files.
        validation: file of the validation texts; None: those of the folder, or some that are split off.
        validation_size: texts that are split off, or that are used of the validation file; None: all of these.
        tokenizer, lowercase: see `dynas.data.text.word_pieces.read_tokenizer`.
        max_length: word pieces that a text may have; longer ones are cut off.
        text, label: columns; see `dynas.data.text.labelled_files.read_labelled`.
        classes: labels in the order of the network's outputs; None: all that are there, in order.
        seed: decides the split.

    Raises:
        DynasError: a setting or a file is at fault.
    """
    if max_length < 3:
        raise DynasError(f"data.max_length={max_length}: give 3 or more, as two word pieces are special")
    files = training_and_validation(Path(path).expanduser(), validation)
    read = [read_labelled(file, text, label) for file in files]
    names = class_names([one for _, labels in read for one in labels], classes)
    numbers = {name: number for number, name in enumerate(names)}
    sides = [
        Texts(texts, [numbered(one, numbers, file) for one in labels])
        for (texts, labels), file in zip(read, files, strict=True)
    ]
    rng = np.random.default_rng(seed)
    if len(sides) == 1:
        sides = split(sides[0], validation_size, rng)
    elif validation_size is not None:
        sides[1] = some(sides[1], validation_size, rng)
    made = read_tokenizer(Path(tokenizer).expanduser(), lowercase, max_length)
    return LabelledTexts(sides[0], sides[1], len(names), made, max_length)


def training_and_validation(path: Path, validation: str | None) -> list[Path]:
    """Return the file of training texts, and that of validation texts where there is one.

    Raises:
        DynasError: a folder lacks them.
    """
    given = [Path(validation).expanduser()] if validation else []
    if not path.is_dir():
        return [path, *given]
    found = []
    for names in (TRAINING,) if given else (TRAINING, VALIDATION):
        candidates = [path / f"{name}{suffix}" for name in names for suffix in SUFFIXES]
        file = next((one for one in candidates if one.is_file()), None)
        if file is None:
            raise DynasError(
                f"data.path={path}: the folder has no {' or '.join(names)} file ({', '.join(SUFFIXES[:3])})"
            )
        found.append(file)
    return [*found, *given]


def class_names(labels: list[str], classes: list[str] | None) -> list[str]:
    """Return the classes in order: as given, else by number where all labels are whole numbers, else by name."""
    if classes:
        return [str(name) for name in classes]
    names = set(labels)
    found = sorted(names, key=int) if all(name.isdecimal() for name in names) else sorted(names)
    if len(found) < 2:
        raise DynasError(f"all texts have the label '{found[0]}': two classes or more are needed")
    return found


def numbered(label: str, numbers: dict[str, int], file: Path) -> int:
    """Return the number of a class, or raise DynasError."""
    if label not in numbers:
        raise DynasError(f"'{file}' has the label '{label}', which is not among data.classes={list(numbers)}")
    return numbers[label]


def split(texts: Texts, size: int | None, rng: np.random.Generator) -> list[Texts]:
    """Return training and validation texts; those that differ in case and punctuation only stay on one side.

    Raises:
        DynasError: there are too few of them.
    """
    if not size or size >= len(texts):
        raise DynasError(
            f"there are {len(texts)} texts: give data.validation=<file>, or a data.validation_size that leaves some "
            "to train on"
        )
    keys = [near_duplicate_key(text) or text for text in texts.texts]
    alike, held, taken = Counter(keys), set[str](), 0
    for index in rng.permutation(len(texts)):
        if taken >= size:
            break
        if keys[index] not in held:
            held.add(keys[index])
            taken += alike[keys[index]]
    inside = np.array([key in held for key in keys])
    return [chosen(texts, np.flatnonzero(~inside)), chosen(texts, np.flatnonzero(inside))]


def some(texts: Texts, size: int, rng: np.random.Generator) -> Texts:
    """Return so many of the texts, or raise DynasError."""
    if not 0 < size <= len(texts):
        raise DynasError(f"data.validation_size={size}: there are {len(texts)} validation texts")
    return chosen(texts, np.sort(rng.permutation(len(texts))[:size]))


def chosen(texts: Texts, rows: np.ndarray) -> Texts:
    """Return the texts of some rows."""
    return Texts([texts.texts[row] for row in rows], [texts.labels[row] for row in rows])
