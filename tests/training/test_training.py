"""A training goes on where it stopped, and says beforehand how long it will take."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dynas.errors import DynasError
from dynas.training import plan as plan_module
from dynas.training.plan import Phase, make_plan, seconds_left
from tests.helpers.training import small_training


def weights(training: object) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in training.net.parameters()])  # type: ignore[attr-defined]


def test_a_training_learns() -> None:
    training = small_training()
    losses = [sum(training.train_epoch()) for _ in range(training.recipe.epochs)]
    assert losses[-1] < 0.8 * losses[0]
    assert training.epochs == training.recipe.epochs


def test_a_training_that_goes_on_repeats_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, begun, resumed = small_training(), small_training(), small_training()
    for _ in range(4):
        list(whole.train_epoch())
    for _ in range(2):
        list(begun.train_epoch())
        begun.curve.append({"epoch": begun.epochs, "loss": 0.5})
    begun.save(tmp_path / "checkpoint.pt")
    resumed.restore(tmp_path / "checkpoint.pt")
    assert (resumed.epochs, resumed.curve) == (2, begun.curve)
    for _ in range(2):
        list(resumed.train_epoch())
    assert torch.equal(weights(resumed), weights(whole))


def test_a_broken_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"weights")
    with pytest.raises(DynasError, match="is no checkpoint of this training: remove it to start from scratch"):
        small_training().restore(tmp_path / "checkpoint.pt")


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(DynasError, match=r"recipe\.batch_size=64 is larger than the whole training set"):
        small_training(batch_size=64)


def test_a_network_without_hidden_states_cannot_teach_them() -> None:
    with pytest.raises(
        DynasError, match=r"recipe\.states=0\.5: this network has no hidden states to learn from; give 0"
    ):
        small_training(states=0.5)


def test_a_training_that_diverges_says_so() -> None:
    training = small_training()
    torch.nn.init.constant_(training.net.last.weight, float("nan"))  # type: ignore[union-attr]
    with pytest.raises(DynasError, match=r"training diverged in epoch 1: lower recipe\.learning_rate"):
        list(training.train_epoch())


def test_mixed_precision_computes_products_in_bfloat16() -> None:
    exact, mixed = small_training(), small_training()
    mixed.mixed = True
    seen: list[torch.dtype] = []
    mixed.net.first.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))  # type: ignore[union-attr]
    for _ in range(exact.recipe.epochs):
        last = [sum(list(one.train_epoch())) for one in (exact, mixed)]
    assert set(seen) == {torch.bfloat16}
    assert all(parameter.dtype == torch.float32 for parameter in mixed.net.parameters())
    assert last[1] == pytest.approx(last[0], rel=0.2)
    assert not torch.equal(weights(exact), weights(mixed))


def test_a_plan_has_a_phase_for_every_set_of_elastic_variables() -> None:
    plan = make_plan(small_training(epochs=7, largest_epochs=1, progressive=("w", "d")))
    assert [(phase.elastic, phase.first, phase.last) for phase in plan] == [
        ((), 0, 0),
        (("w",), 1, 3),
        (("w", "d"), 4, 6),
    ]
    assert [phase.everything for phase in plan] == [False, False, True]
    assert [phase.epochs for phase in plan] == [1, 3, 3]
    assert all(phase.seconds > 0 for phase in plan)


def test_planning_leaves_a_training_as_it_is() -> None:
    planned, other = small_training(), small_training()
    make_plan(planned)
    for training in (planned, other):
        list(training.train_epoch())
    assert torch.equal(weights(planned), weights(other))


def test_an_epoch_takes_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(plan_module.time, "perf_counter", lambda: float(next(clock)))
    (phase,) = make_plan(small_training())
    assert phase.seconds == pytest.approx(4 * 1.0 / 3), "three of the four steps are timed together"


def test_what_is_left_of_a_plan_counts_epochs_that_have_begun_in_part() -> None:
    plan = [Phase((), False, 0, 1, 10.0), Phase(("d",), True, 2, 5, 30.0)]
    assert [seconds_left(plan, epochs) for epochs in (0, 1.5, 2, 5.5, 6)] == [140.0, 125.0, 120.0, 15.0, 0.0]
