"""Measures HR@10 and NDCG@10 of recommenders without training, popularity and item neighbours, and of NCF.

A trained network has to beat both. On data that a network was trained for, both ends of its space are
measured, too:

    python scripts/benchmarks/recommenders.py
    python scripts/benchmarks/recommenders.py movielens
    python scripts/benchmarks/recommenders.py ratings path=mine.csv k_core=10
    python scripts/benchmarks/recommenders.py pinterest20 path=/data/ncf --neighbours 50
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray

from dynas.compose.build import build
from dynas.compose.frames import register
from dynas.data.interactions.baselines import item_neighbours, popularity
from dynas.metrics.ranking import gains, hits, score
from dynas.system.folders import CONFIGS

CUTOFF = 10
TRAINED = {"simulated_choices": "ncf", "movielens": "ncf_movielens"}  # data, and the supernet that knows them
NEIGHBOURS = [10, 20, 50, 100, 200, 0]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default="simulated_choices", help="option of the config group data")
    parser.add_argument("settings", nargs="*", help="its settings, such as path=mine.csv or seed=1")
    parser.add_argument("--neighbours", type=int, nargs="+", default=NEIGHBOURS, help="of an item; 0: all")
    arguments = parser.parse_args()
    register()
    supernet = TRAINED.get(arguments.data, "ncf")
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        overrides = [f"data.{setting}" for setting in arguments.settings]
        config = compose("search", overrides=[f"supernet={supernet}", f"data={arguments.data}", *overrides])
    start = time.perf_counter()
    data = build(config, "data")
    print(
        f"{arguments.data}: {data.users:,} users, {data.items:,} items, {len(data):,} choices in training, "
        f"{len(data.ranked_users):,} held out; read in {time.perf_counter() - start:.2f} s"
    )
    ways: dict[str, Callable[[], NDArray[np.floating]]] = {"popularity": partial(popularity, data)}
    for number in arguments.neighbours:
        ways[f"{number or 'all'} item neighbours"] = partial(item_neighbours, data, number or None)
    if arguments.data in TRAINED:
        trained = build(config, "supernet")
        space = trained.space
        for end, genotype in (("smallest", space.smallest()), ("largest", space.largest())):
            ways[f"{end} sub-network"] = partial(score, trained.subnet(space.decode(genotype)), data)
    print(f"{'':24}  HR@10  NDCG@10  seconds")
    for way, scores in ways.items():
        start = time.perf_counter()
        found = scores()
        hit, gain = hits(found, CUTOFF).mean(), gains(found, CUTOFF).mean()
        print(f"{way:24} {hit:6.3f}   {gain:6.3f}   {time.perf_counter() - start:6.2f}")


if __name__ == "__main__":
    main()
