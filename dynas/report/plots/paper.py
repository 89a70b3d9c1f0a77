"""Pictures as wide as the columns of a paper, with texts of a size that its readers can read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.text import Text

from dynas.errors import DynasError

WIDTHS = {1: 3.35, 2: 7.0}  # inches of one and of two columns of a page of two, as most publishers have them
USUAL = 10.0  # points of most texts of a picture
ON_PAPER = 8.0
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


def fit(figure: Figure) -> None:
    """Bring a picture to the size of the paper that it is drawn for, if there is one."""
    paper = _paper.get()
    if paper is None:
        return
    for text in figure.findobj(Text):
        text.set_fontsize(text.get_fontsize() * paper.font / USUAL)  # type: ignore[attr-defined]
    if paper.columns is not None:
        width, height = figure.get_size_inches()
        narrow = TALLER if paper.columns == 1 else 1.0
        figure.set_size_inches(WIDTHS[paper.columns], narrow * WIDTHS[paper.columns] * height / width)
