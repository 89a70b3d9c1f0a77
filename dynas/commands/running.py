"""A run: its folder is opened, filled with measurements and closed, whatever asks for them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from dynas.commands.opening import check_same_origin
from dynas.compose.overrides import choices, overrides, plain
from dynas.runs.gates import gates_of
from dynas.runs.record import read_run, write_run
from dynas.system.interrupts import uninterrupted

if TYPE_CHECKING:
    from dynas.commands.display import Display
    from dynas.core.evaluation import Observer
    from dynas.core.evaluator import Evaluator
    from dynas.core.problem import Problem
    from dynas.core.stopping import Stopping
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
) -> str:
    """Measure up to ``budget`` sub-networks into a run folder and show them; return ``finished`` or ``interrupted``."""
    from dynas.compose.build import build_executor
    from dynas.core.activity import doing
    from dynas.core.evaluator import Evaluator
    from dynas.runs.store import RunStore

    earlier = read_run(folder) if config.resume else {}
    with doing("timing the reference"):
        reference_ms = measurer.watch_reference(earlier.get("reference_ms"))
    facts = run_facts(config, budget, problem, measurer) | {"reference_ms": reference_ms}
    if config.resume:
        check_same_origin(folder, earlier, facts, f", where warm_start={folder} measures its front first")
    executor = build_executor(config, measurer)
    if not config.resume:
        write_run(folder, facts)  # before the first row, so that a run killed at any moment can be gone on with
    store = RunStore(folder, problem.space, problem.objectives, measurer.extras)
    write_run(folder, facts)
    extended = budget > earlier.get("budget", budget)
    evaluator = Evaluator(problem, executor, budget, store, display, stopping, extended)
    started, cpu = time.perf_counter(), time.process_time()
    display.begin(budget, len(store.history), executor.workers)
    status = "failed"
    try:
        search(evaluator, display)
        status = "finished"
    except KeyboardInterrupt:
        status = "interrupted"
    finally:
        with uninterrupted():
            executor.close()
            store.close()
            ending = {
                "seconds": round(time.perf_counter() - started, 3),
                "cpu_seconds": round(time.process_time() - cpu, 3),
            }
            # on a full disk, say, what has failed matters more than that this cannot be written either
            with contextlib.suppress(*[OSError] if status == "failed" else []):
                write_run(folder, facts | run_ending(evaluator, status) | ending)
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
    from dataclasses import asdict

    common = job_facts(config)
    return {
        "status": "running",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        **common,
        "seed": config.get("seed", 0),
        "budget": budget,
        "objectives": [asdict(objective) for objective in problem.objectives],
        "notes": list(measurer.notes),
        "space_size": problem.space.size,
        "gates": gates_of(problem.space),
        "config_sha256": hashlib.sha256(json.dumps(common["config"], sort_keys=True).encode()).hexdigest(),
        "weights_sha256": measurer.bench.supernet.weights_digest,
        "data_sha256": measurer.bench.data.digest,
        "hardware_sha256": measurer.bench.meter.digest,
        "hardware": dict(measurer.bench.meter.facts),
    }


def run_ending(evaluator: Evaluator, status: str) -> dict[str, Any]:
    """Return what run.json adds at the end of a run."""
    measured = sum(evaluation.measurement.seconds for evaluation in evaluator.history)
    return {
        "status": status,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "evaluations": len(evaluator.history),
        "stopped": evaluator.stopping.reason,
        "measurement_seconds": round(measured, 3),
    }
