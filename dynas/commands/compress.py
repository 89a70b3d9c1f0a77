"""``dynas compress``: from a trained network to a smaller or faster one within a limit, as files to deploy."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import numpy as np
from omegaconf import DictConfig

from dynas.commands.hydra_job import run_hydra, warn_of_neighbours
from dynas.commands.opening import check_opening
from dynas.commands.sweep import heading
from dynas.compose.overrides import overrides, run_folder
from dynas.runs.names import RESULTS

if TYPE_CHECKING:
    from rich.console import Console

    from dynas.compressing.job import Job
    from dynas.compressing.mode import Compressing
    from dynas.compressing.steps import Outcome
    from dynas.display.search_display import SearchDisplay

SHORT = ("model", "weights")  # what may be given without `supernet.`


def main(arguments: list[str]) -> int:
    """Run ``dynas compress`` with Hydra's arguments and return the exit status."""
    return run_hydra("compress", compress_job, in_full(arguments))


def in_full(arguments: list[str]) -> list[str]:
    """Return the arguments with short keys in full."""
    return [f"supernet.{one}" if one.split("=")[0] in SHORT else one for one in arguments]


def compress_job(config: DictConfig) -> int:
    """Compress as the config says; returns 0, or 130 after an interrupt."""
    from dynas.compose.build import build_parts, check_numbers
    from dynas.compressing.job import make_job
    from dynas.compressing.steps import compress
    from dynas.display.search_display import SearchDisplay

    folder = run_folder()
    check_numbers(config)
    check_opening(config, folder, RESULTS)
    with SearchDisplay(folder, heading()) as display:
        try:
            job = make_job(config, *build_parts(config), folder)
            outcome = compress(job, lambda job: searched(job, display), display.say)
        except KeyboardInterrupt:
            display.say(f"interrupted; go on with: dynas compress {shlex.join(going_on(str(folder)))}")
            return 130
    conclude(job, outcome, display.console)
    return 0


def going_on(folder: str) -> list[str]:
    """Return the arguments that go on with a compression: what names code has to be repeated."""
    return [f"resume={folder}", *(one for one in overrides() if one.startswith("supernet.model="))]


def searched(job: Job, display: SearchDisplay) -> Compressing:
    """Measure into the run folder and return the mode that did; raise KeyboardInterrupt after Ctrl-C."""
    from dynas.commands.running import measure
    from dynas.compose.build import build, build_predictors, build_trackers
    from dynas.compose.schedule import build_mode
    from dynas.core.activity import doing
    from dynas.core.callback import Callbacks, Progress
    from dynas.core.evaluation import Observer
    from dynas.core.evaluator import Evaluator
    from dynas.core.reach import check_bounds
    from dynas.core.stopping import Stopping
    from dynas.report.outputs import write_outputs
    from dynas.runs.qualities import write_qualities

    config, problem = job.config, job.problem
    check_bounds(problem)
    warn_of_neighbours(job.measurer.noisy)
    make_algorithm, make_predictors = build(config, "algo"), build_predictors(config, problem)
    mode = job.mode(build_mode(config, overrides(), problem))
    mode.check(problem, make_algorithm)
    seconds = job.clock.left("search")
    stopping = Stopping(None if np.isinf(seconds) else seconds / 60, None, config.max_failures)

    def search(evaluator: Evaluator, observer: Observer) -> None:
        mode.run(evaluator, make_algorithm, make_predictors, np.random.default_rng(config.seed), observer)

    progress = Progress(problem, job.budget, job.folder)
    callbacks = Callbacks([display, *build_trackers(config)], progress, stopping)
    status = "failed"
    try:
        status = measure(
            config, job.budget, job.folder, problem, job.measurer, search, display, stopping, callbacks
        )
        with doing("writing tables and pictures"):
            write_qualities(job.folder, progress.qualities)
            write_outputs(job.folder)
    finally:
        callbacks.ended(status)
    if status == "interrupted":
        raise KeyboardInterrupt
    return mode


def conclude(job: Job, outcome: Outcome, console: Console) -> None:
    """Print the candidates, the original beside the result, and the files."""
    from dynas.compressing.conclusion import final_table, sentences, tuned_table
    from dynas.compressing.sensitivity import PICTURE, TABLE

    console.print(tuned_table(outcome))
    for path in (job.folder / TABLE, job.folder / PICTURE):
        console.print(f"  {path}", soft_wrap=True, highlight=False)
    units = {name: metric.unit or job.config.objectives[name].unit for name, metric in job.final.metrics.items()}
    console.print(final_table(outcome, units))
    for sentence in sentences(job, outcome):
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)
    for one in outcome.compressed:
        for path in one.files:
            console.print(f"  {path.stat().st_size / 1000:,.0f} kB  {path}", soft_wrap=True, highlight=False)
