"""How well a latency predictor is brought to another device by a few measurements there, on HAT's measurements.

    python scripts/benchmarks/transfer.py <folder> [--draws 300]

The folder holds HAT's latencies of Transformers (Wang et al. 2020, MIT licence) as wmt14ende_gpu_titanxp.csv,
wmt14ende_cpu_xeon.csv and wmt14ende_cpu_raspberrypi.csv: ten features, then mean latencies of encoder and decoder, of
2,000 other sub-networks each. A ridge predictor learns from all of one file. In every draw, 200 random sub-networks of
another are candidates; those that `spread_ranks` chooses by their prediction, or as many random ones, are "measured",
lines are fitted, and all others of the 2,000 are held out. Kendall's tau is that of the predictor: a rising line does
not change it. With --bad 2 one of the measurements is twice what it should be.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Values
from dynas.predictors.affine import Affine, fit_affine, spread_ranks
from dynas.predictors.ridge import Ridge
from dynas.predictors.surrogate import quality

FEATURES = 10
CANDIDATES = 200


def read(path: Path) -> tuple[Values, Values]:
    """Return features ``(n, 10)`` and latencies ``(n,)`` of encoder and decoder together, in milliseconds."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    table = np.array([[float(cell) for cell in row.values()] for row in rows])
    latency = [float(row["latency_mean_encoder"]) + float(row["latency_mean_decoder"]) for row in rows]
    return table[:, :FEATURES], np.array(latency)


def learned(source: tuple[Values, Values], target: Values) -> Values:
    """Return what a predictor of the source says of the target's sub-networks."""
    features, latency = source
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale == 0] = 1.0
    predictor = Ridge()
    predictor.fit((features - mean) / scale, latency)
    return predictor.predict((target - mean) / scale)


def relative_squares(predicted: Values, measured: Values) -> Affine:
    """Return the line of least squares of relative errors."""
    terms = np.stack([predicted, np.ones_like(predicted)], axis=1) / measured[:, None]
    line = np.linalg.lstsq(terms, np.ones_like(measured), rcond=None)[0]
    return Affine(float(line[0]), float(line[1]))


def log_squares(predicted: Values, measured: Values) -> Callable[[Values], Values]:
    """Return the power law of least squares of logarithms."""
    exponent, factor = np.polyfit(np.log(predicted), np.log(measured), 1)
    return lambda values: np.asarray(np.exp(factor) * values**exponent)


FITS: dict[str, Callable[[Values, Values], Callable[[Values], Values]]] = {
    "robust line (used)": fit_affine,
    "least squares": relative_squares,
    "line of logarithms": log_squares,
}


def draw(
    predicted: Values, latency: Values, n: int, spread: bool, rng: np.random.Generator, bad: float = 1.0
) -> list[tuple[float, float]]:
    """Return MAPE in percent and Kendall's tau of every fit on what was not chosen."""
    pool: NDArray[np.int64] = rng.choice(len(predicted), CANDIDATES, replace=False)
    chosen = pool[spread_ranks(predicted[pool], n)] if spread else pool[:n]
    measured = latency[chosen].copy()
    measured[rng.integers(n)] *= bad
    rest = np.setdiff1d(np.arange(len(predicted)), chosen)
    errors = []
    for fit in FITS.values():
        told = quality("latency", latency[rest], fit(predicted[chosen], measured)(predicted[rest]))
        errors.append((told.mape, told.kendall_tau))
    return errors


def main() -> None:
    """Print mean errors over draws, for several numbers of measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="HAT's latencies")
    parser.add_argument("--source", default="wmt14ende_gpu_titanxp.csv", help="what the predictor learns from")
    parser.add_argument("--target", default="wmt14ende_cpu_xeon.csv", help="what it is brought to")
    parser.add_argument("--draws", type=int, default=300, help="random draws per line")
    parser.add_argument("--bad", type=float, default=1.0, help="factor on one measurement of each draw")
    arguments = parser.parse_args()
    features, latency = read(arguments.folder / arguments.target)
    predicted = learned(read(arguments.folder / arguments.source), features)
    print(f"{arguments.source} -> {arguments.target}, {arguments.draws} draws, held out: all others of {len(latency)}")
    for n in (5, 10, 20):
        for spread in (True, False):
            tables = [
                draw(predicted, latency, n, spread, np.random.default_rng(seed), arguments.bad)
                for seed in range(arguments.draws)
            ]
            told = [
                f"{name}: MAPE {mape:.2f} % (90 % of draws below {worst:.2f}), tau {tau:.3f}"
                for name, (mape, tau), worst in zip(
                    FITS, np.mean(tables, axis=0), np.quantile(np.array(tables)[:, :, 0], 0.9, axis=0), strict=True
                )
            ]
            print(f"{n:2d} {'spread' if spread else 'random'} measurements  " + "; ".join(told), flush=True)


if __name__ == "__main__":
    main()
