"""A table that follows the width of the screen and loses no column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.table import Table
from rich.text import Text

from dynas.report.text import printable

NARROWEST = 10  # a column of texts gets this much at least, if it has as much to say


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its heading; a unit in brackets may end it.
        cells: its texts, one per row.
        folds: whether a text may take several lines, and stands left; numbers stand right on one line.
    """

    name: str
    cells: Sequence[str]
    folds: bool = False


@dataclass(frozen=True)
class FittedTable:
    """A table for rich that loses nothing on a narrow screen.

    As far as it has to, it breaks its headings before the unit, narrows its gaps, folds its texts, and goes on beneath
    with the columns that are left, beside the first ones once more.

    Attributes:
        title: its title.
        columns: its columns.
        keys: how many of the first columns say what a row is.
        caption: what stands below it.
    """

    title: str
    columns: Sequence[Column]
    keys: int = 1
    caption: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text | Table]:
        yield Text(printable(self.title), style="bold")
        for place, part in enumerate(self._fit(options.max_width)):
            if place:
                yield Text()
            yield part
        if self.caption:
            yield Text(printable(self.caption), style="dim italic")

    def _fit(self, space: int) -> list[Table]:
        """Return the table, or its parts where it is too wide for ``space``."""
        layouts = [_Layout(self.columns, broken, gap) for broken, gap in ((False, 2), (True, 2), (True, 1))]
        layout = next((one for one in layouts if one.width(range(len(self.columns))) <= space), layouts[-1])
        return [layout.table(part, space) for part in layout.parts(self.keys, space)]


@dataclass(frozen=True)
class _Layout:
    columns: Sequence[Column]
    broken: bool
    gap: int
    texts: Sequence[Sequence[str]] = field(init=False)  # per column its heading and its cells, as they are printed

    def __post_init__(self) -> None:
        heads = (_broken(one.name) if self.broken else one.name for one in self.columns)
        texts = [[head, *one.cells] for head, one in zip(heads, self.columns, strict=True)]
        object.__setattr__(
            self, "texts", [["\n".join(map(printable, text.split("\n"))) for text in some] for some in texts]
        )

    def natural(self, column: int) -> int:
        return max(cell_len(line) for text in self.texts[column] for line in text.split("\n"))

    def least(self, column: int) -> int:
        heading = max(map(cell_len, self.texts[column][0].split("\n")))
        natural = self.natural(column)
        return max(heading, min(natural, NARROWEST)) if self.columns[column].folds else natural

    def width(self, part: Sequence[int]) -> int:
        return sum(map(self.natural, part)) + self.gap * (len(part) - 1)

    def parts(self, keys: int, space: int) -> list[list[int]]:
        """Return the columns of each part: as many as there is space for, the first ones in each."""
        first = list(range(keys))
        parts = [first]
        for column in range(keys, len(self.columns)):
            wanted = [*parts[-1], column]
            if sum(map(self.least, wanted)) + self.gap * (len(wanted) - 1) > space and parts[-1] != first:
                wanted = [*first, column]
                parts.append(wanted)
            parts[-1] = wanted
        return parts

    def table(self, part: Sequence[int], space: int) -> Table:
        """Return the table of some columns; texts share what numbers leave of the space, short ones first."""
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, self.gap - 1, 0, 0))
        left = space - self.width([column for column in part if not self.columns[column].folds])
        widths = {column: self.natural(column) for column in part}
        folding = sorted((column for column in part if self.columns[column].folds), key=self.natural)
        for place, column in enumerate(folding):
            left -= self.gap
            share = left // (len(folding) - place) - (self.gap if place + 1 < len(folding) else 0)
            widths[column] = max(self.least(column), min(widths[column], share))
            left -= widths[column]
        for column in part:
            heading = self.texts[column][0]
            justify = "left" if self.columns[column].folds else "right"
            table.add_column(Text(heading), justify=justify, overflow="fold", width=widths[column])  # type: ignore[arg-type]
        for row in zip(*(self.texts[column][1:] for column in part), strict=True):
            table.add_row(*(Text("\n".join(folded(text, widths[at]))) for at, text in zip(part, row, strict=True)))
        return table


def folded(text: str, width: int) -> list[str]:
    """Return a text in lines of a width, broken behind a space or a sign between words where there is one."""
    lines = [""]
    for word in re.findall(r"[^\s=,_/]+[\s=,_/]*|[\s=,_/]+", text):
        while len(lines[-1]) + len(word.rstrip()) > width:
            room = width - len(lines[-1]) if len(word.rstrip()) > width else 0
            lines[-1], word = lines[-1] + word[:room], word[room:]
            lines.append("")
        lines[-1] += word
    return lines


def _broken(name: str) -> str:
    """Return a heading with a word a line; a unit in brackets stays whole."""
    return re.sub(r" (?![^\[]*\])", "\n", name)
