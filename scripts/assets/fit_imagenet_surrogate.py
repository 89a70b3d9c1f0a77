"""Fit the package's model of ImageNet top-1 to measured sub-networks and write its coefficients and errors.

    python scripts/assets/fit_imagenet_surrogate.py MEASURED.csv

The CSV has the columns ks, e and d (JSON lists) and top1 (percent): sub-networks of OFA-MobileNetV3 w1.0, as
published in the notebooks of DyNAS-T. Several models are compared by repeated ten-fold cross-validation. What is
written is the best linear one: its fit has a closed form, so that anyone with the rows gets the same numbers again, and
the perceptrons' errors are smaller by less than the noise between repeated measurements (deviation 0.024 points).
Takes a minute.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import kendalltau
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import RepeatedKFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dynas.core.objectives import Values
from dynas.core.space import Genotypes, SearchSpace
from dynas.data.imagenet_surrogate import EMBEDDED, feature_groups
from dynas.supernets.mbconv.shape import CostTable, Shape
from dynas.supernets.mbv3 import MBV3, search_space

PENALTIES = np.logspace(-2, 3, 11)
FOLDS, REPEATS = 10, 3
CHOSEN = ("genes", "stages", "depths", "costs")
RIDGES = [
    ("genes",),
    ("genes", "depths"),
    ("genes", "stages"),
    ("genes", "costs"),
    ("genes", "stages", "costs"),
    CHOSEN,
]
COSTS = CostTable(Shape(MBV3, 1.0, (224, 224), 3, 1000, 2, (2, 2, 2, 1, 2)))


def read_rows(path: Path, space: SearchSpace) -> tuple[Genotypes, Values]:
    """Return canonical genotypes ``(n, G)`` and top-1 ``(n,)`` in percent of a CSV of measured sub-networks."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    genotypes = [space.encode({name: json.loads(row[name]) for name in ("ks", "e", "d")}) for row in rows]
    return np.stack(genotypes), np.array([float(row["top1"]) for row in rows])


def costs(genotypes: Genotypes) -> dict[str, Any]:
    """Return MACs and parameters ``(n,)`` of canonical genotypes ``(n, G)`` at width 1.0."""
    return {
        "macs": COSTS.total(COSTS.macs, COSTS.fixed_macs, genotypes),
        "params": COSTS.total(COSTS.params, COSTS.fixed_params, genotypes),
    }


class Perceptrons:
    """The mean of three small multi-layer perceptrons."""

    def fit(self, features: Values, target: Values) -> Perceptrons:
        """Learn from features ``(n, D)`` and values ``(n,)``."""
        self._centre, self._scale = target.mean(), target.std()
        self._members = [
            make_pipeline(
                StandardScaler(),
                MLPRegressor(
                    hidden_layer_sizes=(16,), activation="tanh", solver="lbfgs", alpha=3.0, max_iter=300,
                    random_state=seed,
                ),
            ).fit(features, (target - self._centre) / self._scale)
            for seed in range(3)
        ]  # fmt: skip
        return self

    def predict(self, features: Values) -> Values:
        """Return the values ``(n,)`` of features ``(n, D)``."""
        mean = np.mean([member.predict(features) for member in self._members], axis=0)
        return np.asarray(self._centre + self._scale * mean)


def ridge() -> Any:
    """Return a linear model whose penalty is chosen by leave-one-out cross-validation on what it is fitted to."""
    return RidgeCV(PENALTIES)


def cross_validate(make_model: Any, features: Values, target: Values, repeats: int = REPEATS) -> dict[str, float]:
    """Return errors on rows that a model did not see; tau is the mean over the test folds."""
    off: list[float] = []
    taus = []
    folds = RepeatedKFold(n_splits=FOLDS, n_repeats=repeats, random_state=0)
    truth = []
    for train, test in folds.split(features):
        predicted = make_model().fit(features[train], target[train]).predict(features[test])
        off += list(predicted - target[test])
        truth += list(target[test])
        taus.append(kendalltau(predicted, target[test]).statistic)
    error = np.array(off)
    return {
        "mae [points]": round(float(np.abs(error).mean()), 4),
        "rmse [points]": round(float(np.sqrt((error**2).mean())), 4),
        "mape [%]": round(float(100 * np.abs(error / np.array(truth)).mean()), 4),
        "kendall_tau": round(float(np.mean(taus)), 4),
    }


def join(groups: dict[str, Values], names: tuple[str, ...]) -> Values:
    """Return some kinds of features side by side."""
    return np.concatenate([groups[name] for name in names], axis=1)


def compare(groups: dict[str, Values], target: Values) -> dict[str, dict[str, float]]:
    """Return the cross-validated errors of every model that was tried."""
    errors = {f"ridge on {' + '.join(names)}": cross_validate(ridge, join(groups, names), target) for names in RIDGES}
    for names in (("genes",), ("genes", "costs")):
        errors[f"3 perceptrons on {' + '.join(names)}"] = cross_validate(Perceptrons, join(groups, names), target, 1)
    return errors


def fit(space: SearchSpace, genotypes: Genotypes, target: Values) -> dict[str, Any]:
    """Return the content of the model's file."""
    groups = feature_groups(space, genotypes, **costs(genotypes))
    model = ridge().fit(join(groups, CHOSEN), target)
    parts = np.split(model.coef_, np.cumsum([groups[name].shape[1] for name in CHOSEN])[:-1])
    compared = compare(groups, target)
    chosen = f"ridge on {' + '.join(CHOSEN)}"
    extremes = np.stack([space.smallest(), space.largest()])
    others = space.sample(1000, np.random.default_rng(0))
    estimates = [model.predict(join(feature_groups(space, rows, **costs(rows)), CHOSEN)) for rows in (extremes, others)]
    names = ("smallest", "largest"), ("random, lowest", "random, median", "random, highest")
    return {
        "what": "coefficients of a linear model of ImageNet top-1 in percent; see dynas/data/imagenet_surrogate.py",
        "network": "OFA-MobileNetV3 w1.0",
        "source": "notebooks of DyNAS-T (IntelLabs, Apache-2.0): ImageNet top-1 of OFA-MobileNetV3 w1.0 at 224x224",
        "rows": len(target),
        "range": {"lowest [%]": float(target.min()), "highest [%]": float(target.max())},
        "model": chosen,
        "penalty": float(model.alpha_),
        "cross_validation": {"folds": FOLDS, "repeats": REPEATS, **compared[chosen]},
        "compared": compared,
        "estimates": {
            **dict(zip(names[0], np.round(estimates[0], 2).tolist(), strict=True)),
            **dict(zip(names[1], np.round(np.quantile(estimates[1], [0, 0.5, 1]), 2).tolist(), strict=True)),
        },
        "variables": [[one.name, list(one.choices), one.length] for one in space.variables],
        "extremes": {name: count.tolist() for name, count in costs(extremes).items()},
        "intercept": float(f"{model.intercept_:.8g}"),
        "coefficients": {
            name: [float(f"{value:.5g}") for value in values] for name, values in zip(CHOSEN, parts, strict=True)
        },
    }


def main() -> None:
    """Write the model into the package."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    space = search_space()
    content = fit(space, *read_rows(Path(sys.argv[1]), space))
    EMBEDDED.write_text(json.dumps(content, indent=1) + "\n")
    shown = ("rows", "range", "model", "penalty", "cross_validation", "compared", "estimates")
    print(json.dumps({key: content[key] for key in shown}, indent=2))


if __name__ == "__main__":
    main()
