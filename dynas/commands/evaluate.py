"""``dynas evaluate``: measures given architectures, such as the finalists of a search once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from dynas.commands.hydra_job import run_hydra
from dynas.commands.opening import check_opening
from dynas.commands.sweep import heading
from dynas.compose.next_command import resume_command
from dynas.compose.overrides import plain, run_folder
from dynas.errors import DynasError
from dynas.runs.names import RESULTS

if TYPE_CHECKING:
    from rich.console import Console

    from dynas.core.evaluation import Observer
    from dynas.core.evaluator import Evaluator
    from dynas.core.space import SearchSpace
    from dynas.metrics.measurer import Measurer
    from dynas.report.outputs import Summary
    from dynas.runs.architectures import Candidate


def main(arguments: list[str]) -> int:
    """Run ``dynas evaluate`` with Hydra's arguments and return the exit status."""
    return run_hydra("evaluate", evaluate_job, arguments)


def evaluate_job(config: DictConfig) -> int:
    """Measure what the config names; returns 0, 1 where every measurement failed, or 130 after an interrupt."""
    import numpy as np

    from dynas.commands.running import measure
    from dynas.compose.numbers import check_together
    from dynas.compose.problem import build_problem
    from dynas.core.activity import doing
    from dynas.display.display import Display
    from dynas.report.outputs import write_outputs
    from dynas.runs.architectures import Candidate, read_architectures

    folder = run_folder()
    check_together(config)
    check_opening(config, folder, RESULTS)
    with Display(folder, heading()) as display:
        problem, measurer = build_problem(config)
        if not problem.shares:
            problem = replace(problem, original=None)  # only what is named is measured
        settings = plain(config)
        candidates = read_architectures(settings["architectures"], settings["rows"], problem.space, problem.objectives)
        if problem.original is not None:
            candidates = [Candidate(problem.original, "original"), *candidates]
        by_key = group_by_key(candidates, problem.space)
        if config.resume:
            check_same_architectures(folder, by_key)
        genotypes = np.stack([some[0].genotype for some in by_key.values()])
        if len(by_key) < len(candidates):
            display.say(
                f"{len(candidates)} architectures given, {len(by_key)} distinct sub-networks: each measured once"
            )

        def evaluate(evaluator: Evaluator, observer: Observer) -> None:
            evaluator.adopt()  # whatever the order in which they are named now
            evaluator(genotypes)

        status = measure(config, len(by_key), folder, problem, measurer, evaluate, display)
        with doing("writing tables and pictures"):
            summary = write_outputs(folder)
    conclude(summary, by_key, measurer, display.console)
    if status == "interrupted":
        display.say(f"interrupted; go on with: {resume_command('evaluate', folder)}")
        return 130
    return 0 if summary.run.measured.any() else 1


def group_by_key(candidates: Sequence[Candidate], space: SearchSpace) -> dict[str, list[Candidate]]:
    """Return the candidates of each distinct sub-network, in the order in which they were named."""
    by_key: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_key.setdefault(space.key(candidate.genotype), []).append(candidate)
    return by_key


def check_same_architectures(folder: Path, by_key: Mapping[str, object]) -> None:
    """Raise DynasError where a run that goes on has measured what is no longer named."""
    from dynas.runs.load import load_run

    if gone := [key for key in load_run(folder).keys if key not in by_key]:
        raise DynasError(
            f"'{folder}' has measured {gone[0]}, which architectures=... no longer names: the file or the run folder "
            "that they come from has changed; start a new run"
        )


def conclude(summary: Summary, by_key: Mapping[str, Sequence[Candidate]], measurer: Measurer, console: Console) -> None:
    """Print the measurements, how they differ from earlier ones, what failed, and where everything lies."""
    from dynas.report.evaluation import changes, differences, evaluated, evaluated_table, write_earlier
    from dynas.report.text import quality_text

    result = evaluated(summary.run, by_key)
    console.print(evaluated_table(result))
    quality = filter(None, [quality_text(summary.run)])
    for sentence in (*changes(result), *differences(result), *quality, *measurer.notes):
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)
    error = summary.run.header.index("error")
    for candidates, row in zip(result.named, summary.run.rows, strict=True):
        if row[error]:
            console.print(f"{candidates[0].name} failed: {row[error]}", soft_wrap=True, highlight=False, markup=False)
    for path in (*summary.paths, write_earlier(result, summary.run.folder)):
        if path is not None:
            console.print(f"  {path}", soft_wrap=True, highlight=False)
