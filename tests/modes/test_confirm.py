"""Confirming: members of a noisy front are measured again, nothing is lost, and the front is flattered less."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray

from dynas.commands.report import main as report
from dynas.compose.frames import register
from dynas.compose.problem import build_problem
from dynas.core.evaluation import Evaluation, Measure, Measurement
from dynas.core.evaluator import Evaluator
from dynas.core.objectives import Objective, Values, losses
from dynas.core.pareto import hypervolume
from dynas.core.problem import Problem
from dynas.core.space import Genotypes, SearchSpace
from dynas.executors.serial import Serial
from dynas.modes.confirm import confirm, front_rows
from dynas.runs.confirmed import averaged
from dynas.runs.load import load_run
from dynas.system.folders import CONFIGS as OURS
from tests.conftest import Analytic
from tests.helpers.cli import dynas, killed, read_rows
from tests.helpers.devices import ALL, CONFIGS, SEARCH, write_devices

pytestmark = pytest.mark.slow

NOISE = 0.1


class Kept:
    """Further measurements, in memory."""

    def __init__(self) -> None:
        self.history: list[Evaluation] = []

    def append(self, evaluation: Evaluation) -> None:
        self.history.append(evaluation)

    @property
    def again(self) -> dict[str, list[tuple[float, ...]]]:
        again: dict[str, list[tuple[float, ...]]] = {}
        for one in self.history:
            again.setdefault(one.key, []).append(one.measurement.values)
        return again


class Noisy:
    """The analytic problem of cost and quality, in which measuring quality is noisy."""

    def __init__(self, analytic: Analytic, seed: int = 0, bound: float | None = None, n: int = 120) -> None:
        self.analytic, self.seed = analytic, seed
        objectives = (Objective("cost", "min", "coins", exact=True), Objective("quality", "max", "points", bound))
        self.problem = Problem(analytic.space, objectives, {"cost": analytic.cost})
        self.evaluator = Evaluator(self.problem, Serial(self.measure), n)
        self.evaluator(analytic.space.sample(2 * n, np.random.default_rng(seed)))

    def quality(self, genotypes: Genotypes, salt: int) -> Values:
        rng = np.random.default_rng([self.seed, salt])
        return self.analytic.quality(genotypes) * (1 + NOISE * rng.standard_normal(len(genotypes)))

    def measure(self, genotypes: Genotypes) -> Iterator[Measurement]:
        for cost, quality in zip(self.analytic.cost(genotypes), self.quality(genotypes, 0), strict=True):
            yield Measurement((float(cost), float(quality)))

    def again(self, kept: Kept, fails: bool = False, stop: int = 1_000_000) -> Measure:
        """Measure quality alone, each time of a sub-network with a noise of its own; interrupted after ``stop``."""

        def measure(genotypes: Genotypes) -> Iterator[Measurement]:
            for row in genotypes:
                if len(kept.history) == stop:
                    raise KeyboardInterrupt
                time = len(kept.again.get(self.analytic.space.key(row), ()))
                salt = int(row @ np.arange(1, len(row) + 1)) * 100 + time + 1
                value = np.nan if fails else float(self.quality(row[None], salt)[0])
                yield Measurement((value,), error="too hot" if fails else "")

        return measure

    def confirm(self, times: int, kept: Kept | None = None, **how: object) -> Kept:
        kept = kept or Kept()
        confirm(self.evaluator, self.problem.objectives[1:], Serial(self.again(kept, **how)), kept, times)  # type: ignore[arg-type]
        return kept

    def final(self, kept: Kept) -> tuple[Values, NDArray[np.int64]]:
        """Return the values after confirming and the rows of the front."""
        history = self.evaluator.history
        first = np.array([one.measurement.values for one in history])
        values = averaged(first, [one.key for one in history], [1], kept.again)
        return values, front_rows(self.problem, self.evaluator.measured.genotypes, values)

    def inflation(self, kept: Kept) -> float:
        """Return how much larger the front's hypervolume is reported than it truly is."""
        values, front = self.final(kept)
        genotypes = self.evaluator.measured.genotypes
        reported, true = (
            losses(self.problem.objectives, some) for some in (values, self.analytic.values(genotypes, 2))
        )
        worst = np.vstack([reported, true]).max(axis=0)
        return hypervolume(reported[front], worst) / hypervolume(true[front], worst) - 1


def test_every_member_of_the_final_front_was_measured_again(analytic_mbv3: Analytic) -> None:
    noisy = Noisy(analytic_mbv3)
    kept = noisy.confirm(3)
    values, front = noisy.final(kept)
    keys = [one.key for one in noisy.evaluator.history]
    assert all(len(kept.again[keys[row]]) == 3 for row in front)
    assert max(map(len, kept.again.values())) == 3
    assert len(kept.again) < len(keys), "far candidates are left alone"
    row = front[0]
    mine = [noisy.evaluator.history[row].measurement.values[1], *(value for (value,) in kept.again[keys[row]])]
    assert values[row, 1] == pytest.approx(np.mean(mine)), "every measurement counts alike"
    assert values[row, 0] == noisy.evaluator.history[row].measurement.values[0]
    assert [one.index for one in kept.history] == list(range(1, len(kept.history) + 1))


def test_confirming_takes_most_of_the_flattery_away(analytic_mbv3: Analytic) -> None:
    runs = [Noisy(analytic_mbv3, seed) for seed in range(12)]
    none, some, more = (np.mean([run.inflation(run.confirm(times)) for run in runs]) for times in (0, 2, 8))
    assert none > 0.02
    assert some < 0.6 * none
    assert more < 0.7 * some


def test_an_interrupted_confirmation_goes_on_to_the_same_front(analytic_mbv3: Analytic) -> None:
    noisy = Noisy(analytic_mbv3)
    whole = noisy.confirm(2)
    kept = Kept()
    with pytest.raises(KeyboardInterrupt):
        noisy.confirm(2, kept, stop=len(whole.history) // 2)
    before = list(kept.history)
    assert 0 < len(before) < len(whole.history)
    noisy.confirm(2, kept)
    assert kept.history[: len(before)] == before
    assert (noisy.final(kept)[1] == noisy.final(whole)[1]).all()
    assert len(noisy.confirm(2, kept).history) == len(kept.history), "a finished one stays as it is"


def test_what_cannot_be_measured_again_leaves_the_front(analytic_mbv3: Analytic) -> None:
    noisy = Noisy(analytic_mbv3, n=20)
    kept = noisy.confirm(2, fails=True)
    assert len(noisy.final(kept)[1]) == 0
    assert len(kept.again) == 20, "newcomers had their turn, and it ended"


def test_a_member_beyond_a_bound_leaves_the_front(analytic_mbv3: Analytic) -> None:
    free = Noisy(analytic_mbv3)
    bound = float(np.quantile([one.measurement.values[1] for one in free.evaluator.history], 0.8))
    noisy = Noisy(analytic_mbv3, bound=bound)
    first = noisy.final(Kept())[1]
    values, front = noisy.final(noisy.confirm(4))
    assert (values[front, 1] >= bound).all()
    assert (values[first, 1] < bound).any(), "some were within it by luck"


def test_nothing_is_measured_again_without_a_front(tiny_space: SearchSpace) -> None:
    problem = Problem(tiny_space, (Objective("quality", "max", "points"),))

    def refuse(genotypes: Genotypes) -> Iterator[Measurement]:
        raise AssertionError("nothing to measure")

    confirm(Evaluator(problem, Serial(refuse), 3), problem.objectives, Serial(refuse), Kept(), 2)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["objectives=[top1,latency,macs,throughput]"], ("latency", "throughput")),
        (["objectives=[top1,macs,size]"], ()),
        (["hardware=note10", "data=imagenet_surrogate"], ()),
    ],
)
def test_only_what_varies_is_measured_again(overrides: list[str], expected: tuple[str, ...]) -> None:
    register()
    with initialize_config_dir(str(OURS), version_base="1.3"):
        _, measurer = build_problem(compose("search", overrides=["supernet.weights=random", *overrides]))
    assert measurer.noisy == expected
    assert list(measurer.only(measurer.noisy).metrics) == list(expected)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def confirmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The run folder of a search on a noisy device, and what it printed."""
    folder = write_devices(tmp_path_factory.mktemp("confirmed") / "own")
    done = dynas("search", *CONFIGS, *SEARCH, *ALL, "hardware.noise=0.2", "hydra.run.dir=run", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "run", done.stdout


def test_a_search_confirms_its_front_and_tells_both_hypervolumes(confirmed: tuple[Path, str]) -> None:
    folder, printed = confirmed
    run = load_run(folder)
    facts = json.loads((folder / "run.json").read_text())
    volume = facts["hypervolume"]
    assert volume["confirmed"] != volume["first"]
    assert f"hypervolume {volume['confirmed']:.6g} confirmed by {volume['confirmations']} further" in printed
    assert f"{volume['first']:.6g} by the first ones" in " ".join(printed.split())
    assert (facts["evaluations"], len(read_rows(folder))) == (16, 16), "the budget is spent on the search alone"
    last = (folder / "hypervolume.csv").read_text().splitlines()[-1].split(",")
    assert float(last[1]) == pytest.approx(volume["first"]), "the curve is that of first measurements"
    lines = (folder / "confirmed.csv").read_text().splitlines()
    assert len(lines) - 1 == volume["confirmations"] == int(run.again.sum())
    assert "area" not in lines[0]
    front, results = read(folder / "front.csv"), {row["key"]: row for row in read_rows(folder)}
    assert len(front) == len(run.front)
    for row in front:
        assert row["confirmations [runs]"] == "2"
        assert row["latency first [ms]"] == results[row["key"]]["latency [ms]"] != row["latency [ms]"]


def test_reports_and_evaluations_take_the_confirmed_front(
    confirmed: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = confirmed
    facts = json.loads((folder / "run.json").read_text())
    assert report([str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "confirmed front" in shown
    assert f"{facts['hypervolume']['confirmed']:,.0f}" in shown
    assert f"{facts['hypervolume']['first']:,.0f}" in shown
    done = dynas("evaluate", *CONFIGS, *SEARCH, f"architectures={folder}", "hydra.run.dir=twice", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    run = load_run(folder)
    earlier = [float(row["latency earlier [ms]"]) for row in read(folder.parent / "twice" / "earlier.csv")]
    assert earlier == pytest.approx(run.values[run.front, 1].tolist())


def test_a_search_that_is_killed_while_confirming_goes_on(tmp_path: Path) -> None:
    folder = write_devices(tmp_path / "own")
    slow = ("hardware.noise=0.2", "hardware.pause=0.1")
    killed(
        "search", *CONFIGS, *SEARCH, *ALL, *slow, "together=1", "hydra.run.dir=run", cwd=folder,
        once=folder / "run" / "confirmed.csv",
    )  # fmt: skip
    before = (folder / "run" / "confirmed.csv").read_text()
    (folder / "run" / "confirmed.csv").write_text(before + '7,1,"torn')
    resumed = dynas("search", *CONFIGS, "resume=run", cwd=folder)
    assert resumed.returncode == 0, resumed.stderr
    after = (folder / "run" / "confirmed.csv").read_text()
    assert after.startswith(before)
    run = load_run(folder / "run")
    assert (run.again[run.front] == 2).all()


def test_without_noise_or_without_confirming_nothing_is_measured_again(tmp_path: Path) -> None:
    folder = write_devices(tmp_path / "own")
    done = dynas("search", *CONFIGS, *SEARCH, *ALL, "confirm=0", "hydra.run.dir=run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert not (folder / "run" / "confirmed.csv").exists()
    assert "confirmed" not in done.stdout
    assert json.loads((folder / "run" / "run.json").read_text())["hypervolume"]["confirmed"] is None
    refused = dynas("search", "confirm=-1", cwd=tmp_path)
    assert refused.returncode == 1
    assert "confirm=-1: give a number of further measurements" in refused.stderr
