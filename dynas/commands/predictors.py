"""``dynas predictors``: compares predictors on measured sub-networks (Cummings et al. 2022, Appendix C)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from dynas.commands.hydra_job import run_hydra
from dynas.commands.opening import check_opening
from dynas.commands.running import job_facts
from dynas.commands.sweep import heading
from dynas.compose.next_command import resume_command
from dynas.compose.overrides import run_folder
from dynas.runs.names import RUN
from dynas.runs.record import write_run

if TYPE_CHECKING:
    from rich.console import Console

    from dynas.core.evaluation import Observer
    from dynas.core.evaluator import Evaluator
    from dynas.core.objectives import Objective
    from dynas.core.problem import Problem
    from dynas.metrics.measurer import Measurer
    from dynas.predictors.study import Study, Trial


def main(arguments: list[str]) -> int:
    """Run ``dynas predictors`` with Hydra's arguments and return the exit status."""
    return run_hydra("predictors", predictors_job, arguments)


def predictors_job(config: DictConfig) -> int:
    """Compare predictors as the config says; returns 0, or 130 after an interrupt."""
    from dynas.compose.build import build_option
    from dynas.compose.problem import build_problem
    from dynas.predictors.features import feature_genes, one_hot
    from dynas.predictors.study import Study, usable_sizes
    from dynas.runs.examples import read_examples
    from dynas.runs.original import without_original
    from dynas.system.screen import screen

    folder, console = run_folder(), screen()
    check_numbers(config)
    check_opening(config, folder, RUN)
    factories = {name: build_option("predictor", name) for name in config.predictors}
    if config.results is None:
        usable_sizes(config.examples, config.sizes, config.test)  # refused before anything is measured
    problem, measurer = build_problem(config)
    problem = without_original(problem)
    predicted = predicted_objectives(problem, console)
    if config.results is None:
        status = measure_examples(config, folder, problem, measurer)
        if status == "interrupted":
            return interrupted(folder, console)
        paths = [folder]
    else:
        paths = given_paths(config)
        write_run(folder, job_facts(config) | {"seed": config.seed})
    genotypes, values = read_examples(paths, problem.space, predicted)
    sizes = usable_sizes(len(genotypes), config.sizes, config.test)
    console.print(f"{len(genotypes)} measured sub-networks, {config.test} of them for the test in every trial")
    if left_out := [size for size in sizes_of(config) if size not in sizes]:
        console.print(f"left out: training on {', '.join(map(str, left_out))}, more than there are examples for")
    study = Study(
        features=problem.space.one_hot(genotypes),
        targets={objective: values[:, column] for column, objective in enumerate(predicted)},
        factories=factories,
        sizes=sizes,
        test=config.test,
        seed=config.seed,
        genes=feature_genes(problem.space, one_hot),
    )
    try:
        trials = run_trials(study, config.trials, config.jobs or os.cpu_count() or 1, console)
    except KeyboardInterrupt:
        return interrupted(folder, console)
    conclude(folder, predicted, trials, config.test, console)
    return 0


def check_numbers(config: DictConfig) -> None:
    """Raise DynasError where the frame's numbers make no sense, or there is nothing to compare."""
    from dynas.compose.numbers import check_seed, check_together
    from dynas.errors import DynasError

    check_seed(config)
    check_together(config)
    if config.trials < 1 or (config.jobs is not None and config.jobs < 1):
        raise DynasError(f"trials={config.trials} jobs={config.jobs}: give 1 or more of each")
    if not config.predictors:
        raise DynasError("no predictors chosen: give a list such as predictors=[ridge,stacked]")


def given_paths(config: DictConfig) -> list[Path]:
    """Return the paths of earlier measurements.

    Raises:
        DynasError: ``results`` is neither a path nor a list of paths.
    """
    from omegaconf import ListConfig

    from dynas.errors import DynasError

    given = list(config.results) if isinstance(config.results, ListConfig) else [config.results]
    if not given or not all(isinstance(path, str) for path in given):
        raise DynasError(
            f"results={config.results}: give a run folder, a results.csv or another CSV file, or a list of them"
        )
    return [Path(path) for path in given]


def sizes_of(config: DictConfig) -> list[int]:
    """Return the training sizes asked for, rising, none twice."""
    return sorted(set(config.sizes))


def predicted_objectives(problem: Problem, console: Console) -> list[Objective]:
    """Return the objectives that must be measured, and say which ones are left out.

    Raises:
        DynasError: all are exact.
    """
    from dynas.errors import DynasError

    exact = [objective.name for objective in problem.objectives if objective.exact]
    predicted = [objective for objective in problem.objectives if not objective.exact]
    if not predicted:
        raise DynasError(f"{', '.join(exact)}: computed exactly, never predicted; give objectives=top1 or another")
    if exact:
        console.print(f"left out: {', '.join(exact)}, computed exactly and never predicted")
    return predicted


def measure_examples(config: DictConfig, folder: Path, problem: Problem, measurer: Measurer) -> str:
    """Measure random sub-networks into the run folder, as a search does; return the status."""
    import numpy as np

    from dynas.algos.random import RandomSearch
    from dynas.commands.running import measure
    from dynas.display.search_display import SearchDisplay
    from dynas.modes.validation import Validation

    def search(evaluator: Evaluator, observer: Observer) -> None:
        Validation().run(evaluator, RandomSearch, {}, np.random.default_rng(config.seed), observer)

    with SearchDisplay(folder, heading()) as display:
        return measure(config, config.examples, folder, problem, measurer, search, display)


def run_trials(study: Study, trials: int, jobs: int, console: Console) -> list[Trial]:
    """Run all trials, with a progress bar on a terminal and a line per tenth of them elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    found: list[Trial] = []
    tenth = max(1, trials // 10)
    columns = (TextColumn("trials"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("trials", total=trials)
        for number, results in enumerate(study.run(trials, jobs), start=1):
            found += results
            progress.update(bar, advance=1)
            if not console.is_terminal and (number % tenth == 0 or number == trials):
                console.print(f"trial {number}/{trials}", highlight=False)
    return found


def conclude(
    folder: Path, objectives: Sequence[Objective], trials: Sequence[Trial], test: int, console: Console
) -> None:
    """Write tables and picture, print the errors after training on most examples, and where everything lies."""
    from dynas.predictors.study import averages
    from dynas.report.plots.predictors import plot_predictors
    from dynas.report.predictor_tables import averages_table, write_averages, write_trials
    from dynas.runs.names import PREDICTORS, PREDICTORS_PICTURE, TRIALS

    rows = averages(trials)
    write_trials(folder / TRIALS, trials)
    write_averages(folder / PREDICTORS, rows)
    plot_predictors(rows, objectives, folder / PREDICTORS_PICTURE)
    console.print(averages_table(rows, test))
    for name in (TRIALS, PREDICTORS, PREDICTORS_PICTURE):
        console.print(f"  {folder / name}", soft_wrap=True, highlight=False)


def interrupted(folder: Path, console: Console) -> int:
    """Say how to go on after an interrupt and return the exit status."""
    console.print(f"interrupted; go on with: {resume_command('predictors', folder)}", soft_wrap=True)
    return 130
