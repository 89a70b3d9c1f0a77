"""``dynas transfer``: measures the front of a run again on another target."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from dynas.commands.hydra_job import run_hydra
from dynas.commands.opening import check_fresh, check_same_config
from dynas.commands.sweep import heading
from dynas.compose.begun import keep_defaults
from dynas.compose.next_command import PARTS, next_command, resume_command
from dynas.compose.overrides import FLAGS_WITH_VALUE, overrides, plain, quoted, run_folder
from dynas.compose.stored import stored_overrides
from dynas.errors import DynasError
from dynas.runs.names import RESULTS
from dynas.runs.record import read_run

if TYPE_CHECKING:
    from rich.console import Console

    from dynas.core.evaluation import Observer
    from dynas.core.evaluator import Evaluator
    from dynas.core.problem import Problem
    from dynas.metrics.measurer import Measurer
    from dynas.report.transfer import Transferred
    from dynas.runs.load import Run

USAGE = "give a run folder and another target: dynas transfer outputs/<run folder> hardware=openvino"
OWN = ("run", "against", "predict")  # keys that `dynas search` does not have
AFTERWARDS = ("against", "predict")  # keys that change nothing that is measured
SEARCHING = (
    r"(algo|mode|experiment|track)(\.[\w.]+)?=|"
    r"(seed|budget|confirm|tune|tune_recipe|max_minutes|patience|max_failures|warm_start|known)="
)


def main(arguments: list[str]) -> int:
    """Run ``dynas transfer`` with a run folder and Hydra's arguments and return the exit status."""
    return run_hydra("transfer", transfer_job, with_source(arguments))


def with_source(arguments: list[str]) -> list[str]:
    """Return the arguments behind what the run that they name was started with.

    The settings of its hardware are left out where another hardware is chosen.

    Raises:
        DynasError: the folder holds no run, or an argument is about searching.
    """
    named = [index for index, argument in enumerate(arguments) if _is_folder(arguments, index)]
    if len(named) > 1:
        raise DynasError(f"one run folder at a time, given {arguments[named[0]]} and {arguments[named[1]]}")
    given = [argument for index, argument in enumerate(arguments) if index not in named]
    if needless := [argument for argument in given if re.match(SEARCHING, argument)]:
        raise DynasError(f"'{needless[0]}' is about searching and changes nothing here: leave it out")
    if not named:
        return given
    folder = Path(arguments[named[0]]).expanduser().resolve()
    other = any(argument.startswith("hardware=") for argument in given)
    dropped = r"predictor\.|" + (r"(track|hardware)(\.|=)" if other else r"track(\.|=)")  # it has its own predictor
    stored = stored_overrides(folder, given, lambda override: not re.match(dropped, override))
    return [*stored, f"run={quoted(str(folder))}", *given]


def _is_folder(arguments: Sequence[str], index: int) -> bool:
    """Return whether an argument names the run folder: it is neither an option, nor its value, nor an override."""
    argument = arguments[index]
    if argument.startswith("-") or (index and arguments[index - 1] in FLAGS_WITH_VALUE):
        return False
    return "=" not in argument or Path(argument).is_dir()


def transfer_job(config: DictConfig) -> int:
    """Measure a front on the target; returns 0, 1 where every measurement failed, or 130 after an interrupt."""
    import numpy as np

    from dynas.commands.running import measure
    from dynas.compose.numbers import check_together
    from dynas.compose.parts import build_predictor
    from dynas.compose.problem import build_problem
    from dynas.core.activity import doing
    from dynas.display.display import Display
    from dynas.report.outputs import write_outputs
    from dynas.report.transfer import transferred
    from dynas.runs.architectures import read_architectures
    from dynas.runs.load import load_run
    from dynas.runs.original import without_original

    folder = run_folder()
    if config.run is None:
        raise DynasError(f"no run named: {USAGE}")
    check_together(config)
    if config.resume:
        before = read_run(folder).get("config") or {}
        check_same_config(folder, plain(config) | {key: before.get(key) for key in AFTERWARDS})
    else:
        check_fresh(folder, RESULTS)
    source = load_run(Path(config.run))
    keep_defaults(config, source.facts, overrides(), PARTS)
    with Display(folder, heading()) as display:
        problem, measurer = build_problem(config)
        problem = without_original(problem)
        columns = check_timed(source, problem)
        against = check_against(config, problem, measurer, folder) if config.against else None
        candidates = read_architectures(str(config.run), None, problem.space, problem.objectives)
        check_predict(config.predict, len(candidates))
        make_predictor = build_predictor(config, problem.objectives[columns[0]].name) if config.predict else None
        genotypes = np.stack([candidate.genotype for candidate in candidates])

        def evaluate(evaluator: Evaluator, observer: Observer) -> None:
            evaluator(genotypes)

        status = measure(config, len(genotypes), folder, problem, measurer, evaluate, display)
        with doing("writing tables and pictures"):
            summary = write_outputs(folder)
    console = display.console
    result = transferred(summary.run, source, *columns, against)
    if status == "interrupted":
        display.say(f"interrupted; go on with: {resume_command('transfer', folder)}")
        return 130
    if not summary.run.measured.any():
        console.print(f"every measurement failed: {summary.run.rows[0][summary.run.header.index('error')]}")
        return 1
    conclude(result, measurer.notes, folder, console)
    paths = list(summary.paths)
    if make_predictor is not None:
        from dynas.report.transfer_predictor import predict, predictor_sentence, write_predicted

        predicted = predict(result, problem.space, make_predictor, config.predict)
        console.print(predictor_sentence(predicted), soft_wrap=True, highlight=False, markup=False)
        paths.append(write_predicted(predicted, folder))
    for path in paths:
        console.print(f"  {path}", soft_wrap=True, highlight=False)
    return 0


def check_timed(source: Run, problem: Problem) -> tuple[int, int]:
    """Return the column of what depends on the hardware, here and in the source.

    Raises:
        DynasError: one of them does not measure any such thing, or the source has no front.
    """
    from dynas.report.transfer import timed_column

    column = timed_column(problem.objectives)
    names = [objective.name for objective in source.objectives]
    if column is None or problem.objectives[column].name not in names:
        raise DynasError(
            f"'{source.folder}' has the objectives {', '.join(names)}, none of which depends on the hardware: "
            f"measure its front by dynas evaluate architectures={source.folder} objectives=[top1,latency]"
        )
    return column, names.index(problem.objectives[column].name)


def check_against(config: DictConfig, problem: Problem, measurer: Measurer, folder: Path) -> Run:
    """Return the run that a front is compared with; raise DynasError unless it searched for this very target."""
    from dynas.commands.running import run_facts
    from dynas.report.comparable import check_comparable
    from dynas.runs.load import load_run

    against = load_run(Path(config.against))
    facts: dict[str, Any] = run_facts(config, 0, problem, measurer)
    check_comparable([against, replace(against, folder=folder, facts=facts, objectives=problem.objectives)])
    if len(against.front) == 0:
        raise DynasError(f"against={config.against}: nothing within the bounds was measured there, so it has no front")
    return against


def check_predict(wanted: int | None, members: int) -> None:
    """Raise DynasError where a predictor cannot be brought to the target by so many measurements."""
    from dynas.predictors.affine import FEWEST
    from dynas.report.transfer import FEWEST_FOR_RANKS

    most = members - FEWEST_FOR_RANKS
    if wanted is not None and not FEWEST <= wanted <= most:
        allowed = f"give {FEWEST} to {most}" if most >= FEWEST else "that is too few to fit and to test"
        raise DynasError(f"predict={wanted}: the front has {members} members, {allowed}")


def conclude(result: Transferred, notes: Sequence[str], folder: Path, console: Console) -> None:
    """Print both latencies of the front, what is lost, and draw it."""
    from dynas.report.plots.transfer import plot_transfer
    from dynas.report.transfer import order_sentence, targets_sentence, transfer_table, volume_sentence, write_transfer
    from dynas.runs.names import TRANSFER_PICTURE

    console.print(transfer_table(result))
    sentences = [targets_sentence(result), order_sentence(result), volume_sentence(result), *notes]
    if result.against is None:
        sentences += [
            "hypervolume lost against a search made for this target: unknown. Make one by",
            f"  {next_command('search', without=OWN)}",
            f"then: {resume_command('transfer', folder)} against=<its run folder>",
        ]
    for sentence in sentences:
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)
    plot_transfer(result, folder / TRANSFER_PICTURE)
    for path in (write_transfer(result, folder), folder / TRANSFER_PICTURE):
        console.print(f"  {path}", soft_wrap=True, highlight=False)
