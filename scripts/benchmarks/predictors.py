"""Measure how long predictors take to fit, and how fast they predict next to scikit-learn's own models.

    python scripts/benchmarks/predictors.py [--examples 50,200,1000] [--candidates 20000] [--batch 50]

Prints, per predictor and number of examples: CPU seconds of one fit with its choice of hyper-parameters; CPU seconds
of predicting all candidates batch by batch, as the inner search of LINAS does; the same by the predict method of
scikit-learn's model of that kind (for stacked: StackingRegressor); and the ratio of the two.
"""

import argparse
import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import StackingRegressor
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.svm import SVR
from threadpoolctl import threadpool_limits

from dynas.predictors.named import CLASSES, predictor
from dynas.supernets.mbv3 import search_space


def rivals() -> dict[str, Any]:
    """Return scikit-learn's model of each kind, with hyper-parameters of the size that ours choose."""
    return {
        "ridge": Ridge(),
        "svr_linear": SVR(kernel="linear", C=0.05, epsilon=0.1),
        "svr_rbf": SVR(C=3, gamma=0.005, epsilon=0.1),
        "stacked": StackingRegressor([("ridge", Ridge()), ("svr", SVR(C=3, gamma=0.005, epsilon=0.1))], Ridge()),
        "mlp": MLPRegressor(hidden_layer_sizes=(64,), solver="lbfgs", max_iter=100, random_state=0, tol=1e-2),
    }


def predict_seconds(model: Any, batches: list[np.ndarray]) -> float:
    """Return the CPU seconds of predicting all batches, one after the other."""
    start = time.process_time()
    for batch in batches:
        model.predict(batch)
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", default="50,200,1000", help="numbers of training examples")
    parser.add_argument("--candidates", type=int, default=20_000, help="sub-networks to predict")
    parser.add_argument("--batch", type=int, default=50, help="sub-networks per call")
    arguments = parser.parse_args()
    space, rng = search_space(), np.random.default_rng(0)
    candidates = space.one_hot(space.sample(arguments.candidates, rng))
    batches = [candidates[start : start + arguments.batch] for start in range(0, len(candidates), arguments.batch)]
    table = Table(title=f"CPU seconds; {arguments.candidates:,} predictions in batches of {arguments.batch}")
    for name in ("predictor", "examples", "fit", "predict", "scikit-learn's predict", "ratio"):
        table.add_column(name, justify="left" if name == "predictor" else "right")
    weights = rng.standard_normal(space.n_features)
    for name in sorted(CLASSES):
        predictor(name)().fit(candidates[:20], candidates[:20] @ weights)  # warm imports
        for n in map(int, arguments.examples.split(",")):
            features = space.one_hot(space.sample_distinct(n, np.random.default_rng(n)))
            target = features @ weights + rng.normal(0, 0.3 * np.abs(weights).sum() ** 0.5, n)
            target = (target - target.mean()) / target.std()
            ours, theirs = predictor(name)(), rivals()[name]
            start = time.process_time()
            ours.fit(features, target)
            fit = time.process_time() - start
            with threadpool_limits(limits=1, user_api="blas"):
                theirs.fit(features, target)
                mine, rival = predict_seconds(ours, batches), predict_seconds(theirs, batches)
            table.add_row(name, str(n), f"{fit:.2f}", f"{mine:.3f}", f"{rival:.3f}", f"{rival / mine:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
