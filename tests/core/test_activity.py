"""What is being done just now, as a journal has it."""

from __future__ import annotations

import pytest

from dynas.core.activity import doing, each, watched


def test_activities_stand_one_in_the_other_with_the_step_at_work() -> None:
    seen = []
    with watched() as journal, doing("measuring top1"):
        for _ in each(["a", "b"]):
            with doing("calibrating"):
                seen.append(str(journal))
    assert seen == ["measuring top1 1 of 2: calibrating", "measuring top1 2 of 2: calibrating"]
    assert str(journal) == ""
    assert set(journal.seconds) == {"measuring top1", "calibrating"}
    assert journal.seconds["measuring top1"] >= journal.seconds["calibrating"] >= 0


def test_what_fails_is_over() -> None:
    def fail(item: int) -> None:
        raise ValueError("broken")

    with watched() as journal:
        with pytest.raises(ValueError, match="broken"), doing("extracting"):
            list(map(fail, each([1, 2])))
        assert str(journal) == ""


def test_each_block_has_a_journal_of_its_own_and_nobody_need_watch() -> None:
    with watched() as outer, doing("outside"):
        with watched() as inner, doing("inside"):
            assert (str(outer), str(inner)) == ("outside", "inside")
        assert str(outer) == "outside"
    with doing("unseen"):
        assert list(each([1, 2])) == [1, 2]
    assert str(outer) == ""
