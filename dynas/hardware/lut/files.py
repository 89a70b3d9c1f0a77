"""The files that a latency table is read from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from dynas.errors import DynasError
from dynas.hardware.lut import csv_table as table_csv
from dynas.hardware.lut import ofa_table as table_ofa
from dynas.hardware.lut.blocks import Block, RowError

TABLES = Path(__file__).parent / "tables"
SHIPPED = sorted(path.stem for path in TABLES.glob("*.csv"))
READERS = {".csv": table_csv.rows, ".yaml": table_ofa.rows, ".yml": table_ofa.rows}
WAYS = (
    f"give hardware.table={' or '.join(SHIPPED)}, the path of a CSV, of a YAML of Once-for-All or of a folder of them, "
    "or a list of these"
)


@dataclass(frozen=True)
class TableFile:
    """One file of a table.

    Attributes:
        path: where it lies.
        content: its bytes.
        latencies: those of its blocks, in milliseconds.
    """

    path: Path
    content: bytes
    latencies: Mapping[Block, float]

    @property
    def stems(self) -> set[Block]:
        """What the networks begin with that it is for; none where it is for all."""
        return {block for block in self.latencies if block.block == "stem"}


def load(names: Sequence[str]) -> list[TableFile]:
    """Return the files of tables, each the name of a shipped one, a file or a folder of files.

    Raises:
        DynasError: there is none, a line of one is malformed, or two hold the same block for the same networks.
    """
    files = [read(path) for name in names for path in find(name)]
    if not files:
        raise DynasError(f"hardware.table=[] names no table: {WAYS}")
    for one, other in combinations(files, 2):
        check_apart(one, other)
    return files


def find(name: str) -> list[Path]:
    """Return the files of a shipped table, or at a path.

    Raises:
        DynasError: a folder holds none.
    """
    if name in SHIPPED:
        return [TABLES / f"{name}.csv"]
    path = Path(name).expanduser()
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in READERS)
    if not files:
        raise DynasError(f"the folder '{path}' holds no latency table: {WAYS}")
    return files


def read(path: Path) -> TableFile:
    """Return a file; raise DynasError where it cannot be read."""
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DynasError(f"cannot read a latency table '{path}': {WAYS}") from error
    return TableFile(path, content, parse(path, text))


def parse(path: Path, text: str) -> dict[Block, float]:
    """Return the latency in milliseconds of each block in a file.

    Raises:
        DynasError: naming the file, the line and what was expected there.
    """
    latencies: dict[Block, float] = {}
    try:
        for line, block, latency in READERS.get(path.suffix, table_csv.rows)(text):
            if block in latencies:
                raise RowError(line, f"a block that no line before has, got {block} again")
            latencies[block] = latency
    except RowError as error:
        raise DynasError(f"'{path}' line {error.line}: expected {error}") from error
    return latencies


def check_apart(one: TableFile, other: TableFile) -> None:
    """Raise DynasError where a network could be looked up in two files that hold the same block."""
    shared = [block for block in one.latencies if block in other.latencies]
    apart = one.stems and other.stems and not one.stems & other.stems
    if shared and not apart:
        more = f" and {len(shared) - 1} more" if len(shared) > 1 else ""
        raise DynasError(
            f"the latency tables '{one.path}' and '{other.path}' both hold the block {shared[0]}{more}: "
            "give only one of them"
        )


def merged(files: Iterable[TableFile]) -> dict[Block, float]:
    """Return the latencies of all blocks of several files."""
    return {block: latency for file in files for block, latency in file.latencies.items()}
