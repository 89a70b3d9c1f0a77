"""``dynas search``: runs one search, or a sweep of them, into run folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from omegaconf import DictConfig

from dynas.commands.hydra_job import run_hydra, warn_of_neighbours
from dynas.commands.opening import check_opening
from dynas.commands.running import measure
from dynas.commands.sweep import heading
from dynas.compose.overrides import overrides, plain, run_folder
from dynas.errors import DynasError
from dynas.runs.names import RESULTS
from dynas.runs.record import read_run, write_run

if TYPE_CHECKING:
    from dynas.core.evaluation import Evaluation, Observer
    from dynas.core.evaluator import Evaluator
    from dynas.metrics.measurer import Measurer
    from dynas.report.outputs import Summary


def main(arguments: list[str]) -> int:
    """Run ``dynas search`` with Hydra's arguments and return the exit status."""
    return run_hydra("search", search_job, arguments)


def search_job(config: DictConfig) -> int:
    """Search as the config says; returns 0, or 130 after an interrupt."""
    from dynas.commands.conclusion import conclude
    from dynas.commands.tuning import make_tuner, tune_front
    from dynas.compose.build import build
    from dynas.compose.numbers import check_numbers
    from dynas.compose.parts import build_predictors, build_trackers
    from dynas.compose.problem import build_problem
    from dynas.compose.schedule import build_mode
    from dynas.core.activity import doing
    from dynas.core.callback import Callbacks, Progress
    from dynas.core.reach import check_bounds
    from dynas.core.stopping import Stopping
    from dynas.display.search_display import SearchDisplay
    from dynas.report.outputs import write_outputs
    from dynas.runs.qualities import write_qualities
    from dynas.runs.warm_start import front_of

    folder = run_folder()
    check_numbers(config)
    if config.confirm < 0:
        raise DynasError(f"confirm={config.confirm}: give a number of further measurements, or 0 for none")
    check_opening(config, folder, RESULTS)
    with SearchDisplay(folder, heading()) as display:
        problem, measurer = build_problem(config)
        check_bounds(problem)
        tuner = make_tuner(config, measurer)
        display.expect_confirming(measurer.noisy, config.confirm)
        warn_of_neighbours(measurer.noisy)
        make_algorithm, make_predictors = build(config, "algo"), build_predictors(config, problem)
        mode = build_mode(config, overrides(), problem)
        mode.check(problem, make_algorithm)
        trackers = build_trackers(config)
        known = plain(config)["known"]
        start = front_of(config.warm_start, problem.space) if config.warm_start else None
        stopping = Stopping(config.max_minutes, config.patience, config.max_failures)

        def search(evaluator: Evaluator, observer: Observer) -> None:
            mode.run(evaluator, make_algorithm, make_predictors, np.random.default_rng(config.seed), observer, start)
            if config.confirm and measurer.noisy:
                confirm_front(config, evaluator, measurer, folder, display.confirmed)
            if tuner is not None:
                tune_front(tuner, evaluator, measurer, folder, display)

        progress = Progress(problem, config.budget, folder)
        callbacks = Callbacks([display, *trackers], progress, stopping)
        status = "failed"
        try:
            status = measure(
                config, config.budget, folder, problem, measurer, search, display, stopping, callbacks, known
            )
            with doing("writing tables and pictures"):
                write_qualities(folder, progress.qualities)
                summary = write_outputs(folder)
                write_run(folder, read_run(folder) | {"hypervolume": hypervolume_facts(summary)})
        finally:
            with doing("ending what follows the search"):
                callbacks.ended(status)
    conclude(summary, status, stopping.reason, measurer.notes, display.console)
    if status == "interrupted":
        return 130
    return 0 if summary.run.first.measured.any() else 1


def confirm_front(
    config: DictConfig, evaluator: Evaluator, measurer: Measurer, folder: Path, told: Callable[[Evaluation, int], None]
) -> None:
    """Measure the members of the front again, where that varies, into confirmed.csv."""
    from dynas.compose.parts import build_executor
    from dynas.modes.confirm import confirm
    from dynas.runs.names import CONFIRMED
    from dynas.runs.store import RunStore

    noisy = [objective for objective in evaluator.problem.objectives if objective.name in measurer.noisy]
    again = measurer.only(measurer.noisy)
    store = RunStore(folder, evaluator.problem.space, noisy, again.extras, CONFIRMED)
    executor = build_executor(config, again)
    try:
        confirm(evaluator, noisy, executor, store, config.confirm, told)
    finally:
        executor.close()
        store.close()


def hypervolume_facts(summary: Summary) -> dict[str, Any]:
    """Return what run.json says of the hypervolume: by first measurements, confirmed, and after tuning."""
    run = summary.run
    point = {one.column: value for one, value in zip(run.objectives, summary.reference, strict=True)}
    again = 0 if run.again is None else int(run.again.sum())
    return {
        "first": summary.hypervolume,
        "confirmed": summary.confirmed,
        "tuned": summary.tuned_volume,
        "confirmations": again,
        "reference": point if run.first.measured.any() else None,
    }
