"""Latency tables as CSV, the format of the shipped ones."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from dynas.hardware.lut.blocks import Block, Image, Row, RowError

DIGITS = re.compile(r"\d{1,9}", re.ASCII)
COLUMNS = (*(field.name for field in fields(Block)), "latency_ms")


def rows(text: str) -> Iterator[Row]:
    """Read the rows of a table; empty lines, lines that start with # and columns of other names are skipped.

    Raises:
        RowError: a line is not a row of these columns.
    """
    numbered = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith("#")
    ]
    header = cells(*numbered[0]) if numbered else []
    if missing := [name for name in COLUMNS if header.count(name) != 1]:
        separators = "; commas belong between cells" if len(header) < 2 and numbered else ""
        raise RowError(
            numbered[0][0] if numbered else 1,
            f"the header {','.join(COLUMNS)}, got none or several of {', '.join(missing)}{separators}",
        )
    for number, line in numbered[1:]:
        try:
            block, latency = parse_row(header, cells(number, line))
        except ValueError as error:
            raise RowError(number, str(error)) from error
        yield number, block, latency


def cells(number: int, line: str) -> list[str]:
    """Return the cells of a line without spaces around them; raise RowError where it is no CSV."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))]
    except csv.Error as error:
        raise RowError(number, f"comma-separated cells: {error}") from error


def parse_row(header: Sequence[str], row: Sequence[str]) -> tuple[Block, float]:
    """Return block and latency in milliseconds of one row; ValueError says what was expected instead."""
    if len(row) != len(header):
        raise ValueError(f"{len(header)} cells ({','.join(header)}), got {len(row)}")
    named = dict(zip(header, row, strict=True))
    if not named["block"]:
        raise ValueError("the kind of a block in 'block', got an empty cell")
    ends = shape(named, "input"), shape(named, "output")
    middle, kernel, stride, shortcut, se = (count(named, name) for name in COLUMNS[3:8])
    block = Block(named["block"], *ends, middle, kernel, stride, shortcut, se, named["act"])
    return block, milliseconds(named["latency_ms"], "latency_ms")


def to_row(block: Block, latency_ms: float) -> str:
    """Return a block as a line of a table."""
    images = ["x".join(map(str, image)) for image in (block.input, block.output)]
    numbers = (block.middle, block.kernel, block.stride, block.shortcut, block.se)
    counts = map(str, numbers) if block.kernel else [""] * len(numbers)
    return ",".join([block.block, *images, *counts, block.act, repr(float(latency_ms))])


def milliseconds(text: str, name: str) -> float:
    """Return a latency; ValueError where it is no positive number."""
    try:
        latency = float(text)
    except ValueError:
        latency = math.nan
    if not 0 < latency < math.inf:
        raise ValueError(f"a positive number of milliseconds in '{name}', got '{text}'")
    return latency


def shape(named: Mapping[str, str], name: str) -> Image:
    """Return the height, width and channels in a cell such as 56x56x32."""
    parts = named[name].split("x")
    if len(parts) != 3 or not all(DIGITS.fullmatch(part) for part in parts):
        raise ValueError(f"height x width x channels such as 56x56x32 in '{name}', got '{named[name]}'")
    return int(parts[0]), int(parts[1]), int(parts[2])


def count(named: Mapping[str, str], name: str) -> int:
    """Return the whole number in a cell, 0 for an empty one; 24.0 is 24, as pandas writes it beside empty cells."""
    digits = named[name].removesuffix(".0")
    if digits and not DIGITS.fullmatch(digits):
        raise ValueError(f"a whole number or nothing in '{name}', got '{named[name]}'")
    return int(digits or 0)
