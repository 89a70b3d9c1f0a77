"""A run: its folder is opened, filled with measurements and closed, whatever asks for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from dynas.compose.overrides import choices, overrides, plain
from dynas.runs.origin import check_same_origin, origin_facts
from dynas.runs.problem import problem_facts
from dynas.runs.record import read_run, write_run

if TYPE_CHECKING:
    from dynas.core.callback import Callbacks
    from dynas.core.evaluation import Observer
    from dynas.core.evaluator import Evaluator
    from dynas.core.problem import Problem
    from dynas.core.stopping import Stopping
    from dynas.display.display import Display
    from dynas.metrics.measurer import Measurer


def measure(
    config: DictConfig,
    budget: int,
    folder: Path,
    problem: Problem,
    measurer: Measurer,
    search: Callable[[Evaluator, Observer], None],
    display: Display,
    stopping: Stopping | None = None,
    callbacks: Callbacks | None = None,
    known: str | Sequence[str] | None = None,
) -> str:
    """Measure up to ``budget`` sub-networks into a run folder and show them; return ``finished`` or ``interrupted``.

    Args:
        config, budget, folder, problem, measurer: what is measured, how much of it, and where to.
        search: asks for sub-networks.
        display: is told how many there will be.
        stopping: what may end it before the budget does.
        callbacks: who hears of it, of its end by the caller; by default ``display`` alone.
        known: what need not be measured (see `dynas.runs.known.known_before`).
    """
    from dynas.compose.parts import build_executor
    from dynas.core.activity import doing
    from dynas.core.callback import Callbacks, Progress
    from dynas.core.evaluator import Evaluator
    from dynas.core.stopping import Stopping
    from dynas.runs.known import known_before
    from dynas.runs.original import begun_with_original
    from dynas.runs.session import recorded
    from dynas.runs.store import RunStore

    earlier = read_run(folder) if config.resume else {}
    facts = run_facts(config, budget, problem, measurer)
    with doing("reading what is known"):
        before = known_before(known, folder, facts, problem, measurer)
    measurer = replace(measurer, known=before.readings)
    if sentence := before.sentence():
        display.say(sentence)
    with doing("timing the reference"):
        facts["reference_ms"] = measurer.watch_reference(earlier.get("reference_ms"))
    facts |= {"known_sha256": before.sha256} if before.sha256 else {}
    if config.resume:
        check_same_origin(folder, earlier, facts, f", where warm_start={folder} measures its front first")
    executor = build_executor(config, measurer)
    if not config.resume:
        write_run(folder, facts)  # before the first row, so that a run killed at any moment can be gone on with
    store = RunStore(folder, problem.space, problem.objectives, measurer.extras, kept=before.keep)
    if problem.original is not None:
        try:
            problem = begun_with_original(problem, measurer.measure, store)
        except BaseException:
            executor.close()
            store.close()
            raise
        facts |= problem_facts(problem)
    write_run(folder, facts)
    stopping = stopping or Stopping()
    told = callbacks or Callbacks([display], Progress(problem, budget, folder), stopping)
    told.progress.facts, told.progress.problem = facts, problem
    extended = budget > earlier.get("budget", budget)
    evaluator = Evaluator(problem, executor, budget, store, told, stopping, extended, before.examples)
    display.begin(budget, len(store.history), executor.workers)

    def begin() -> None:
        if problem.original is not None:
            evaluator(problem.original[None])
        search(evaluator, told)

    status = recorded(facts, evaluator, executor, store, begin)
    if callbacks is None:
        told.ended(status)
    return status


def job_facts(config: DictConfig) -> dict[str, Any]:
    """Return what run.json says of every job: how it was started, and where."""
    import torch

    from dynas.system.machine import machine_facts, package_versions

    return {
        "choices": choices(),
        "overrides": overrides(),
        "config": plain(config),
        "machine": machine_facts(),
        "torch_threads": torch.get_num_threads(),
        "versions": package_versions(),
    }


def run_facts(config: DictConfig, budget: int, problem: Problem, measurer: Measurer) -> dict[str, Any]:
    """Return what run.json says of a run from its start on."""
    common = job_facts(config)
    return {
        "status": "running",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        **common,
        "seed": config.get("seed", 0),
        "budget": budget,
        **problem_facts(problem),
        "config_sha256": hashlib.sha256(json.dumps(common["config"], sort_keys=True).encode()).hexdigest(),
        **origin_facts(measurer),
    }
