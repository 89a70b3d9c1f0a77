"""A figure or a table of the paper, and what redoes it."""

from __future__ import annotations

from dataclasses import dataclass

from dynas.paper.claims import Judged
from dynas.paper.parts import Part


@dataclass(frozen=True)
class Figure:
    """A figure or a table of the paper.

    Attributes:
        name: as a user types it.
        shows: what its caption says, in a line.
        here: what is done otherwise here, and why.
        parts: its landscapes.
        minutes: what all of its runs take on two cores, about, where none is there yet.
        untried: claims that nothing here can try.
    """

    name: str
    shows: str
    here: str
    parts: tuple[Part, ...]
    minutes: int = 0
    untried: tuple[Judged, ...] = ()

    @property
    def title(self) -> str:
        """Name as it is written."""
        return self.name.replace("figure", "Figure ").replace("table", "Table ").replace("settings", "Appendix H.2")
