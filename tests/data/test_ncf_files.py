"""The files of He et al.'s repository: read as published, and refused with the line where they are broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dynas.data.ncf_files import ncf_files
from dynas.errors import DynasError

USERS, ITEMS, NAME = 4, 120, "ml-1m"
Lines = dict[str, list[str]]


def make_lines() -> Lines:
    """Four users with five to eight training items; the last is held out and 99 others are listed."""
    rng = np.random.default_rng(0)
    lines: Lines = {"train.rating": [], "test.rating": [], "test.negative": []}
    for user in range(USERS):
        items = rng.permutation(ITEMS).tolist()
        if user == 0:
            items.remove(ITEMS - 1)
            items.insert(0, ITEMS - 1)  # so that the highest number is sure to occur
        chosen, held_out, others = items[: 5 + user], items[5 + user], items[6 + user : 105 + user]
        lines["train.rating"] += [f"{user}\t{item}\t{rng.integers(1, 6)}\t{97800 + item}" for item in chosen]
        lines["test.rating"].append(f"{user}\t{held_out}\t5\t98000")
        lines["test.negative"].append("\t".join([f"({user},{held_out})", *map(str, others)]))
    return lines


def write_ncf(folder: Path, lines: Lines | None = None, name: str = NAME, end: str = "\n") -> Path:
    """Write the three files; return their folder."""
    for part, content in (lines or make_lines()).items():
        (folder / f"{name}.{part}").write_text("".join(line + end for line in content), newline="")
    return folder


def test_training_and_candidates_are_those_of_the_files(tmp_path: Path) -> None:
    lines = make_lines()
    data = ncf_files(str(write_ncf(tmp_path, lines)), NAME)
    assert (data.users, data.items, data.quality) == (USERS, ITEMS, "hr10")
    given = sorted((int(user), int(item)) for user, item, _, _ in (line.split("\t") for line in lines["train.rating"]))
    assert list(zip(data.training_users.tolist(), data.training_items.tolist(), strict=True)) == given
    assert data.ranked_users.tolist() == [0, 1, 2, 3]
    for row, test, negative in zip(data.candidates.tolist(), lines["test.rating"], lines["test.negative"], strict=True):
        assert row[0] == int(test.split("\t")[1])
        assert row[1:] == [int(item) for item in negative.split("\t")[1:]]
    users, items, labels = (np.asarray(column) for column in next(data.training_batches(130, np.random.default_rng(0))))
    assert sorted(zip(users[labels == 1].tolist(), items[labels == 1].tolist(), strict=True)) == given


def test_line_ends_spaces_and_further_columns_do_not_matter(tmp_path: Path) -> None:
    digest = ncf_files(str(write_ncf(tmp_path)), NAME).digest
    lines = make_lines()
    assert ncf_files(str(write_ncf(tmp_path, end="\r\n")), NAME).digest == digest
    for part in ("train.rating", "test.rating"):
        lines[part] = [line.rsplit("\t", 1)[0] for line in lines[part]]
    lines["test.negative"] = [line.replace(",", ", ") for line in lines["test.negative"]]
    assert ncf_files(str(write_ncf(tmp_path, lines)), NAME).digest == digest


def test_another_item_to_rank_is_other_data(tmp_path: Path) -> None:
    digest = ncf_files(str(write_ncf(tmp_path)), NAME).digest
    lines = make_lines()
    known = {
        int(line.split("\t")[1]) for part in ("train.rating", "test.rating") for line in lines[part] if line[0] == "0"
    }
    *rest, last = lines["test.negative"][0].split("\t")
    other = next(item for item in range(ITEMS) if item not in known and str(item) != last)
    lines["test.negative"][0] = "\t".join([*rest, str(other)])
    assert ncf_files(str(write_ncf(tmp_path, lines)), NAME).digest != digest


def replaced(part: str, line: int, change: Callable[[list[str]], list[str]]) -> Callable[[Lines], None]:
    """Return what changes the columns of one line."""

    def apply(lines: Lines) -> None:
        lines[part][line - 1] = "\t".join(change(lines[part][line - 1].split("\t")))

    return apply


def first_training_item(lines: Lines) -> None:
    """User 0 chose the first line's item."""
    columns = lines["test.negative"][0].split("\t")
    lines["test.negative"][0] = "\t".join([*columns[:-1], lines["train.rating"][0].split("\t")[1]])


def repeat_user(lines: Lines) -> None:
    for part in ("test.rating", "test.negative"):
        lines[part].append(lines[part][1])


def without_training(lines: Lines) -> None:
    lines["train.rating"] = [line for line in lines["train.rating"] if not line.startswith("2\t")]


def trained_and_held_out(lines: Lines) -> None:
    lines["train.rating"].append(lines["test.rating"][3])


def raw_numbers(lines: Lines) -> None:
    for line in range(len(lines["train.rating"])):
        replaced("train.rating", line + 1, lambda row: [row[0], str(1000 * int(row[1])), *row[2:]])(lines)


def empty(part: str) -> Callable[[Lines], None]:
    return lambda lines: lines.__setitem__(part, [])


BROKEN: dict[str, tuple[Callable[[Lines], None], str]] = {
    "text as item": (
        replaced("train.rating", 3, lambda row: [row[0], "film", *row[2:]]),
        "train.rating' line 3 has 'film' as item",
    ),
    "text as user": (
        replaced("train.rating", 1, lambda row: ["user", *row[1:]]),
        "train.rating' line 1 has 'user' as user",
    ),
    "negative user": (
        replaced("train.rating", 4, lambda row: ["-1", *row[1:]]),
        "train.rating' line 4 has '-1' as user, but a whole number of 0 or",
    ),
    "fraction": (
        replaced("test.rating", 2, lambda row: [row[0], "1.5", *row[2:]]),
        "test.rating' line 2 has '1.5' as item",
    ),
    "no rating": (
        replaced("train.rating", 5, lambda row: [*row[:2], "", row[3]]),
        "train.rating' line 5 has '' as rating",
    ),
    "short line": (replaced("train.rating", 5, lambda row: row[:1]), "train.rating' line 5 has no item"),
    "long line": (
        replaced("train.rating", 6, lambda row: [*row, "1"]),
        "train.rating' line 6 has 5 columns instead of 4",
    ),
    "wide file": (
        replaced("train.rating", 1, lambda row: [*row, "1"]),
        "train.rating' line 1 has 5 columns, but user, item",
    ),
    "98 others": (
        replaced("test.negative", 3, lambda row: row[:-1]),
        r"test.negative' line 3 has 98 items after \(2,.*99 other",
    ),
    "100 others": (
        replaced("test.negative", 1, lambda row: [*row, "1"]),
        r"test.negative' line 1 has 100 items after \(0,",
    ),
    "no pair": (
        replaced("test.negative", 2, lambda row: ["1", *row[1:]]),
        "test.negative' line 2 has '1 .*expected are",
    ),
    "word among others": (
        replaced("test.negative", 2, lambda row: [*row[:5], "x", *row[6:]]),
        "test.negative' line 2 has",
    ),
    "other pair": (
        replaced("test.negative", 2, lambda row: ["(1,0)", *row[1:]]),
        r"line 2 is about \(1,0\), but .test.rating has \(1,",
    ),
    "held out among others": (
        replaced("test.negative", 4, lambda row: [*row[:-1], row[0].strip("()").split(",")[1]]),
        "test.negative' line 4 has the held-out item of user 3 among",
    ),
    "chosen among others": (
        first_training_item,
        "test.negative' line 1 has an item among those of user 0 that the user chose",
    ),
    "fewer lines": (
        lambda lines: lines["test.negative"].pop() and None,
        "test.negative' has 3 lines, but 4 are expected",
    ),
    "user twice": (repeat_user, "test.rating' line 5 has user 1 a second time"),
    "no training": (without_training, "test.rating' line 3 has user 2, of whom .train.rating has no line"),
    "trained on": (trained_and_held_out, "test.rating' line 4 holds out an item of user 3 that is in .train.rating"),
    "numbers with gaps": (raw_numbers, r"items in .* are numbered up to \d+: number them from 0 without gaps, or"),
    "empty training": (empty("train.rating"), "train.rating' is empty"),
    "empty test": (empty("test.rating"), "test.rating' is empty"),
    "empty negatives": (empty("test.negative"), "test.negative' is empty"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused_with_file_and_line(case: str, tmp_path: Path) -> None:
    breaks, message = BROKEN[case]
    lines = make_lines()
    breaks(lines)
    with pytest.raises(DynasError, match=message) as refusal:
        ncf_files(str(write_ncf(tmp_path, lines)), NAME)
    assert "\n" not in str(refusal.value)


def test_wrong_folders_and_names_are_explained(tmp_path: Path) -> None:
    write_ncf(tmp_path)
    with pytest.raises(
        DynasError, match=r"no 'pinterest-20.train.rating' in .*data.path is the folder with pinterest-20"
    ):
        ncf_files(str(tmp_path), "pinterest-20")
    with pytest.raises(DynasError, match=r"no 'ml-1m.train.rating' in '.*nowhere'"):
        ncf_files(str(tmp_path / "nowhere"), NAME)
    with pytest.raises(
        DynasError, match=r"give data.path=<folder with ml-1m.train.rating, ml-1m.test.rating, ml-1m.test"
    ):
        ncf_files(None, NAME)
    (tmp_path / f"{NAME}.test.negative").unlink()
    with pytest.raises(DynasError, match=r"no 'ml-1m.test.negative'"):
        ncf_files(str(tmp_path), NAME)


@pytest.mark.parametrize("part", ["train.rating", "test.rating", "test.negative"])
def test_binary_junk_is_no_text(part: str, tmp_path: Path) -> None:
    path = write_ncf(tmp_path) / f"{NAME}.{part}"
    path.write_bytes(b"0\t1\t5\t9\n\xff\xfe\x00\x01")
    with pytest.raises(DynasError, match=f"{part}' line 2 is not in UTF-8"):
        ncf_files(str(tmp_path), NAME)
