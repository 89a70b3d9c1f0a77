"""The cells of the paper's Tables 4 and 5 (Cummings et al. 2022), each with the preset and the key that hold it.

One list for the text of ``dynas paper``, for the comments in configs/experiment/paper and for the tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dynas.paper.claims import Judged, of_truth
from dynas.paper.markdown import markdown
from dynas.paper.parts import Told, WithoutRuns, composed
from dynas.paper.searches import Size
from dynas.system.files import write_csv

RIESZ = "Riesz s-energy, 20 partitions"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        row, column: its place, in the paper's words.
        paper: what it says there.
        preset: option of the group ``experiment/paper`` that holds it.
        key: key of the composed config.
        value: what the key must hold.
        why: how that is the paper's, where it is written otherwise.
    """

    row: str
    column: str
    paper: str
    preset: str
    key: str
    value: object
    why: str = ""


def row(name: str, key: str, cells: Mapping[str, tuple[str, str, object]], why: str = "") -> Iterator[Cell]:
    """Yield the cells of a row: by column what the paper says, the preset, and its value."""
    for column, (paper, preset, value) in cells.items():
        yield Cell(name, column, paper, preset, key, value, why)


DIRECTIONS = {"U-NSGA-III": "unsga3", "C-TAEA": "ctaea", "MOEA/D": "moead"}
GENETIC = {"NSGA-II": "nsga2", "AGE-MOEA": "agemoea", "U-NSGA-III": "unsga3"}
TABLE4 = (
    *row("population size", "algo.population", {name: ("50", preset, 50) for name, preset in GENETIC.items()}),
    *row("mutation probability", "algo.mutation", {name: ("0.02", preset, 0.02) for name, preset in GENETIC.items()}),
    Cell("mutation probability", "C-TAEA", "0.05", "ctaea", "algo.mutation", 0.05),
    *row("crossover probability", "algo.crossover", {name: ("0.9", preset, 0.9) for name, preset in GENETIC.items()}),
    Cell("crossover probability", "C-TAEA", "1.0", "ctaea", "algo.crossover", 1.0),
    Cell("reference direction method", "U-NSGA-III", RIESZ, "unsga3", "algo.partitions", 20),
    *row(
        "reference direction method",
        "algo.population",
        {name: (RIESZ, DIRECTIONS[name], 21) for name in ("C-TAEA", "MOEA/D")},
        "20 partitions are 21 directions of two objectives, with one individual each",
    ),
    Cell("number of neighbors", "MOEA/D", "20", "moead", "algo.neighbours", 20),
    Cell("neighbor mating probability", "MOEA/D", "0.9", "moead", "algo.neighbour_mating", 0.9),
    Cell("prior weight (text of H.2)", "MOTPE", "1.0", "motpe", "algo.prior_weight", 1.0),
    Cell("candidate samples (text of H.2)", "MOTPE", "24", "motpe", "algo.ei_candidates", 24),
)
IMAGES, TRANSLATION, RECOMMENDATION = "MobileNetV3, ResNet50", "Transformer", "NCF"
LINAS = {IMAGES: "linas", TRANSLATION: "transformer_linas", RECOMMENDATION: "ncf_linas"}
PREDICTORS = {"Ridge": "dynas.predictors.ridge.Ridge", "SVR w/ Linear kernel": "dynas.predictors.svr.SvrLinear"}
TABLE5 = (
    Cell("accuracy predictor", IMAGES, "Ridge", "linas", "predictor._target_", PREDICTORS["Ridge"]),
    Cell(
        "accuracy predictor",
        TRANSLATION,
        "SVR w/ RBF kernel",
        "transformer_linas",
        "objectives.bleu.predictor",
        "svr_rbf",
    ),
    Cell(
        "accuracy predictor", RECOMMENDATION, "SVR w/ RBF kernel", "ncf_linas", "objectives.hr10.predictor", "svr_rbf"
    ),
    *(
        Cell("latency predictor", column, paper, LINAS[column], "predictor._target_", PREDICTORS[paper])
        for column, paper in {IMAGES: "Ridge", TRANSLATION: "Ridge", RECOMMENDATION: "SVR w/ Linear kernel"}.items()
    ),
    *(
        Cell(name, column, paper, LINAS[column], key, value)
        for name, key, values in (
            ("population", "mode.population", ("50", "50", "10")),
            ("population", "algo.population", ("50", "50", "10")),
            ("crossover", "algo.crossover", ("0.9", "0.9", "0.1")),
            ("mutation", "algo.mutation", ("0.02", "0.02", "0.02")),
            ("LINAS evaluations (predictor)", "mode.predicted_evaluations", ("20000", "20000", "2000")),
        )
        for column, paper in zip(LINAS, values, strict=True)
        for value in [float(paper) if "." in paper else int(paper)]
    ),
)
TABLES = {"table4": TABLE4, "table5": TABLE5}


@dataclass(frozen=True, kw_only=True)
class Cells(WithoutRuns):
    """A part that lists the cells of one table beside the presets, as composed.

    Attributes:
        table: key of `TABLES`.
    """

    table: str

    def finish(self, size: Size, runs: Path, stem: Path) -> Told:
        """Write one row per cell, and count those that agree."""
        cells = TABLES[self.table]
        found = [held(cell) for cell in cells]
        rows = [
            [cell.row, cell.column, cell.paper, f"`paper/{cell.preset}`", f"`{cell.key}`", shown(value), cell.why]
            for cell, value in zip(cells, found, strict=True)
        ]
        header = ["setting", "column", "paper", "preset", "key", "here", "note"]
        write_csv(stem.with_name(f"{stem.name}.csv"), header, rows)
        agreeing = sum(value == cell.value for cell, value in zip(cells, found, strict=True))
        judged = of_truth(agreeing == len(cells), f"{agreeing} of {len(cells)} cells")
        place = self.table.replace("table", "Table ")
        claim = Judged(place, "settings of the presets", f"{len(cells)} cells", judged.here, judged.verdict)
        return Told((markdown(header, rows, texts=len(header)),), (claim,))


def shown(value: object) -> str:
    """Return a value of a config in a word."""
    return str(value).rpartition(".")[2] if isinstance(value, str) else str(value)


def held(cell: Cell) -> object:
    """Return what a cell's key holds under its preset."""
    from omegaconf import OmegaConf

    return OmegaConf.select(composed(f"experiment=paper/{cell.preset}"), cell.key)
