"""Make a table for ``data=tabulated`` of random searches: all that was measured, and how well a model tells it.

    dynas search supernet=mbv3 mode=validation algo=random algo.draw=genes budget=2000 confirm=0 hydra.run.dir=measured
    python scripts/assets/build_table.py measured --to tables/mbv3

The variances of each Gaussian process are those that are most likely given a third of the rows, 700 at most; errors are
of ten-fold cross-validation over all rows with these variances.
"""

from __future__ import annotations

import argparse
import json
import lzma
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from hydra import compose, initialize_config_dir
from scipy.stats import kendalltau
from sklearn.model_selection import KFold

from dynas.compose.frames import register
from dynas.compose.parts import build_meter, build_parts
from dynas.core.objectives import Objective, Values
from dynas.core.scale import is_logarithmic
from dynas.data.tabulated import MODEL, RESULTS, described, meter_facts
from dynas.predictors.features import levels
from dynas.predictors.gp import GaussianProcess
from dynas.report.comparable import timing_text
from dynas.runs.load import Run, load_run
from dynas.runs.names import RESULTS as MEASURED
from dynas.runs.names import RUN
from dynas.system.files import from_json
from dynas.system.folders import CONFIGS

LARGEST = 2 * 2**20  # bytes of a table
MOST, SHARE, FOLDS = 700, 3, 10


def fitted(objective: Objective, features: Values, values: Values) -> dict[str, Any]:
    """Return what model.json says of an objective."""
    logarithmic = is_logarithmic(objective, values)
    target = np.log(values) if logarithmic else values
    some = np.random.default_rng(0).permutation(len(values))[: min(MOST, len(values) // SHARE)]
    process = GaussianProcess()
    process.fit(features[some], target[some])
    found = np.empty_like(target)
    for rest, fold in KFold(FOLDS, shuffle=True, random_state=0).split(features):
        known = GaussianProcess.known(process.theta)
        known.fit(features[rest], target[rest])
        found[fold] = known.predict(features[fold])
    found = np.exp(found) if logarithmic else found
    return {
        "column": objective.column,
        "unit": objective.unit,
        "logarithmic": logarithmic,
        "theta": process.theta.tolist(),
        "mape": float(100 * np.mean(np.abs(found / values - 1))),
        "kendall_tau": float(kendalltau(found, values).statistic),
    }


def circumstances(run: Run, objective: Objective) -> str:
    """Return where an objective was measured, and on what a time was taken."""
    own = [text for text in timing_text(run).split("; ") if text.startswith(f"{objective.name}: ")]
    return ", ".join(["measured on " + run.facts["machine"]["cpu"], *(text.partition(": ")[2] for text in own)])


def model(run: Run) -> dict[str, Any]:
    """Return model.json of a run."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("search", overrides=list(run.facts["overrides"]))
        data, supernet = build_parts(config)
        meter = build_meter(config, supernet)
    space = supernet.space
    genotypes = np.stack([space.encode(from_json(text)) for text in run.architectures])
    features = levels(space, genotypes)
    objectives = {
        one.name: fitted(one, features, run.values[:, column]) | {"measured": circumstances(run, one)}
        for column, one in enumerate(run.objectives)
        if not one.exact
    }
    return {
        "task": data.task,
        "quality": data.quality,
        "precision": config.precision,
        "meter": meter_facts(meter),
        "variables": described(space),
        "objectives": objectives,
    }


def main() -> None:
    """Write the table and say how large it is and how well it is modelled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="run folder of a random search")
    parser.add_argument("--to", type=Path, required=True, help="folder of the table")
    arguments = parser.parse_args()
    run = load_run(arguments.folder)
    if not run.measured.all():
        raise SystemExit(f"{int((~run.measured).sum())} sub-networks of '{run.folder}' have no values")
    arguments.to.mkdir(parents=True, exist_ok=True)
    packed = lzma.compress((run.folder / MEASURED).read_bytes(), preset=9)
    if len(packed) > LARGEST:
        raise SystemExit(f"the table would take {len(packed):,} bytes, more than {LARGEST:,}")
    (arguments.to / RESULTS).write_bytes(packed)
    shutil.copyfile(run.folder / RUN, arguments.to / RUN)
    facts = model(run)
    (arguments.to / MODEL).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(f"{len(run):,} sub-networks in {len(packed):,} bytes")
    for name, one in facts["objectives"].items():
        print(f"{name}: cross-validated error {one['mape']:.2f} %, Kendall tau {one['kendall_tau']:.3f}")


if __name__ == "__main__":
    main()
