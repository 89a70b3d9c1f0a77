"""``dynas compress``: from a trained network to a smaller or faster one within a limit, as files to deploy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from omegaconf import DictConfig

from dynas.commands.hydra_job import run_hydra
from dynas.commands.opening import check_opening
from dynas.commands.sweep import heading
from dynas.compose.next_command import resume_command
from dynas.compose.overrides import is_sweep, overrides, quoted, run_folder
from dynas.runs.names import RESULTS, RUN

if TYPE_CHECKING:
    from rich.console import Console

    from dynas.compressing.job import Job
    from dynas.compressing.stages import Stage
    from dynas.compressing.steps import Outcome
    from dynas.core.evaluation import Observer
    from dynas.core.evaluator import Evaluator
    from dynas.display.search_display import SearchDisplay

SHORT = ("model", "weights")  # what may be given without `supernet.`


def main(arguments: list[str]) -> int:
    """Run ``dynas compress`` with Hydra's arguments and return the exit status."""
    return run_hydra("compress", compress_job, in_full(arguments))


def in_full(arguments: list[str]) -> list[str]:
    """Return the arguments with short keys in full, and limits in quotes: Hydra's grammar lacks ``<``."""
    full = []
    for one in arguments:
        key, _, value = one.partition("=")
        if key in SHORT:
            one = f"supernet.{one}"
        elif key == "limit" and value and not set(value) & set("\"'"):
            several = value[0] == "[" and value[-1] == "]"
            parts = value[1:-1].split(",") if several else value.split(",") if is_sweep(arguments) else [value]
            inside = ",".join(quoted(part.strip()) for part in parts if part.strip())
            one = f"limit=[{inside}]" if several else f"limit={inside}"
        full.append(one)
    return full


def compress_job(config: DictConfig) -> int:
    """Compress as the config says; returns 0, or 130 after an interrupt."""
    from dynas.compose.numbers import check_numbers
    from dynas.compose.parts import build_parts
    from dynas.compressing.job import make_job
    from dynas.compressing.steps import compress
    from dynas.display.search_display import SearchDisplay

    folder = run_folder()
    check_numbers(config)
    check_opening(config, folder, RESULTS)
    with SearchDisplay(folder, heading()) as display:
        try:
            job = make_job(config, *build_parts(config), folder)
            outcome = compress(job, partial(measured, job, display), display.say)
        except KeyboardInterrupt:
            display.say(f"interrupted; go on with: {resume_command('compress', folder)}")
            return 130
    conclude(job, outcome, display.console)
    return 0


def measured(job: Job, display: SearchDisplay, stage: Stage) -> None:
    """Measure into the folder of a stage; raise KeyboardInterrupt after Ctrl-C."""
    from dynas.commands.running import measure
    from dynas.compose.build import build
    from dynas.compose.parts import build_predictors, build_trackers
    from dynas.compose.schedule import build_mode
    from dynas.core.activity import doing
    from dynas.core.callback import Callbacks, Progress
    from dynas.core.stopping import Stopping
    from dynas.report.outputs import write_outputs
    from dynas.runs.qualities import write_qualities

    config, problem = job.config.copy(), stage.problem
    if config.resume and not (stage.folder / RUN).exists():
        config.resume = None
    stage.folder.mkdir(exist_ok=True)
    make_algorithm, make_predictors = build(config, "algo"), build_predictors(config, problem)
    mode = stage.mode or build_mode(config, overrides(), problem)
    mode.check(problem, make_algorithm)
    stopping = Stopping(stage.minutes, None, config.max_failures)

    def search(evaluator: Evaluator, observer: Observer) -> None:
        rng = np.random.default_rng(config.seed)
        mode.run(evaluator, make_algorithm, make_predictors, rng, observer, stage.start)

    progress = Progress(problem, stage.budget, stage.folder)
    callbacks = Callbacks([display, *build_trackers(config)], progress, stopping)
    status = "failed"
    try:
        status = measure(
            config, stage.budget, stage.folder, problem, stage.measurer, search, display, stopping, callbacks
        )
        with doing("writing tables and pictures"):
            write_qualities(stage.folder, progress.qualities)
            write_outputs(stage.folder)
    finally:
        callbacks.ended(status)
        display.begin(0)  # what follows is no evaluation
    if status == "interrupted":
        raise KeyboardInterrupt


def conclude(job: Job, outcome: Outcome, console: Console) -> None:
    """Print the candidates, the original beside the result, and the files."""
    from dynas.compressing.conclusion import AGREEMENT, TOP1, final_table, sentences, tuned_table
    from dynas.compressing.sensitivity import PICTURE, TABLE

    quality = TOP1 if job.data.labelled else AGREEMENT
    console.print(tuned_table(outcome, quality))
    for path in (job.folder / TABLE, job.folder / PICTURE):
        console.print(f"  {path}", soft_wrap=True, highlight=False)
    console.print(final_table(outcome, quality, job.units))
    for sentence in sentences(job, outcome):
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)
    for one in outcome.compressed:
        for path in one.files:
            console.print(f"  {path.stat().st_size / 1000:,.0f} kB  {path}", soft_wrap=True, highlight=False)
