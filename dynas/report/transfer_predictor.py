"""A latency predictor of one device, brought to another by some members of the front (`dynas.predictors.affine`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.core.predictor import PredictorFactory
from dynas.core.space import SearchSpace
from dynas.predictors.affine import Affine, fit_affine, spread_ranks
from dynas.predictors.features import feature_genes, one_hot
from dynas.predictors.fitted import fit_predictor
from dynas.predictors.surrogate import quality
from dynas.report.transfer import Transferred
from dynas.runs.names import PREDICTED
from dynas.system.files import number, write_csv


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a transferred predictor says.

    Attributes:
        result: the transferred front.
        line: from the source's predictions to the target.
        fitted: members of the front that the line was fitted on.
        tested: members of the front that it did not see.
        members: predictions ``(n,)`` of all members.
        rows: rows of the source that were measured there.
        everything: predictions of these rows.
    """

    result: Transferred
    line: Affine
    fitted: NDArray[np.int64]
    tested: NDArray[np.int64]
    members: Values
    rows: NDArray[np.int64]
    everything: Values


def predict(result: Transferred, space: SearchSpace, make_predictor: PredictorFactory, n: int) -> Predicted:
    """Train on everything that the source measured, fit the line on ``n`` members of the front, predict all others."""
    source = result.source
    rows = np.flatnonzero(np.isfinite(source.values[:, result.source_column]))
    features = space.one_hot(np.array([space.encode(json.loads(source.architectures[row])) for row in rows]))
    objective = source.objectives[result.source_column]
    values = source.values[rows, result.source_column]
    predictor = fit_predictor(objective, make_predictor, features, values, feature_genes(space, one_hot))
    everything = predictor.predict(features)
    members = everything[np.searchsorted(rows, result.rows)]
    measured = np.flatnonzero(np.isfinite(result.now))
    chosen = measured[spread_ranks(members[measured], min(n, len(measured)))]
    line = fit_affine(members[chosen], result.now[chosen])
    return Predicted(result, line, chosen, np.setdiff1d(measured, chosen), line(members), rows, line(everything))


def predictor_sentence(predicted: Predicted) -> str:
    """Return how well the predictor does on members of the front that it did not see on the target."""
    objective, tested = predicted.result.objective, predicted.tested
    errors = quality(objective.name, predicted.result.now[tested], predicted.members[tested])
    return (
        f"{objective.name} predicted from where found, corrected by {len(predicted.fitted)} members "
        f"(x {predicted.line.factor:.4g} {predicted.line.offset:+.4g} {objective.unit}): on the {len(tested)} others "
        f"MAPE {errors.mape:.2f} %, Kendall tau {errors.kendall_tau:.3f}"
    )


def write_predicted(predicted: Predicted, folder: Path) -> Path:
    """Write predicted.csv: what everything that the source measured is predicted to take on the target."""
    source, objective = predicted.result.source, predicted.result.objective
    before = source.objectives[predicted.result.source_column]
    header = ["source index", "key", f"{before.name} where found [{before.unit}]"]
    header += [f"{objective.name} predicted [{objective.unit}]", "architecture"]
    index = source.header.index("index")
    lines = [
        [
            *(source.rows[row][index], source.keys[row]),
            *map(number, (source.values[row, predicted.result.source_column], float(value))),
            source.architectures[row],
        ]
        for row, value in zip(predicted.rows, predicted.everything, strict=True)
    ]
    write_csv(folder / PREDICTED, header, lines)
    return folder / PREDICTED
