"""What a search says at its end."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dynas.compose.next_command import resume_command
from dynas.report.tables import front_table
from dynas.report.text import known_text, nearest_text, point_text, quality_text
from dynas.report.tuned import tuned_table

if TYPE_CHECKING:
    from rich.console import Console

    from dynas.report.outputs import Summary


def conclude(summary: Summary, status: str, stopped: str, notes: Sequence[str], console: Console) -> None:
    """Print the measured front, why the search ended early, where everything lies, and the next command.

    Args:
        summary: what was written.
        status: ``finished`` or ``interrupted``.
        stopped: why it ended before its budget was spent, else empty.
        notes: sentences about the values that are printed below the front.
        console: where to print.
    """
    run = summary.run
    if run.measured.any():
        console.print(front_table(run))
        if summary.tuned:
            console.print(tuned_table(summary.tuned))
        point = point_text(run.objectives, summary.reference)
        lines = [f"{volume_text(summary)} up to the reference point {point}"]
    else:
        lines = ["nothing was measured"]
    lines += [*notes, quality_text(run), known_text(run)]
    if failed := len(run) - int(run.first.measured.sum()):
        lines.append(f"{failed} evaluations failed: see the error column of results.csv")
    lines += [nearest_text(run), f"stopped after {len(run)} evaluations: {stopped}" if stopped else ""]
    lines += [*(f"  {path}" for path in summary.paths), next_command(run.folder, status, len(run.front))]
    for line in filter(None, lines):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def next_command(folder: Path, status: str, members: int) -> str:
    """Return what to type next: to go on, or to choose from a front of so many members; empty where there is none."""
    path = shlex.quote(str(folder))
    if status == "interrupted":
        return f"interrupted; go on with: {resume_command('search', folder)}"
    return f"choose one of them: dynas report {path} --pick knee" if members else ""


def volume_text(summary: Summary) -> str:
    """Return the hypervolume in words, those before and after confirming and tuning side by side."""
    tuned = "" if summary.tuned_volume is None else f"{summary.tuned_volume:.6g} after tuning, "
    if summary.confirmed is None or summary.run.again is None:
        return f"hypervolume {tuned}{summary.hypervolume:.6g}{' as searched,' if tuned else ''}"
    times, some = int(summary.run.again.sum()), int((summary.run.again > 0).sum())
    return (
        f"hypervolume {tuned}{summary.confirmed:.6g} confirmed by {times} further measurements of {some} sub-networks, "
        f"{summary.hypervolume:.6g} by the first ones,"
    )
