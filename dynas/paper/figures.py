"""All figures and tables of the paper whose numbers a search can give, in its order."""

from __future__ import annotations

from dynas.paper.ablation_figures import ABLATION_FIGURES
from dynas.paper.figure import Figure
from dynas.paper.predictor_figures import PREDICTOR_FIGURES
from dynas.paper.search_figures import SEARCH_FIGURES
from dynas.paper.table_figures import TABLE_FIGURES, TRANSFER_FIGURES


def place(figure: Figure) -> tuple[str, int]:
    """Return what sorts figures, then text, then tables."""
    kind = figure.name.rstrip("0123456789")
    return ({"figure": "0", "settings": "1", "table": "2"}[kind], int(figure.name.removeprefix(kind) or 0))


FIGURES = tuple(
    sorted((*PREDICTOR_FIGURES, *SEARCH_FIGURES, *ABLATION_FIGURES, *TRANSFER_FIGURES, *TABLE_FIGURES), key=place)
)
