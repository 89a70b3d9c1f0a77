"""The model of ImageNet top-1: its stored errors, its sanity, what it refuses, and a whole search on it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fit_imagenet_surrogate as script
from dynas.core.bench import Bench
from dynas.core.metric import CountedMetric
from dynas.core.space import SearchSpace
from dynas.data.imagenet_surrogate import EMBEDDED, ImageNetSurrogate, feature_groups
from dynas.errors import DynasError
from dynas.hardware.lookup import LookupTable
from dynas.hardware.openvino import OpenVinoMeter
from dynas.metrics.accuracy import Top1
from dynas.metrics.cost import Macs
from dynas.metrics.measurer import Measurer
from dynas.predictors.surrogate import quality
from dynas.runs.load import load_run
from dynas.supernets.mbv3 import MobileNetV3Supernet
from tests.helpers.cli import dynas, read_rows

pytestmark = pytest.mark.slow

CHEAP = ("supernet=mbv3", "data=imagenet_surrogate", "hardware=note10", "budget=60")


@pytest.fixture(scope="module")
def supernet() -> MobileNetV3Supernet:
    return MobileNetV3Supernet("random", 1.0, (224, 224), 3, 1000, 2, (2, 2, 2, 1, 2))


@pytest.fixture(scope="module")
def data() -> ImageNetSurrogate:
    return ImageNetSurrogate("embedded")


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return json.loads(EMBEDDED.read_text())


def top1(data: ImageNetSurrogate, supernet: Any, genotypes: np.ndarray) -> np.ndarray:
    return data.replaces["top1"].count(supernet, genotypes)


def test_refitting_gives_the_stored_errors_and_estimates(
    reference: Path,
    mbv3_space: SearchSpace,
    content: dict[str, Any],
    data: ImageNetSurrogate,
    supernet: MobileNetV3Supernet,
) -> None:
    genotypes, target = script.read_rows(reference / "mbv3_measured.csv", mbv3_space)
    assert len(target) == content["rows"] == 1062
    features = script.join(feature_groups(mbv3_space, genotypes, **script.costs(genotypes)), script.CHOSEN)
    errors = script.cross_validate(script.ridge, features, target)
    stored = content["cross_validation"]
    for name, value in errors.items():
        assert value == pytest.approx(stored[name], rel=0.01), name
    refitted = script.ridge().fit(features, target).predict(features)
    np.testing.assert_allclose(top1(data, supernet, genotypes), refitted, atol=1e-3)


def test_interactions_matter(content: dict[str, Any]) -> None:
    compared = content["compared"]
    assert compared[content["model"]]["mae [points]"] < 0.5 * compared["ridge on genes"]["mae [points]"]


def test_estimates_lie_in_the_range_of_real_sub_networks(
    data: ImageNetSurrogate, supernet: MobileNetV3Supernet, content: dict[str, Any]
) -> None:
    space = supernet.space
    smallest, largest = top1(data, supernet, np.stack([space.smallest(), space.largest()]))
    assert smallest == pytest.approx(content["estimates"]["smallest"], abs=0.01)
    assert largest == pytest.approx(content["estimates"]["largest"], abs=0.01)
    others = top1(data, supernet, space.sample(2000, np.random.default_rng(1)))
    assert 70.5 < smallest < others.min()
    assert others.max() < largest < 78


def test_a_population_has_the_estimates_of_its_members_to_the_last_bit(
    data: ImageNetSurrogate, supernet: MobileNetV3Supernet
) -> None:
    genotypes = supernet.space.sample(300, np.random.default_rng(0))
    assert top1(data, supernet, genotypes).tolist() == [top1(data, supernet, row[None])[0] for row in genotypes]


def test_a_thousand_estimates_take_milliseconds(data: ImageNetSurrogate, supernet: MobileNetV3Supernet) -> None:
    genotypes = supernet.space.sample(1000, np.random.default_rng(0))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        top1(data, supernet, genotypes)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1


def test_top1_stands_in_for_a_measurement(data: ImageNetSurrogate) -> None:
    metric = data.replaces["top1"]
    assert isinstance(metric, CountedMetric)
    assert not metric.exact
    assert list(data.replaces) == [data.quality]


def test_top1_of_another_precision_is_not_told(data: ImageNetSurrogate, supernet: MobileNetV3Supernet) -> None:
    meter = OpenVinoMeter(1, None, 1, 2, 2, 0.1, 10, False)
    asked = Measurer(Bench(supernet, data, meter, "int8"), {"top1": data.replaces["top1"]})
    with pytest.raises(DynasError, match=r"the values of top1 are those of sub-networks in fp32, .* asks for int8"):
        asked.check()


def test_nothing_is_extracted_where_all_is_counted(
    data: ImageNetSurrogate, supernet: MobileNetV3Supernet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supernet, "subnet", lambda architecture: pytest.fail("a sub-network was extracted"))
    bench = Measurer(Bench(supernet, data, LookupTable("note10", 1.2)), {"top1": data.replaces["top1"], "macs": Macs()})
    genotypes = supernet.space.sample(7, np.random.default_rng(0))
    rows = list(bench.measure(genotypes))
    assert [row.values[0] for row in rows] == top1(data, supernet, genotypes).tolist()
    assert bench.extras == ()
    assert bench.notes == (data.replaces["top1"].note,)


def test_whoever_needs_images_is_told_that_there_are_none(
    data: ImageNetSurrogate, supernet: MobileNetV3Supernet
) -> None:
    bench = Measurer(Bench(supernet, data, LookupTable("note10", 1.2)), {"top1": Top1()})
    with pytest.raises(DynasError, match="holds no images"):
        list(bench.measure(supernet.space.smallest()[None]))
    for images in (data.validation_batches, data.calibration_batches):
        with pytest.raises(DynasError, match="holds no images"):
            images()
    with pytest.raises(DynasError, match="holds no images"):
        data.training_steps(8)
    with pytest.raises(DynasError, match="holds no images"):
        data.training_batches(1, np.random.default_rng(0))


@pytest.mark.parametrize("change", ["width", "resolution"])
def test_another_network_is_refused(data: ImageNetSurrogate, change: str) -> None:
    width, resolution = (1.2, (224, 224)) if change == "width" else (1.0, (192, 192))
    other = MobileNetV3Supernet("random", width, resolution, 3, 1000, 2, (2, 2, 2, 1, 2))
    with pytest.raises(DynasError, match=r"width 1.0 and 224x224 pixels only"):
        top1(data, other, other.space.smallest()[None])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"coefficients": []}', None])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: dict[str, Any], text: str | None) -> None:
    path = tmp_path / "model.json"
    short = content | {"coefficients": content["coefficients"] | {"genes": [1.0]}}
    path.write_text(json.dumps(short) if text is None else text)
    with pytest.raises(DynasError, match="is no model written by"):
        ImageNetSurrogate(str(path))
    with pytest.raises(DynasError, match="no model at"):
        ImageNetSurrogate(str(tmp_path / "none.json"))


def test_a_search_says_everywhere_that_top1_is_modelled(tmp_path: Path) -> None:
    done = dynas("search", *CHEAP, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    note = "top1 is a model's estimate fitted to 1,062 measured sub-networks"
    assert "top1 [%, modelled]" in done.stdout
    assert note in done.stdout
    assert "predictors: top1" in done.stdout, "top-1 is predicted inside LINAS"
    assert "latency MAPE" not in done.stdout, "the table is exact"
    rows = read_rows(tmp_path / "run")
    assert len(rows) == 60
    assert all(70 < float(row["top1 [%, modelled]"]) < 78 and row["error"] == "" for row in rows)
    assert all(17 < float(row["latency [ms, table]"]) < 93 for row in rows)
    run = load_run(tmp_path / "run")
    assert [objective.exact for objective in run.objectives] == [False, True]
    assert run.facts["notes"][0].startswith(note)
    assert {"data_sha256", "hardware_sha256"} <= run.facts.keys()
    assert dynas("report", "run", cwd=tmp_path).returncode == 0


def test_predictors_have_something_to_learn(data: ImageNetSurrogate, supernet: MobileNetV3Supernet) -> None:
    """A purely additive landscape would make the linear predictor perfect."""
    space = supernet.space
    genotypes = space.sample(600, np.random.default_rng(3))
    values, features = top1(data, supernet, genotypes), space.one_hot(genotypes)
    weights = np.linalg.lstsq(features[:400], values[:400], rcond=None)[0]
    errors = quality("top1", values[400:], features[400:] @ weights)
    assert 0.7 < errors.kendall_tau < 0.97


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "data=imagenet_surrogate"), "holds no images"),
        (("train", "data=imagenet_surrogate", "supernet=resnet50"), "OFA-MobileNetV3 only"),
        (("search", "data=imagenet_surrogate", "supernet=resnet50"), "OFA-MobileNetV3 only"),
        (("search", "data=imagenet_surrogate", "supernet.width=1.2"), "width 1.0 and 224x224 pixels only"),
        (
            ("search", "hardware=note10", "supernet=bootstrap_resnet50"),
            "does not describe its blocks to a latency table",
        ),
        (("search", "hardware=note10"), "lacks the block stem 28x56x1"),
    ],
)
def test_combinations_that_cannot_work_get_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = dynas(*arguments, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
