"""Picture of what each change of a network does by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dynas.core.objectives import Objective
from dynas.report.plots.figure import COLOURS, MARKERS, legend_above, new_figure, save, tidy

ROW = 0.19  # inches of a group or block
SHOWN = 60  # of them, those that matter most


@dataclass(frozen=True)
class Bar:
    """One change.

    Attributes:
        name: of the group or block.
        option: what it was changed to.
        difference: of the objective from the original's.
    """

    name: str
    option: object
    difference: float


def plot_sensitivity(bars: Sequence[Bar], objective: Objective, path: Path) -> None:
    """Draw a line per group and block and a mark per option: how far the objective moves when only that is changed.

    Raises:
        DynasError: the file name has an ending that matplotlib does not know.
    """
    names = list(dict.fromkeys(bar.name for bar in bars))
    if len(names) > SHOWN:
        worst = {name: max(abs(bar.difference) for bar in bars if bar.name == name) for name in names}
        kept = set(sorted(names, key=lambda name: -worst[name])[:SHOWN])
        names = [name for name in names if name in kept]
    places = {name: len(names) - 1 - place for place, name in enumerate(names)}
    options = list(dict.fromkeys(bar.option for bar in sorted(bars, key=lambda bar: str(bar.option))))
    figure = new_figure(6.8, 1.4 + ROW * len(names))
    axes = figure.subplots()
    for index, option in enumerate(options):
        shown = [bar for bar in bars if bar.option == option and bar.name in places]
        axes.plot(
            [bar.difference for bar in shown], [places[bar.name] for bar in shown], linestyle="none",
            label="left out" if option == 0 else f"{option} of its channels",
            color=COLOURS[index % len(COLOURS)], marker=MARKERS[index % len(MARKERS)], markersize=5,
        )  # fmt: skip
    axes.set_yticks(list(places.values()), list(places), fontsize=7)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.axvline(0, color="#8a8a8a", linewidth=0.8)
    axes.set_xlabel(f"change of {objective.column} by itself, without fine-tuning")
    tidy(axes)
    legend_above(axes)
    save(figure, path)
