"""``dynas transfer``: a front on another target, beside the target's own, and a predictor that is brought there."""

from __future__ import annotations

import csv
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy.stats import kendalltau

import transfer as benchmark
from dynas.commands.transfer import check_predict, with_source
from dynas.core.objectives import Objective
from dynas.core.pareto import hypervolume, non_dominated
from dynas.errors import DynasError
from dynas.predictors.affine import fit_affine, spread_ranks
from dynas.report.plots.transfer import plot_transfer
from dynas.report.transfer import order_sentence, targets_sentence, timed_column, transferred, volume_sentence
from dynas.runs.load import load_run
from dynas.runs.record import write_run
from dynas.system.folders import CONFIGS as OURS
from tests.helpers.cli import dynas, read_rows
from tests.helpers.devices import ALL, CONFIGS, SEARCH, write_devices
from tests.helpers.run_folders import FIVE, LATENCY, MACS, TOP1, search

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"
WIDTHS = list(itertools.product((8, 16, 24, 32), repeat=2))
OTHER = ("hardware=device", "hardware.first=3")  # a target on which the first width is dear


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def losses(first: float) -> np.ndarray:
    """Losses of all sub-networks on a device."""
    return np.array([[-a * b, first * a + b] for a, b in WIDTHS], dtype=float)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Searches for two devices, and the first one's front on the second."""
    folder = write_devices(tmp_path_factory.mktemp("transfer") / "own")
    for name, target in (("source", ()), ("target", ("hardware.first=3",))):
        done = dynas("search", *CONFIGS, *SEARCH, *ALL, *target, f"hydra.run.dir={name}", cwd=folder)
        assert done.returncode == 0, done.stderr
    moved = ("transfer", *CONFIGS, "source", *OTHER, "against=target", "predict=5", "hydra.run.dir=moved")
    done = dynas(*moved, cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "printed").write_text(done.stdout)
    return folder


def test_a_front_is_measured_on_the_target_with_the_settings_of_its_run(folder: Path) -> None:
    source, moved = load_run(folder / "source"), read_rows(folder / "moved")
    assert [row["key"] for row in moved] == [source.keys[row] for row in source.front]
    config = load_run(folder / "moved").facts["config"]
    assert (config["supernet"]["_target_"], config["data"]["validation_size"]) == ("mine.Perceptrons", 100)
    assert (config["hardware"]["first"], config["hardware"]["second"]) == (3, 1)
    lines = read(folder / "moved" / "transfer.csv")
    for line, row in zip(lines, source.front, strict=True):
        a, b = yaml.safe_load(line["architecture"])["width"]
        assert float(line["latency [ms]"]) == 3 * a + b
        assert float(line["latency where found [ms]"]) == a + b
        assert line["source index"] == source.rows[row][0]
    printed = (folder / "printed").read_text()
    assert "found with hardware.first=1.0; the target has hardware.first=3" in printed
    tau = kendalltau(*([float(line[name]) for line in lines] for name in ("latency [ms]", "latency where found [ms]")))
    assert f"Kendall tau {tau.statistic:.3f}" in printed


def test_the_hypervolume_lost_is_that_against_the_targets_own_front(folder: Path) -> None:
    here, there = losses(3), losses(1)
    worst = here.max(axis=0)
    mine, own = hypervolume(here[non_dominated(there)], worst), hypervolume(here, worst)
    assert 0 < mine < own
    assert f"{100 * (1 - mine / own):.2f} % lost" in (folder / "printed").read_text()
    marked = [line["on front"] for line in read(folder / "moved" / "transfer.csv")]
    transferred_front = non_dominated(here[non_dominated(there)])
    assert marked.count("1") == transferred_front.sum() < len(marked)
    for picture in ("transfer.png", "front.png"):
        assert (folder / "moved" / picture).read_bytes().startswith(PNG)


def test_a_predictor_is_brought_to_the_target_and_tested_on_other_members(folder: Path) -> None:
    printed = (folder / "printed").read_text()
    found = re.search(r"corrected by 5 members .* on the 5 others MAPE ([\d.]+) %, Kendall tau ([\d.]+)", printed)
    assert found
    assert 0 < float(found[1]) < 35, "3 a + b is no line of a + b, but not far from one"
    predicted = read(folder / "moved" / "predicted.csv")
    assert len(predicted) == 16, "all that the source measured"
    by_latency = sorted(predicted, key=lambda row: float(row["latency where found [ms]"]))
    values = [float(row["latency predicted [ms]"]) for row in by_latency]
    assert values[0] < values[-1]


def test_a_finished_transfer_is_compared_later_without_measuring_again(folder: Path) -> None:
    done = dynas("transfer", *CONFIGS, "source", "hardware.first=3", "hydra.run.dir=alone", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "dynas search --config-dir configs supernet=perceptrons" in done.stdout
    assert "hardware.first=3" in done.stdout.split("dynas search")[1].splitlines()[0]
    assert "run=" not in done.stdout.split("dynas search")[1].splitlines()[0]
    before = (folder / "alone" / "results.csv").read_bytes()
    again = dynas("transfer", *CONFIGS, f"resume={folder / 'alone'}", "against=target", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert "% lost" in again.stdout
    assert (folder / "alone" / "results.csv").read_bytes() == before
    refused = dynas("transfer", *CONFIGS, "source", "hardware.second=2", "against=target", cwd=folder)
    assert refused.returncode == 1
    assert "differ in hardware.first: 3 in 'target'" in refused.stderr
    assert "cannot be compared" in refused.stderr
    assert "--where" not in refused.stderr, "that is an option of dynas report"


def test_the_overrides_of_a_run_come_before_those_that_are_given(tmp_path: Path) -> None:
    write_run(tmp_path / "", {"overrides": ["supernet=mbv3", "hardware=cpu", "hardware.threads=1", "seed=3"]})
    quoted = f'run="{tmp_path}"'
    assert with_source([str(tmp_path), "hardware.threads=2"]) == [
        "supernet=mbv3", "hardware=cpu", "hardware.threads=1", "seed=3", quoted, "hardware.threads=2",
    ]  # fmt: skip
    assert with_source(["--config-dir", "mine", str(tmp_path), "hardware=note10"]) == [
        "supernet=mbv3", "seed=3", quoted, "--config-dir", "mine", "hardware=note10",
    ]  # fmt: skip
    assert with_source(["resume=there"]) == ["resume=there"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/nowhere"], "'/nowhere' is not a run folder"),
        (["a", "b"], "one run folder at a time, given a and b"),
        (["/nowhere", "budget=9"], "'budget=9' is about searching"),
        (["/nowhere", "algo.mutation=0.1"], "'algo.mutation=0.1' is about searching"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(DynasError, match=re.escape(message)):
        with_source(arguments)


def test_too_few_members_for_a_predictor_are_told() -> None:
    check_predict(None, 1)
    check_predict(5, 8)
    with pytest.raises(DynasError, match="predict=6: the front has 8 members, give 3 to 5"):
        check_predict(6, 8)
    with pytest.raises(DynasError, match="too few to fit and to test"):
        check_predict(3, 5)


def test_no_run_is_told_in_one_sentence(tmp_path: Path) -> None:
    refused = dynas("transfer", cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith("dynas: no run named: give a run folder and another target")
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_transfer_composes_whatever_a_search_composes() -> None:
    groups = []
    for name in ("search", "transfer"):
        defaults = yaml.safe_load((OURS / f"{name}.yaml").read_text())["defaults"]
        own = [key for entry in defaults if isinstance(entry, dict) for key in entry if "override" not in key]
        groups.append([*own, *(entry for entry in defaults if isinstance(entry, str) and "/" in entry)])
    assert groups[0] == groups[1] == ["experiment", "hydra/base/command", "hydra/base/search"]


def test_what_depends_on_the_hardware_is_found() -> None:
    top1, macs = Objective("top1", "max", "%"), Objective("macs", "min", "MAC", exact=True)
    assert timed_column([top1, macs]) is None
    assert timed_column([top1, Objective("latency", "min", "ms, table")]) == 1
    assert timed_column([Objective("throughput", "max", "samples/s"), top1]) == 0
    assert timed_column([macs, Objective("delay", "min", "us")]) == 1


def test_every_number_of_objectives_is_told_and_drawn(tmp_path: Path) -> None:
    three = [(80, 10, 5), (88, 4, 6), (90, 8, 7)]
    source, run = (search(tmp_path / name, three, (TOP1, LATENCY, MACS)) for name in ("a", "b"))
    result = transferred(run, source, 1, 1, None)
    assert result.tau == 1.0
    assert order_sentence(result) == "latency: 1 times that where found (median of 3), Kendall tau 1.000"
    assert "nothing but noise" in targets_sentence(result)
    plot_transfer(result, tmp_path / "three.png")
    one = [search(tmp_path / name, [(10,), (5,)], (LATENCY,)) for name in ("c", "d")]
    plot_transfer(transferred(one[0], one[1], 0, 0, None), tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes().startswith(PNG)
    against = search(tmp_path / "e", FIVE)
    same = transferred(search(tmp_path / "f", FIVE), against, 1, 1, against)
    assert "0.00 % lost" in volume_sentence(same)
    better = search(tmp_path / "g", [(top1 + 2 if top1 > 80 else top1, latency) for top1, latency in FIVE])
    assert re.search(r": \d+\.\d\d % gained", volume_sentence(transferred(better, against, 1, 1, against)))


@pytest.mark.parametrize("n", [5, 10, 20])
def test_a_line_is_found_in_spite_of_one_slow_measurement(n: int) -> None:
    exact = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        predicted = np.sort(rng.uniform(1, 10, n)) + np.arange(n)
        true = rng.uniform(0.1, 50) * predicted + rng.uniform(0, 20)
        measured = true.copy()
        measured[rng.integers(n)] *= rng.uniform(1.1, 4)
        exact.append(np.allclose(fit_affine(predicted, measured)(predicted), true, rtol=1e-6))
    assert np.mean(exact) > 0.9, "at the ends of five points a bad one cannot always be told"


def test_equal_predictions_give_a_level_line() -> None:
    assert fit_affine(np.full(5, 2.0), np.array([1.0, 2.0, 3.0, 4.0, 5.0]))(np.array([9.0]))[0] == pytest.approx(3)


def test_measurements_are_spread_from_end_to_end() -> None:
    values = np.array([5.0, 1.0, 9.0, 3.0, 7.0, 2.0, 8.0])
    assert values[spread_ranks(values, 3)].tolist() == [1, 5, 9]
    assert sorted(spread_ranks(values, 7)) == list(range(7))


def test_five_measurements_bring_a_predictor_from_a_gpu_to_a_cpu(reference: Path) -> None:
    """HAT's latencies of Titan Xp and Xeon: 60 draws of 5 of 200 candidates, held out are the other 1,995."""
    read_latency = benchmark.read
    folder = reference / "hat_latency"
    features, latency = read_latency(folder / "wmt14ende_cpu_xeon.csv")
    predicted = benchmark.learned(read_latency(folder / "wmt14ende_gpu_titanxp.csv"), features)
    errors = {}
    for spread in (True, False):
        tables = [benchmark.draw(predicted, latency, 5, spread, np.random.default_rng(seed)) for seed in range(60)]
        errors[spread] = np.mean([table[0] for table in tables], axis=0)
    mape, tau = errors[True]
    assert mape < 8.0
    assert tau >= 0.845 - 5e-4
    assert mape < errors[False][0], "spread measurements are better than random ones"
