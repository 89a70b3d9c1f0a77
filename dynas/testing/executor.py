"""What every executor owes (see `dynas.core.executor`): each candidate answered once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest

from dynas.core.executor import Executor, ExecutorFactory, Measured
from dynas.core.space import Genotypes
from dynas.errors import DynasError
from dynas.testing.perilous import candidates, measure


def rest(executor: Executor) -> list[Measured]:
    """Return all that is still measured."""
    answers: list[Measured] = []
    while some := executor.collect():
        answers += some
    return answers


def listed(answers: list[Measured]) -> list[list[int]]:
    """Return the genotypes of answers."""
    return [row.tolist() for row, _ in answers]


class ExecutorSuite:
    """Checks an executor; subclass it in a test module and say how the executor is made.

    What its candidates cost to measure is nothing, and the function that measures them can be pickled.

    Attributes:
        make: makes the executor; a function is wrapped in ``staticmethod``.
    """

    make: ClassVar[ExecutorFactory]

    @pytest.fixture
    def executor(self) -> Iterator[Executor]:
        """Give an executor that measures up to three candidates together, and close it."""
        executor = self.make(measure, 3, 2)
        yield executor
        executor.close()

    def test_every_candidate_is_answered_once_with_its_own_values(self, executor: Executor) -> None:
        """In any order, and what was submitted later joins what is waiting."""
        rows = candidates("healthy", range(11))
        executor.submit(rows[:5])
        executor.submit(rows[5:])
        answers = rest(executor)
        assert sorted(listed(answers)) == rows.tolist()
        assert all(one.values == (row[1], row[1] ** 2) for row, one in answers)
        assert list(executor.collect()) == []
        executor.submit(candidates("healthy", range(20, 22)))
        assert len(executor.collect()) > 0, "it can be used again"

    def test_what_is_cancelled_and_what_is_collected_is_everything(self, executor: Executor) -> None:
        """Of more candidates than busy workers finish before the first is collected."""
        rows = candidates("healthy", range(200))
        executor.submit(rows)
        answers = list(executor.collect())
        left = executor.cancel()
        answers += rest(executor)
        assert len(left) > 0
        assert sorted([*listed(answers), *left.tolist()]) == rows.tolist()

    def test_settings_at_fault_end_the_search_with_their_sentence(self, executor: Executor) -> None:
        """A DynasError is no fault of the candidate."""
        executor.submit(candidates("refuse", range(1)))
        with pytest.raises(DynasError, match="these settings make no sense"):
            executor.collect()

    def test_nothing_to_measure_is_answered_by_nothing(self, executor: Executor) -> None:
        """Neither before anything was submitted nor after none was."""
        assert executor.workers >= 1
        assert list(executor.collect()) == []
        none: Genotypes = np.empty((0, 2), dtype=np.int64)
        executor.submit(none)
        assert list(executor.collect()) == []
        assert len(executor.cancel()) == 0
