"""Say what of a sub-network decides its quality, and whether MACs follow it: from a table of measured ones.

    python scripts/assets/gene_effects.py mbv3

The table is one of those that the package has. An additive model of the design variables is fitted to the quality of
its sub-networks (ridge regression), and another to their MACs. Printed are how much of the quality the first one tells
in 5-fold cross-validation, the Kendall tau of MACs with the quality and with what the model tells of it, and for each
gene what its last option is worth beside its first.
"""

from __future__ import annotations

import argparse
import csv
import io
import json

import numpy as np
from hydra import compose, initialize_config_dir
from scipy.stats import kendalltau
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_predict

from dynas.compose.frames import register
from dynas.compose.parts import build_supernet
from dynas.data.tabulated import MODEL, RESULTS, TABLES, shipped
from dynas.system.compressed import read_bytes
from dynas.system.folders import CONFIGS


def main() -> None:
    """Fit both models and print what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=shipped(), help="a supernet that has one")
    name = parser.parse_args().table
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        supernet = build_supernet(compose("search", overrides=[f"supernet={name}"]))
    space, table = supernet.space, TABLES / name
    model = json.loads(read_bytes(table / MODEL, "table"))
    column = model["objectives"][model["quality"]]["column"]
    rows = list(csv.DictReader(io.StringIO(read_bytes(table / RESULTS, "table").decode())))
    genotypes = np.stack([space.encode(json.loads(row["architecture"])) for row in rows])
    quality = np.array([float(row[column]) for row in rows])
    macs, options = supernet.macs(genotypes).astype(float), space.one_hot(genotypes)
    told = cross_val_predict(RidgeCV(np.logspace(-3, 3, 13)), options, quality, cv=5)
    share = 100 * r2_score(quality, told)
    print(f"{name}, {len(rows)} sub-networks: an additive model tells {share:.0f} % of {column}")
    print(f"Kendall tau of MACs with it {kendalltau(macs, quality).statistic:.2f}, ", end="")
    print(f"with what the model tells of it {kendalltau(macs, told).statistic:.2f}\n")
    print(f"| gene | {column} | MACs [1000] |\n| --- | ---: | ---: |")
    effects = [RidgeCV(np.logspace(-3, 3, 13)).fit(options, values).coef_ for values in (quality, macs / 1000)]
    ends = np.cumsum(space.cardinality)
    names = [f"{one.name}{index + 1}" for one in space.variables for index in range(one.length)]
    for gene, first, last in zip(names, ends - space.cardinality, ends - 1, strict=True):
        gain, cost = (effect[last] - effect[first] for effect in effects)
        print(f"| {gene} | {gain:+.2f} | {cost:+.0f} |")


if __name__ == "__main__":
    main()
