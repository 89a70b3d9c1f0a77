"""``tune`` of a search: the members of its final front are fine-tuned, each on its own, and measured again."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from omegaconf import DictConfig

from dynas.errors import DynasError
from dynas.runs.names import TUNED

if TYPE_CHECKING:
    from dynas.core.evaluation import Evaluation, Measurement
    from dynas.core.evaluator import Evaluator
    from dynas.display.search_display import SearchDisplay
    from dynas.metrics.measurer import Measurer
    from dynas.runs.load import Run
    from dynas.training.tuning import Tuner


def make_tuner(config: DictConfig, measurer: Measurer) -> Tuner | None:
    """Return what tunes as the config says; None where it asks for nothing.

    Raises:
        DynasError: there is nothing to learn from, no objective would change, or the supernet cannot be trained.
    """
    from hydra import compose

    from dynas.compose.build import build
    from dynas.compose.check import check_recipe
    from dynas.compose.overrides import choices
    from dynas.training.tuning import Tuner

    if config.tune is None:
        if config.tune_recipe is not None:
            raise DynasError(f"tune_recipe={config.tune_recipe} says how to tune: give a number of steps too, tune=200")
        return None
    bench = measurer.bench
    if bench.data.modelled:
        raise DynasError(
            f"tune={config.tune}: {type(bench.data).__name__} tells {bench.data.quality} without any samples to learn "
            "from: give tune=null, or data with samples"
        )
    if not measurer.judging:
        raise DynasError(f"tune={config.tune} changes none of these objectives: add {bench.data.quality} to them")
    supernet = choices()["supernet"]
    recipe = config.tune_recipe or supernet
    check_recipe(recipe, supernet)
    training = compose("train", overrides=[f"supernet={supernet}", f"recipe={recipe}"])
    device = bench.meter.device if bench.meter.device.startswith("cuda") else "cpu"
    return Tuner(bench.supernet, bench.data, build(training, "recipe"), config.tune, config.seed, device)


def tune_front(tuner: Tuner, evaluator: Evaluator, measurer: Measurer, folder: Path, display: SearchDisplay) -> None:
    """Tune every member of the final front and the original, and measure it again, into tuned.csv.

    What that holds already is not paid for twice.
    """
    from dynas.core.activity import doing
    from dynas.core.evaluation import Evaluation
    from dynas.runs.load import load_run
    from dynas.runs.store import RunStore
    from dynas.runs.tuned import weights_file

    again = measurer.only(measurer.judging)
    objectives = [objective for objective in evaluator.problem.objectives if objective.name in again.metrics]
    store = RunStore(folder, evaluator.problem.space, objectives, again.extras, TUNED)
    keys = [key for key in members(load_run(folder)) if store.find(key) is None]
    known = {evaluation.key: evaluation for evaluation in evaluator.history}
    try:
        if keys:
            display.begin_tuning(len(keys), tuner.steps)
        with doing("tuning sub-network") as activity:
            for place, key in enumerate(keys, start=1):
                activity.step(place, len(keys))
                one = known[key]
                measurement = measured(tuner, again, one, weights_file(folder, one.index))
                now = datetime.now(UTC).isoformat(timespec="milliseconds")
                store.append(Evaluation(one.index, 1, key, one.genotype, measurement, now))
                display.tuned(store.history[-1], len(keys) - place)
    finally:
        store.close()


def members(run: Run) -> list[str]:
    """Return the keys of a run's front, and of the network that all are made from."""
    rows = [*run.front.tolist(), *([] if run.original is None else [run.original])]
    return list(dict.fromkeys(run.keys[row] for row in rows))


def measured(tuner: Tuner, measurer: Measurer, one: Evaluation, weights: Path) -> Measurement:
    """Return how good a sub-network is after tuning, with the weights that a file keeps; a failure says why."""
    from dynas.core.evaluation import Measurement
    from dynas.supernets.weights.storage import save_weights
    from dynas.supernets.weights.subnet import load_subnet

    start, space = time.perf_counter(), tuner.supernet.space
    architecture = space.decode(one.genotype)
    try:
        save_weights(tuner.tuned(architecture), weights)
        measurement = measurer.measure_other(one.genotype, load_subnet(tuner.supernet.subnet(architecture), weights))
    except DynasError as error:
        measurement = Measurement((np.nan,) * len(measurer.metrics), error=str(error))
    return replace(measurement, seconds=time.perf_counter() - start)
