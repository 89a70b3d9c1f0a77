"""Reads who chose what, and when, from a table in a text file."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dynas.errors import DynasError
from dynas.system.text_file import read_text

SEPARATORS = ("::", "\t", ",", ";", "|", " ")
SEPARATOR_LINE = re.compile(r"sep=([;,|\t ])", re.IGNORECASE)  # by which spreadsheets are told it
RECBOLE = re.compile(r":(token|float)(_seq)?$")  # the types behind names of columns in RecBole's atomic files
NAMES = {  # of columns, without case, spaces and underscores
    "user": {"user", "userid"},
    "item": {"item", "itemid", "movie", "movieid", "product", "productid", "book", "bookid", "artist", "artistid"},
    "rating": {"rating"},
    "timestamp": {"timestamp"},
}
NEEDED = ("user", "item")


@dataclass(frozen=True)
class Ratings:
    """The lines of a table; what is None has no column.

    Attributes:
        users: their ids ``(p,)`` as they stand in the file, whatever these look like: texts without spaces around them.
        items: the same of the items.
        ratings: numbers ``(p,)``.
        times: seconds since 1970, or any other numbers that grow with time ``(p,)``.
    """

    users: pd.Categorical
    items: pd.Categorical
    ratings: NDArray[np.float64] | None
    times: NDArray[np.float64] | None


def read_ratings(
    path: Path, columns: Sequence[str] | None = None, names: dict[str, str | None] | None = None
) -> Ratings:
    """Read a table with tabs, commas, semicolons, ``::``, ``|`` or spaces between its columns, compressed or not.

    Args:
        path: the file.
        columns: names of the columns, where the first line does not hold them.
        names: the column for each of `NAMES`; None: the one that is called so.

    Raises:
        DynasError: the file cannot be read, a column is missing, or a line is broken.
    """
    text = read_text(path).rstrip("\r\n")
    if "\0" in text:
        raise DynasError(f"'{path}' line {text.count(chr(10), 0, text.index(chr(0))) + 1} is no text")
    lines_before = 0
    if told := SEPARATOR_LINE.fullmatch(text.split("\n", 1)[0].rstrip("\r")):
        text, lines_before = text.partition("\n")[2], 1
    start = text.split("\n", 1)[0].strip()
    separator = told[1] if told else next((separator for separator in SEPARATORS if separator in start), None)
    if separator is None:
        raise DynasError(
            f"'{path}' line {1 + lines_before} is '{start[:60]}', but a tab, comma, semicolon, '::', '|' or space is "
            "expected between user and item"
        )
    if separator == "::":
        text, separator = text.replace("::", "\t"), "\t"
    if columns:
        text = separator.join(columns) + "\n" + text
    first_line = lines_before + (1 if columns else 2)  # of the rows below the names
    where = f"data.columns={list(columns)}" if columns else f"'{path}' line 1, '{start[:60]}',"
    header = list(parse(path, text, separator, first_line, rows=0).columns)
    found = {role: find_column(where, header, role, (names or {}).get(role)) for role in NAMES}
    frame = parse(path, text, separator, first_line, texts=[name for role in NEEDED if (name := found[role])])
    if frame.empty:
        raise DynasError(f"'{path}' has names of columns but no line below them")

    def number_column(role: str) -> NDArray[np.float64] | None:
        name = found[role]
        return None if name is None else numbers(path, frame[name], first_line, dates=role == "timestamp")

    users, items = (labels(path, frame[found[role]], first_line) for role in NEEDED)
    return Ratings(users, items, number_column("rating"), number_column("timestamp"))


def parse(
    path: Path, text: str, separator: str, first_line: int, rows: int | None = None, texts: Sequence[str] = ()
) -> pd.DataFrame:
    """Return the table whose first line holds the names of its columns.

    Args:
        path: where the text is from, for errors.
        text: names of columns and rows.
        separator: what is between columns.
        first_line: number of the line of the first row, for errors.
        rows: how many to read at most; None: all.
        texts: columns that stay as they are written; others that hold numbers become numbers.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table: pd.DataFrame = pd.read_csv(
                StringIO(text),
                sep=separator,
                nrows=rows,
                dtype=dict.fromkeys(texts, str),  # "category" would make numbers of them
                index_col=False,
                na_filter=False,
                skip_blank_lines=False,
                low_memory=False,
            )
            return table
    except pd.errors.ParserWarning as error:
        raise DynasError(f"'{path}' line {first_line} has more columns than names") from error
    except pd.errors.ParserError as error:
        counts = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if counts:
            expected, line, given = map(int, counts.groups())
            line += first_line - 2
            raise DynasError(f"'{path}' line {line} has {given} columns instead of {expected}") from error
        quote = re.search(r"EOF inside string starting at row (\d+)", str(error))
        if quote:
            line = int(quote[1]) + first_line - 1
            raise DynasError(f"'{path}' line {line} opens a quotation mark that is never closed") from error
        raise DynasError(f"cannot read '{path}': {error}") from error
    except pd.errors.EmptyDataError as error:
        raise DynasError(f"'{path}' line {first_line - 1} names no columns") from error


def find_column(where: str, columns: list[str], role: str, name: str | None) -> str | None:
    """Return the column of a role: the one that is given, or the only one that is called so; None: there is none."""
    if name is not None:
        if name not in columns:
            raise DynasError(f"{where} has no column '{name}' (data.{role}): choose one of {', '.join(columns)}")
        return name
    found = [column for column in columns if re.sub(r"[\s_]", "", RECBOLE.sub("", column)).lower() in NAMES[role]]
    if len(found) > 1:
        raise DynasError(f"{where} names several columns for the {role}: say which by data.{role}={found[0]}")
    if not found and role in NEEDED:
        raise DynasError(
            f"{where} names no column for the {role}: give data.{role}=<name>, or "
            "data.columns=[user,item,rating,timestamp] where no line holds the names"
        )
    return found[0] if found else None


def labels(path: Path, column: pd.Series, first_line: int) -> pd.Categorical:
    """Return the ids of users or items without spaces around them; raise DynasError where one is empty."""
    codes, names = pd.factorize(column)
    numbers, stripped = pd.factorize(pd.Series(names, dtype=str).str.strip())
    codes = numbers[codes]
    empty = np.flatnonzero(stripped == "")
    if len(empty):
        row = int((codes == empty[0]).argmax())
        raise DynasError(f"'{path}' line {row + first_line} has no {column.name}")
    return pd.Categorical.from_codes(codes, categories=stripped)


def numbers(path: Path, column: pd.Series, first_line: int, dates: bool = False) -> NDArray[np.float64]:
    """Return a column as finite numbers; dates, where they are allowed, become seconds since 1970."""
    values: NDArray[np.float64] = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    if dates and np.isnan(values[0]):
        moments = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)
        values = (moments - pd.Timestamp("1970-01-01", tz="UTC")).dt.total_seconds().to_numpy(dtype=np.float64)
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(wrong.argmax())
        kind = "a number, or on all lines a date such as 2016-10-16 17:57:24" if dates else "a number"
        raise DynasError(
            f"'{path}' line {row + first_line} has '{column.iloc[row]}' as {column.name}, but {kind} is expected"
        )
    return values
