"""What a figure is made of: parts that each need some runs, and then write pictures and tables and judge claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from omegaconf import DictConfig

from dynas.paper.claims import Judged
from dynas.paper.jobs import Job
from dynas.paper.searches import Size
from dynas.system.folders import CONFIGS

ENDINGS = (".svg", ".png")


@dataclass(frozen=True)
class Told:
    """What a part tells.

    Attributes:
        paragraphs: Markdown: what was done, pictures, tables.
        claims: the paper's claims that it judges.
    """

    paragraphs: tuple[str, ...] = ()
    claims: tuple[Judged, ...] = ()


class Part(Protocol):
    """One landscape of a figure, or all of a table."""

    @property
    def name(self) -> str:
        """What tells it apart from other parts of the figure; empty where it is the only one."""
        ...

    def jobs(self, size: Size) -> list[Job]:
        """Return the runs that it needs, in the order in which they are to be made."""
        ...

    def finish(self, size: Size, runs: Path, stem: Path) -> Told:
        """Write pictures and tables, and tell of them.

        Args:
            size: as given to `jobs`.
            runs: the folder of all runs.
            stem: where its files go and how their names begin.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class WithoutRuns:
    """What parts have in common that need no runs.

    Attributes:
        name: tells it apart from other parts of the figure.
    """

    name: str = ""

    def jobs(self, size: Size) -> list[Job]:
        """Return nothing."""
        return []


@cache
def composed(override: str) -> DictConfig:
    """Return the config of a search with one override."""
    import hydra

    from dynas.compose.frames import register

    register()
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return hydra.compose("search", overrides=[override])


def draw(paint: Callable[[Path], None], stem: Path, caption: str) -> str:
    """Draw a picture as vectors and pixels, and return the line of Markdown that shows it."""
    for ending in ENDINGS:
        paint(stem.with_name(stem.name + ending))
    return f"![{caption}]({stem.name}.png)"
