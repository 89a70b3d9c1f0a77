"""Measure what one LINAS iteration costs besides the measurements, in CPU seconds.

    python scripts/benchmarks/overhead.py [--measured 50,100,200] [--predicted 20000]

Prints, per number of measurements so far: training and cross-validating the predictors, the inner search on
predictions, the choice of the next batch; and the same inner search with pymoo's own real-number operators
(SBX and polynomial mutation, rounded) as the plain alternative.
"""

import argparse
import time
from functools import partial

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import Problem as PymooProblem
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.optimize import minimize
from rich.console import Console
from rich.table import Table

from dynas.algos.evolutionary import nsga2
from dynas.core.evaluator import Evaluator
from dynas.core.objectives import Objective
from dynas.core.problem import Problem
from dynas.executors.serial import Serial
from dynas.functions import measure_function
from dynas.modes.prediction import choose, search_predictions, spread_front
from dynas.predictors.ridge import Ridge
from dynas.predictors.surrogate import Surrogate, cross_validate, fit_surrogate
from dynas.supernets.mbv3 import search_space

POPULATION = 50
ALPHAS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)


def measured_evaluator(n: int) -> Evaluator:
    """Return an evaluator that holds ``n`` measurements of two noisy linear objectives on the paper's space."""
    space, rng = search_space(), np.random.default_rng(0)
    weights = np.abs(rng.standard_normal((space.n_features, 2)))
    problem = Problem(space, (Objective("top1", "max", "%"), Objective("latency", "min", "ms")))

    def function(architecture: object) -> list[float]:
        features = space.one_hot(space.encode(architecture)[None])[0]  # type: ignore[arg-type]
        return list(features @ weights + rng.normal(0, 0.2, 2))

    evaluate = Evaluator(problem, Serial(measure_function(problem, function)), n)
    evaluate(space.sample_distinct(n, rng))
    return evaluate


def plain_search(surrogate: Surrogate, evaluate: Evaluator, predicted: int) -> None:
    """Run pymoo's NSGA-II as it comes, on the same predictions."""
    space = evaluate.problem.space

    class Predicted(PymooProblem):  # type: ignore[misc]
        def _evaluate(self, x: np.ndarray, out: dict[str, object], *args: object, **kwargs: object) -> None:
            out["F"] = surrogate(space.canonical(x.astype(np.int64))).losses

    problem = Predicted(n_var=space.n_genes, n_obj=2, xl=0, xu=space.cardinality - 1, vtype=int)
    algorithm = NSGA2(
        pop_size=50,
        sampling=IntegerRandomSampling(),
        crossover=SBX(prob=0.9, vtype=float, repair=RoundingRepair()),
        mutation=PM(prob=0.02, vtype=float, repair=RoundingRepair()),
    )
    minimize(problem, algorithm, ("n_eval", predicted), seed=0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", default="50,100,150,200", help="numbers of measurements so far")
    parser.add_argument("--predicted", type=int, default=20_000, help="predicted evaluations")
    arguments = parser.parse_args()
    make_predictors = dict.fromkeys(("top1", "latency"), partial(Ridge, alphas=ALPHAS))
    table = Table(title=f"CPU seconds of one LINAS iteration, {arguments.predicted:,} predicted evaluations")
    for name in ("measured", "train", "cross-validate", "search", "choose", "total", "plain search", "plain / ours"):
        table.add_column(name, justify="right")
    fit_surrogate(measured_evaluator(50).problem, make_predictors, measured_evaluator(50).measured)  # warm imports
    for n in map(int, arguments.measured.split(",")):
        evaluate = measured_evaluator(n)
        clock = [time.process_time()]
        surrogate = fit_surrogate(evaluate.problem, make_predictors, evaluate.measured)
        clock.append(time.process_time())
        cross_validate(surrogate, make_predictors, evaluate.measured)
        clock.append(time.process_time())
        start = spread_front(evaluate.measured)
        algorithm = nsga2(evaluate.problem.space, 2, np.random.default_rng(0), start)
        predicted = search_predictions(surrogate, algorithm, arguments.predicted)
        clock.append(time.process_time())
        choose(predicted, evaluate.seen(), POPULATION)
        clock.append(time.process_time())
        plain_search(surrogate, evaluate, arguments.predicted)
        clock.append(time.process_time())
        train, validate, search, chosen, plain = np.diff(clock)
        total = clock[4] - clock[0]
        cells = [train, validate, search, chosen, total, plain, plain / search]
        table.add_row(str(n), *(f"{cell:.2f}" for cell in cells))
    Console().print(table)


if __name__ == "__main__":
    main()
