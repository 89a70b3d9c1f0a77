"""Tasks of lm-evaluation-harness as an objective: sub-networks answer them as they are, without being exported.

Gao et al. 2021 (10.5281/zenodo.5371628).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from dynas.core.activity import each
from dynas.core.checkpoint import PublishesCheckpoints
from dynas.core.language import TASK
from dynas.core.metric import MeasuredMetric, Reading
from dynas.errors import DynasError, one_of, reason
from dynas.system.extras import install

if TYPE_CHECKING:
    from dynas.core.bench import Bench

OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")


class LmEval(MeasuredMetric):
    """The mean of one score over tasks that lie in a folder; nothing is fetched.

    Args:
        folder: with a YAML file for each task, as lm-evaluation-harness reads them. Functions that they name are run.
        tasks: their names.
        score: which of their scores, such as ``acc``, ``acc_norm``, ``exact_match`` or ``bits_per_byte``.
        limit: documents of each task at most; None: all.
        batch_size: texts at a time.

    Raises:
        DynasError: a setting makes no sense.
    """

    task = TASK

    def __init__(self, folder: str, tasks: Sequence[str] | str, score: str, limit: int | None, batch_size: int) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self.tasks = [tasks] if isinstance(tasks, str) else list(tasks)
        self.score, self.limit, self.batch_size = score, limit, batch_size
        if not self.folder.is_dir() or not self.tasks:
            raise DynasError(f"metric.folder={folder} metric.tasks={self.tasks}: give a folder with tasks, and names")
        if batch_size < 1 or (limit is not None and limit < 1):
            raise DynasError(f"metric.batch_size={batch_size} metric.limit={limit}: give 1 or more")

    def __getstate__(self) -> dict[str, object]:
        """Leave out what was read, which a worker reads itself."""
        return {name: value for name, value in self.__dict__.items() if name != "documents"}

    def check(self, bench: Bench) -> None:
        """Raise DynasError where the package, a task or the score is missing; the smallest answers one document."""
        if find_spec("lm_eval") is None:
            raise DynasError(f"lm_eval needs the package lm-eval: {install('lm-eval')}")
        if not isinstance(bench.supernet, PublishesCheckpoints):
            raise DynasError(f"lm_eval asks decoders of language, not '{bench.supernet.name}'")
        self.answered(bench.deployed(bench.supernet.space.smallest()), bench, 1)

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        """Return the mean score of each."""
        return [Reading(self.answered(one, bench, self.limit)) for one in each(subnets)]

    @cached_property
    def documents(self) -> Any:
        """The tasks with their documents, as the harness wants them."""
        for name in OFFLINE:
            os.environ.setdefault(name, "1")
        from lm_eval.tasks import TaskManager

        try:
            manager = TaskManager(include_path=str(self.folder), include_defaults=False)
            if missing := [name for name in self.tasks if name not in manager.all_tasks]:
                raise one_of("metric.tasks", missing[0], manager.all_tasks)
            return manager.load(self.tasks)
        except DynasError:
            raise
        except Exception as error:  # whatever a task's file makes it raise
            raise DynasError(f"the tasks in '{self.folder}' cannot be read: {reason(error)}") from error

    def answered(self, subnet: nn.Module, bench: Bench, limit: int | None) -> float:
        """Return the mean score of a sub-network, or raise DynasError where there is no such score."""
        from dynas.metrics.lm_eval_model import make_model

        with silenced():
            documents = self.documents
            from lm_eval.evaluator import evaluate

            model = make_model(subnet, bench.supernet, self.batch_size)
            results = evaluate(lm=model, task_dict=documents, limit=limit, bootstrap_iters=0)["results"]
        found = []
        for task in self.tasks:
            told = {key.partition(",")[0]: value for key, value in results[task].items() if isinstance(value, float)}
            if self.score not in told:
                raise one_of(f"metric.score of '{task}'", self.score, [name for name in told if "stderr" not in name])
            found.append(told[self.score])
        return sum(found) / len(found)


@contextmanager
def silenced() -> Iterator[None]:
    """Keep the harness from writing on the screen."""
    level = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            yield
    finally:
        logging.disable(level)
