"""Latency summed from a table of block latencies, as in Once-for-All (Cai et al. 2020, arXiv:1908.09791)."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from dynas.errors import DynasError
from dynas.hardware.latency import Latency as Timing
from dynas.metrics.latency import Latency
from dynas.objectives import Values
from dynas.space import Genotypes
from dynas.supernets.base import Supernet

TABLES = Path(__file__).parent / "tables"
Image = tuple[int, int, int]  # height, width, channels


@dataclass(frozen=True)
class Block:
    """What a row of a table is the latency of; numbers that do not apply to a kind of block are 0, texts empty.

    Attributes:
        block: its kind: stem, inverted_residual, expand, pool, mix or classify in MobileNetV3.
        input: height, width and channels of what comes in.
        output: height, width and channels of what goes out.
        middle: channels between its two 1x1 convolutions.
        kernel: kernel size.
        stride: stride.
        shortcut: 1 where it adds its input to its output.
        se: 1 where it has squeeze-and-excitation.
        act: activation, ``relu`` or ``h_swish``.
    """

    block: str
    input: Image
    output: Image
    middle: int = 0
    kernel: int = 0
    stride: int = 0
    shortcut: int = 0
    se: int = 0
    act: str = ""

    def __str__(self) -> str:
        start, end = ("x".join(map(str, image)) for image in (self.input, self.output))
        inside = f", middle {self.middle}, kernel {self.kernel}, stride {self.stride}" if self.kernel else ""
        rest = f", shortcut {self.shortcut}, se {self.se}, {self.act}" if self.kernel else ""
        return f"{self.block} {start} to {end}{inside}{rest}"


COLUMNS = (*(field.name for field in fields(Block)), "latency_ms")


@runtime_checkable
class LookupSupernet(Protocol):
    """A supernet that can say which blocks its sub-networks consist of."""

    def lookup(self, table: LookupTable) -> Callable[[Genotypes], Values]:
        """Return the function from canonical genotypes ``(n, G)`` to summed latencies ``(n,)`` in milliseconds.

        Raises:
            DynasError: the table lacks one of the blocks.
        """
        ...


class LookupTable:
    """Latencies of blocks on one device. It brings its own version of the latency metric, and times no modules.

    Args:
        table: ``note10``, or the path of a CSV with the columns ``COLUMNS``; lines that start with # are skipped.
        width: width multiplier of the network whose blocks are looked up; None: the supernet's own. With a number,
            a sub-network has the latency of the same architecture at that width.

    Attributes:
        metrics: its own version of `dynas.metrics.latency.Latency`.
        digest: SHA-256 of the table's file.

    Raises:
        DynasError: there is no such table, a line of it is malformed, or the width makes no sense.
    """

    batch_size = 1

    def __init__(self, table: str, width: float | None = None) -> None:
        if width is not None and width <= 0:
            raise DynasError(f"hardware.width={width}: give a positive number, or null for the supernet's own width")
        names = sorted(path.stem for path in TABLES.glob("*.csv"))
        path = TABLES / f"{table}.csv" if table in names else Path(table).expanduser()
        try:
            content = path.read_bytes()
            lines = content.decode("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DynasError(
                f"cannot read a latency table '{path}': give hardware.table={' or '.join(names)} or the path of a CSV"
            ) from error
        self.name, self.width = table, width
        self.digest = hashlib.sha256(content).hexdigest()
        self._latencies = parse(path, lines)
        self.metrics: Mapping[type, TableLatency] = {Latency: TableLatency(self)}

    def __getitem__(self, block: Block) -> float:
        """Return the latency of a block in milliseconds.

        Raises:
            DynasError: the table does not hold it.
        """
        if block not in self._latencies:
            raise DynasError(
                f"the latency table '{self.name}' lacks the block {block}: it has {self._nearest(block)}; "
                "give hardware.width, another table, or a supernet of these blocks"
            )
        return self._latencies[block]

    def _nearest(self, block: Block) -> str:
        """Return the blocks that are most like one that is missing, in words."""
        kind = [one for one in self._latencies if one.block == block.block]
        ends = [one for one in kind if (one.input, one.output) == (block.input, block.output)]
        near = ends or kind or list(self._latencies)
        more = f" and {len(near) - 2} more such blocks" if len(near) > 2 else ""
        return f"{' and '.join(map(str, near[:2]))}{more}"

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
        """Raise DynasError: a table times nothing."""
        raise DynasError(f"the latency table '{self.name}' times no modules: choose hardware=cpu to measure latency")


def parse(path: Path, lines: Iterable[str]) -> dict[Block, float]:
    """Return the latency in milliseconds of each block in a table's lines.

    Raises:
        DynasError: naming the file, the line and what was expected there.
    """
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip() and line[0] != "#"]
    if not numbered or next(csv.reader([numbered[0][1]])) != list(COLUMNS):
        raise DynasError(f"'{path}' line {numbered[0][0] if numbered else 1}: expected the header {','.join(COLUMNS)}")
    latencies: dict[Block, float] = {}
    for number, line in numbered[1:]:
        try:
            block, latency = parse_row(next(csv.reader([line])))
            if block in latencies:
                raise ValueError(f"a block that no line before has, got {block} again")
        except (ValueError, csv.Error) as error:
            raise DynasError(f"'{path}' line {number}: expected {error}") from error
        latencies[block] = latency
    return latencies


def parse_row(row: Sequence[str]) -> tuple[Block, float]:
    """Return block and latency in milliseconds of one row; ValueError says what was expected instead."""
    if len(row) != len(COLUMNS):
        raise ValueError(f"{len(COLUMNS)} cells ({','.join(COLUMNS)}), got {len(row)}")
    named = dict(zip(COLUMNS, row, strict=True))
    if not named["block"]:
        raise ValueError("the kind of a block in 'block', got an empty cell")
    ends = shape(named, "input"), shape(named, "output")
    middle, kernel, stride, shortcut, se = (count(named, name) for name in COLUMNS[3:8])
    try:
        latency = float(named["latency_ms"])
    except ValueError:
        latency = math.nan
    if not 0 < latency < math.inf:
        raise ValueError(f"a positive number of milliseconds in 'latency_ms', got '{named['latency_ms']}'")
    block = Block(named["block"], *ends, middle, kernel, stride, shortcut, se, named["act"])
    return block, latency


def shape(named: Mapping[str, str], name: str) -> Image:
    """Return the height, width and channels in a cell such as 56x56x32."""
    parts = named[name].split("x")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        raise ValueError(f"height x width x channels such as 56x56x32 in '{name}', got '{named[name]}'")
    return int(parts[0]), int(parts[1]), int(parts[2])


def count(named: Mapping[str, str], name: str) -> int:
    """Return the whole number in a cell, 0 for an empty one."""
    if named[name] and not named[name].isdecimal():
        raise ValueError(f"a whole number or nothing in '{name}', got '{named[name]}'")
    return int(named[name] or 0)


@lru_cache(maxsize=1)
def summed(supernet: LookupSupernet, table: LookupTable) -> Callable[[Genotypes], Values]:
    """Return ``supernet.lookup(table)``, made once per search."""
    return supernet.lookup(table)


class TableLatency:
    """Latency of a sub-network as the sum of its blocks' latencies in a table, in milliseconds."""

    exact = True
    unit = "ms, table"

    def __init__(self, table: LookupTable) -> None:
        self._table = table
        at = "" if table.width is None else f" for the same architectures at width {table.width:g}"
        self.note = f"latency is summed from the block latencies of table '{table.name}'{at}; nothing was timed"

    def count(self, supernet: Supernet, genotypes: Genotypes) -> Values:
        """Return the latencies ``(n,)`` of canonical genotypes ``(n, G)``.

        Raises:
            DynasError: the supernet describes no blocks, or the table lacks one.
        """
        if not isinstance(supernet, LookupSupernet):
            raise DynasError(
                f"supernet '{supernet.name}' does not describe its blocks to a latency table: give hardware=cpu"
            )
        return summed(supernet, self._table)(genotypes)
