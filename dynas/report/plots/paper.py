"""Pictures as wide as the columns of a paper, with texts of a size that its readers can read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from matplotlib.figure import Figure, SubFigure
from matplotlib.text import Text

from dynas.errors import DynasError

WIDTHS = {1: 3.35, 2: 7.0}  # inches of one and of two columns of a page of two, as most publishers have them
USUAL = 10.0  # points of most texts of a picture
ON_PAPER = 8.0
LETTERS = 13.5  # of the usual size in an inch
TALLER = 1.25  # a narrow picture is that much taller for its width, so that its legend has room


@dataclass(frozen=True)
class Paper:
    """How wide pictures are, in columns or None for as wide as they like, and the size of their texts in points."""

    columns: int | None
    font: float


_paper: ContextVar[Paper | None] = ContextVar("paper", default=None)


@contextmanager
def on_paper(columns: int | None, font: float | None) -> Iterator[None]:
    """Draw pictures of the block for a paper.

    Args:
        columns: 1 or 2; None: as wide as they like.
        font: size of texts in points; None: 8 where columns are given, else as usual.

    Raises:
        DynasError: a size that nobody could read or print.
    """
    size = font if font is not None else ON_PAPER if columns else USUAL
    if not (math.isfinite(size) and 4 <= size <= 40):
        raise DynasError(f"--font {font:g}: give 4 to 40 points")
    token = _paper.set(Paper(columns, size))
    try:
        yield
    finally:
        _paper.reset(token)


def abreast(panels: int) -> int:
    """Return how many of so many panels have room side by side: one in a column of a paper."""
    paper = _paper.get()
    return 1 if paper is not None and paper.columns == 1 else panels


def letters(figure: Figure | SubFigure, panels: int = 1) -> int:
    """Return how many letters a line has in each of ``panels`` side by side, once `fit` has done its work."""
    paper = _paper.get()
    inches = figure.bbox.width / figure.get_dpi() if paper is None or paper.columns is None else WIDTHS[paper.columns]
    size = USUAL if paper is None else paper.font
    return max(10, int(LETTERS * inches / panels * USUAL / size))


def fit(figure: Figure) -> None:
    """Bring a picture to the size of the paper that it is drawn for, if there is one."""
    paper = _paper.get()
    if paper is None:
        return
    for text in figure.findobj(Text):
        text.set_fontsize(float(text.get_fontsize()) * paper.font / USUAL)
    if paper.columns is not None:
        width, height = figure.get_size_inches()
        narrow = TALLER if paper.columns == 1 else 1.0
        figure.set_size_inches(WIDTHS[paper.columns], narrow * WIDTHS[paper.columns] * height / width)
