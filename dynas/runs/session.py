"""A run from its first to its last measurement: whatever ends it, its folder says how."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from dynas.core.activity import spent
from dynas.core.evaluator import Evaluator
from dynas.core.executor import Executor
from dynas.runs.record import write_run
from dynas.runs.store import RunStore
from dynas.system.interrupts import uninterrupted


def recorded(
    facts: Mapping[str, Any],
    evaluator: Evaluator,
    executor: Executor,
    store: RunStore | None,
    search: Callable[[], None],
) -> str:
    """Search, close everything, and note in run.json how it ended: ``finished`` or ``interrupted``, which is returned.

    Args:
        facts: what run.json says of the run from its start on.
        evaluator: what the search asks.
        executor: measures for it.
        store: keeps what is measured; None: nothing is written at all.
        search: searches.
    """
    started, cpu = time.perf_counter(), time.process_time()
    status = "failed"
    try:
        search()
        status = "finished"
    except KeyboardInterrupt:
        status = "interrupted"
    finally:
        with uninterrupted():
            executor.close()
            if store is not None:
                store.close()
                took = {
                    "seconds": round(time.perf_counter() - started, 3),
                    "cpu_seconds": round(time.process_time() - cpu, 3),
                    "activities": {what: round(seconds, 3) for what, seconds in spent().items()},
                }
                # on a full disk, say, what has failed matters more than that this cannot be written either
                with contextlib.suppress(*[OSError] if status == "failed" else []):
                    write_run(store.folder, {**facts, **ending(evaluator, status), **took})
    return status


def ending(evaluator: Evaluator, status: str) -> dict[str, Any]:
    """Return what run.json adds at the end of a run."""
    measured = sum(evaluation.measurement.seconds for evaluation in evaluator.history)
    return {
        "status": status,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "evaluations": len(evaluator.history),
        "stopped": evaluator.stopping.reason,
        "measurement_seconds": round(measured, 3),
    }
