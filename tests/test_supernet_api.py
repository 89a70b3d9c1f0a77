"""Networks are made elastic, searched and taken home in Python, without Hydra."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

import dynas
from dynas import DynasError
from dynas.algos.named import algorithm
from dynas.core.evaluation import Evaluation
from dynas.data.fashion_mnist import FashionMNIST
from dynas.metrics.accuracy import recalibrated_top1, top1
from dynas.modes.validation import Validation
from dynas.supernet_api import SupernetResult
from dynas.supernets.prune import PruneSupernet
from tests.helpers.cli import dynas as cli
from tests.helpers.networks import network, pruned

DATA: Any = ("fashion_mnist", {"validation_size": 200, "calibration_size": 100})


@pytest.fixture(scope="module")
def supernet() -> PruneSupernet:
    return dynas.elastic(network("residual"), torch.zeros(1, 1, 28, 56), shares=(0.5, 1.0), divisor=4)


@pytest.fixture(scope="module")
def result(supernet: PruneSupernet) -> SupernetResult:
    return dynas.search_supernet(
        supernet, ["top1", "macs"], DATA, budget=12, mode="validation", bounds={"macs": 1e9}, seed=1
    )


def test_a_network_is_made_elastic(supernet: PruneSupernet) -> None:
    assert supernet.space.cardinality.tolist() == [2] * 7
    assert supernet.example_inputs(3)[0].shape == (3, 1, 28, 56)


def test_what_was_measured_is_what_the_module_gives(result: SupernetResult) -> None:
    assert len(result.history) == 12
    assert isinstance(result.front, pd.DataFrame)
    pick = result.best("top1")
    assert pick.values["top1"] == result.front["top1 [%]"].max()
    module = pick.module()
    assert not module.training
    assert top1(module, result.data.validation_batches()) == pick.values["top1"]  # type: ignore[attr-defined]
    assert result.supernet.macs(result.problem.space.encode(pick.architecture)[None])[0] == pick.values["macs"]


def test_the_best_at_a_cost_is_the_cheapest(result: SupernetResult) -> None:
    assert result.best("macs").values["macs"] == result.front["macs [MAC]"].min()


def test_data_may_be_an_object(supernet: PruneSupernet) -> None:
    data = FashionMNIST("embedded", 2, 100, 40)
    found = dynas.search_supernet(supernet, ["top1"], data, budget=1, mode="validation")
    (row,) = found.history
    subnet = supernet.subnet(supernet.space.decode(row.genotype))
    assert row.measurement.values == (recalibrated_top1(subnet, data),)


def test_bounds_decide_what_is_best(supernet: PruneSupernet) -> None:
    costs = supernet.macs(supernet.space.largest()[None])[0]
    bounds = {"macs": "0.5x"}
    found = dynas.search_supernet(supernet, ["top1", "macs"], DATA, budget=8, mode="validation", bounds=bounds)
    assert found.best("top1").values["macs"] <= 0.5 * costs
    assert found.problem.objectives[1].bound == 0.5 * costs
    assert found.history[0].key == supernet.space.key(supernet.space.largest()), "the original comes first"


def test_a_search_in_a_folder_goes_on_with_the_same_parts_only(supernet: PruneSupernet, tmp_path: Path) -> None:
    heard: list[int] = []

    class Counts(dynas.Callback):
        def on_evaluation(self, progress: dynas.Progress, evaluation: Evaluation) -> None:
            heard.append(evaluation.index)

    settings: Any = {"mode": Validation(), "algo": algorithm("random", population=2), "folder": tmp_path / "run"}
    first = dynas.search_supernet(supernet, ["top1", "macs"], DATA, budget=2, **settings)
    more = dynas.search_supernet(
        supernet, ["top1", "macs"], DATA, budget=4, resume=True, callbacks=[Counts()], **settings
    )
    assert [one.key for one in more.history[:2]] == [one.key for one in first.history]
    assert heard == [1, 2, 3, 4]
    assert more.folder == tmp_path / "run"
    assert more.best("top1").module()(torch.zeros(1, 1, 28, 56)).shape == (1, 100)
    columns = ["key", "top1 [%]", "macs [MAC]"]
    assert dynas.load_run(tmp_path / "run").front[columns].equals(more.front[columns])
    other = dynas.elastic(network("residual").apply(zeroed), torch.zeros(1, 1, 28, 56), shares=(0.5, 1.0), divisor=4)
    with pytest.raises(DynasError, match="begun with other weights"):
        dynas.search_supernet(other, ["top1", "macs"], DATA, budget=4, resume=True, **settings)
    others = ("fashion_mnist", {"validation_size": 100, "calibration_size": 100})
    with pytest.raises(DynasError, match="started with data="):
        dynas.search_supernet(supernet, ["top1", "macs"], others, budget=4, resume=True, **settings)


def zeroed(module: torch.nn.Module) -> None:
    if isinstance(module, torch.nn.Linear):
        torch.nn.init.zeros_(module.bias)


def test_a_folder_of_named_parts_is_exported(tmp_path: Path) -> None:
    found = dynas.search_supernet(
        ("mbv3", {"resolutions": [20, 28]}), ["params"], DATA, budget=1, mode=Validation(),
        algo=algorithm("random", population=1), folder=tmp_path / "run",
    )  # fmt: skip
    done = cli("export", str(tmp_path / "run"), "--row", "1", "--formats", "pytorch", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "run").glob("export_row*/*.safetensors")
    exported = sum(value.numel() for name, value in load_file(file).items() if not is_statistic(name))
    assert exported == found.history[0].measurement.values[0]


def is_statistic(name: str) -> bool:
    return name.endswith(("running_mean", "running_var", "num_batches_tracked"))


def test_a_supernet_is_loaded_by_its_name() -> None:
    supernet = dynas.load_supernet("mbv3", resolutions=(20, 28))
    assert supernet.resolutions == ((20, 40), (28, 56))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dynas.load_supernet("mbv4"), "did you mean mbv3?"),
        (lambda: dynas.load_supernet("mbv3", weight="x"), "unknown setting of supernet=mbv3 'weight'"),
        (lambda: dynas.elastic(network("residual"), torch.zeros(1, 28)), "images in one tensor of shape"),
        (lambda: dynas.search_supernet(pruned("residual"), "top1"), "give a list of names"),
        (lambda: dynas.search_supernet(pruned("residual"), ["top2"]), "unknown objectives 'top2'"),
        (lambda: dynas.search_supernet(pruned("residual"), ["top1"], "no_data"), "unknown data 'no_data'"),
        (lambda: dynas.search_supernet(pruned("residual"), budget=0), "a budget of at least 1"),
        (
            lambda: dynas.search_supernet(pruned("residual"), ["macs"], bounds={"top1": 1.0}),
            "unknown objective 'top1': choose one of macs",
        ),
        (
            lambda: dynas.search_supernet(pruned("residual"), ["top1"], ("fashion_mnist", {"garments": 1})),
            "100 classes but the data have 10",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(call: Any, message: str) -> None:
    with pytest.raises(DynasError) as refused:
        call()
    assert message in str(refused.value)


def test_the_best_of_nothing_is_refused(result: SupernetResult) -> None:
    with pytest.raises(DynasError, match="unknown objective 'latency'"):
        result.best("latency")
