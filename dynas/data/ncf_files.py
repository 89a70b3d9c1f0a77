"""Reads data sets in the files of He et al. 2017 (Neural Collaborative Filtering, doi 10.1145/3038912.3052569)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dynas.data.interactions.interactions import CANDIDATES, Interactions
from dynas.data.interactions.pairs import Ints, contains, sorted_keys
from dynas.data.interactions.ratings_file import read_ratings
from dynas.errors import DynasError
from dynas.system.text_file import read_lines

COLUMNS = ["user", "item", "rating", "timestamp"]
NUMBER = r"(\d{1,9})"
HELD_OUT = re.compile(rf"\({NUMBER}, ?{NUMBER}\)")
TEST_LINE = re.compile(rf"{HELD_OUT.pattern}(?:\t\d{{1,9}}){{{CANDIDATES}}}")
EXPECTED = f"(user,item) of the line in .test.rating and {CANDIDATES} other items, with a tab before each"


def ncf_files(path: str | None, name: str, negatives: int = 4) -> Interactions:
    """Return the data of ``<name>.train.rating``, ``<name>.test.rating`` and ``<name>.test.negative``.

    The published items of the last file are ranked as they are, nothing is sampled.

    Args:
        path: folder of the files.
        name: what their names begin with, such as ``pinterest-20``.
        negatives: sampled items per choice in training.

    Raises:
        DynasError: a file is missing or broken, or they do not fit together.
    """
    files = [f"{name}.{part}" for part in ("train.rating", "test.rating", "test.negative")]
    if path is None:
        raise DynasError(f"give data.path=<folder with {', '.join(files)}>")
    folder = Path(path).expanduser()
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        raise DynasError(f"no '{missing[0]}' in '{folder}': data.path is the folder with {', '.join(files)}")
    train, test, negative = (folder / file for file in files)
    training, held_out = read_pairs(train), read_pairs(test)
    candidates = read_candidates(negative, *held_out)
    users = count(folder, "user", training[0], held_out[0])
    items = count(folder, "item", training[1], candidates.ravel())
    chosen = sorted_keys(*training, items)
    check_held_out(test, training[0], chosen, held_out, items)
    check_candidates(negative, chosen, held_out[0], candidates, items)
    return Interactions(users, items, *training, held_out[0], candidates, negatives)


def read_pairs(path: Path) -> tuple[Ints, Ints]:
    """Return the users and items ``(p,)`` of a file of ratings, which are numbered from 0."""
    columns = len(read_lines(path)[0].split("\t"))
    if not 2 <= columns <= len(COLUMNS):
        raise DynasError(f"'{path}' line 1 has {columns} columns, but user, item, rating and timestamp are expected")
    table = read_ratings(path, COLUMNS[:columns])
    return whole_numbers(path, "user", table.users), whole_numbers(path, "item", table.items)


def whole_numbers(path: Path, role: str, ids: pd.Categorical) -> Ints:
    """Return ids ``(p,)`` as numbers; raise DynasError where one is no whole number of 0 or more."""
    wrong = np.array([re.fullmatch(NUMBER, name, re.ASCII) is None for name in ids.categories])
    if wrong.any():
        line = int(wrong[ids.codes].argmax())
        raise DynasError(
            f"'{path}' line {line + 1} has '{ids[line]}' as {role}, but a whole number of 0 or more is expected"
        )
    numbers: Ints = ids.categories.astype(np.int64).to_numpy()[ids.codes]
    return numbers


def read_candidates(path: Path, users: Ints, items: Ints) -> Ints:
    """Return the items ``(n, 1 + CANDIDATES)`` to rank, the held-out one first."""
    lines = read_lines(path)
    if len(lines) != len(users):
        raise DynasError(f"'{path}' has {len(lines)} lines, but {len(users)} are expected, as in .test.rating")
    for number, (line, user, item) in enumerate(zip(lines, users, items, strict=True), 1):
        if not TEST_LINE.fullmatch(line):
            found = HELD_OUT.match(line)
            given = f"{line.count(chr(9))} items after {found[0]}" if found else f"'{line[:40]}'"
            raise DynasError(f"'{path}' line {number} has {given}, but expected are {EXPECTED}")
        found = HELD_OUT.match(line)
        if found and (int(found[1]), int(found[2])) != (user, item):
            raise DynasError(f"'{path}' line {number} is about {found[0]}, but .test.rating has ({user},{item}) there")
    figures = "\n".join(lines).translate(str.maketrans("(),", "   "))
    return np.fromstring(figures, dtype=np.int64, sep=" ").reshape(len(lines), -1)[:, 1:]


def count(folder: Path, role: str, *numbers: Ints) -> int:
    """Return one more than the highest number; raise DynasError where most below it are never used."""
    used = pd.unique(np.concatenate(numbers))
    total = int(used.max()) + 1
    if 2 * len(used) < total:
        raise DynasError(
            f"the {len(used)} {role}s in '{folder}' are numbered up to {total - 1}: number them from 0 without "
            "gaps, or give a table of ratings (data=ratings), where they may be called anything"
        )
    return total


def check_held_out(path: Path, trained: Ints, chosen: Ints, held_out: tuple[Ints, Ints], items: int) -> None:
    """Raise DynasError where a user comes twice, has nothing to be trained on, or was trained on the held-out item."""
    users, held_out_items = held_out
    repeated: NDArray[np.bool_] = pd.Series(users).duplicated().to_numpy()
    refuse(path, repeated, users, "has user {} a second time, but one item of each is expected")
    refuse(path, ~np.isin(users, trained), users, "has user {}, of whom .train.rating has no line")
    known = contains(chosen, users * items + held_out_items)
    refuse(path, known, users, "holds out an item of user {} that is in .train.rating, too")


def check_candidates(path: Path, chosen: Ints, users: Ints, candidates: Ints, items: int) -> None:
    """Raise DynasError where a user chose one of the other items."""
    others = candidates[:, 1:]
    same: NDArray[np.bool_] = others == candidates[:, :1]
    refuse(path, np.asarray(same.any(axis=1)), users, "has the held-out item of user {} among the other items")
    known = np.asarray(contains(chosen, users[:, None] * items + others).any(axis=1))
    refuse(path, known, users, "has an item among those of user {} that the user chose in .train.rating")


def refuse(path: Path, wrong: NDArray[np.bool_] | np.bool_, users: Ints, problem: str) -> None:
    """Raise DynasError with the first line that is wrong."""
    lines = np.flatnonzero(wrong)
    if len(lines):
        raise DynasError(f"'{path}' line {lines[0] + 1} {problem.format(users[lines[0]])}")
