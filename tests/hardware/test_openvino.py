from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dynas import DynasError, search_supernet
from dynas.commands.export import main as export
from dynas.core.bench import Bench
from dynas.core.meter import Timing
from dynas.core.metric import MeasuredMetric, Reading
from dynas.data.fashion_mnist import FashionMNIST
from dynas.data.imagenet_surrogate import ImageNetSurrogate
from dynas.data.sentiment import sentiment
from dynas.export.calibration import first_samples
from dynas.export.formats import FORMATS
from dynas.export.openvino_ir import convert, quantise
from dynas.hardware.latency import CpuMeter
from dynas.hardware.openvino import OpenVinoMeter
from dynas.hardware.openvino_model import CompiledNetwork
from dynas.metrics.accuracy import Top1, top1
from dynas.metrics.calibration import recalibrated
from dynas.metrics.latency import Latency as LatencyMetric
from dynas.metrics.measurer import Measurer
from dynas.metrics.size import Size, weight_bytes
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.supernets.proxyless import ProxylessSupernet
from dynas.supernets.resnet50 import ResNet50Supernet
from tests.helpers.cli import ROOT, dynas, killed, read_rows
from tests.helpers.supernets import narrow_bert

pytestmark = pytest.mark.slow

SHAPE = ("embedded", 0.125, (28, 56), 1, 100, 2)
SUPERNETS: dict[str, Any] = {
    "mbv3": lambda **more: MobileNetV3Supernet(*SHAPE, (2, 1, 2, 1, 2), **more),
    "proxyless": lambda **more: ProxylessSupernet(*SHAPE, (2, 1, 2, 1, 2, 1), **more),
    "resnet50": lambda **more: ResNet50Supernet(*SHAPE, (1, 2, 2, 2), 1, **more),
}
JOINT = {"precision_choices": ["fp32", "int8"]}


def meter(calibration_images: int = 16, threads: int = 1, batch_size: int = 4) -> OpenVinoMeter:
    return OpenVinoMeter(threads, batch_size, 1, 3, 6, 0.1, calibration_images, bias_correction=False)


@pytest.fixture(scope="module")
def data() -> FashionMNIST:
    return FashionMNIST("embedded", 2, 500, 100)


@pytest.fixture(scope="module", params=SUPERNETS)
def supernet(request: pytest.FixtureRequest) -> Any:
    return SUPERNETS[request.param]()


def smallest(supernet: Any) -> nn.Module:
    subnet: nn.Module = supernet.subnet(supernet.space.decode(supernet.space.smallest()))
    return subnet


class Deployed:
    """The smallest sub-network in torch, re-calibrated, and in OpenVINO in both precisions."""

    def __init__(self, supernet: Any, data: FashionMNIST) -> None:
        self.torch = recalibrated(smallest(supernet), data)
        self.fp32, self.int8 = (
            meter(64).deploy(smallest(supernet), Bench(supernet, data, meter(64), precision=precision))
            for precision in ("fp32", "int8")
        )


@pytest.fixture(scope="module")
def deployed(supernet: Any, data: FashionMNIST) -> Deployed:
    return Deployed(supernet, data)


def runtime_types(network: nn.Module, inputs: Tensor) -> Counter[str]:
    """Count the number types that the compiled model computes with, in all layers with weights."""
    assert isinstance(network, CompiledNetwork)
    network(inputs)
    layers = [node.get_rt_info() for node in network.compiled((tuple(inputs.shape),)).get_runtime_model().get_ops()]
    kinds = ("Convolution", "FullyConnected", "MatMul")
    return Counter(layer["runtimePrecision"].value for layer in layers if layer["layerType"].value in kinds)


def operations(network: nn.Module) -> Counter[str]:
    assert isinstance(network, CompiledNetwork)
    return Counter(node.get_type_name() for node in network.model.get_ops())


def test_fp32_computes_what_torch_computes(deployed: Deployed, data: FashionMNIST) -> None:
    for images, _ in data.validation_batches():
        with torch.inference_mode():
            expected, given = deployed.torch(images), deployed.fp32(images)
        assert torch.allclose(given, expected, rtol=0, atol=1e-4 * float(expected.abs().max()))
    assert top1(deployed.fp32, data.validation_batches()) == top1(deployed.torch, data.validation_batches())
    assert set(runtime_types(deployed.fp32, images)) == {"f32"}, "neither bfloat16 nor integers"
    assert "FakeQuantize" not in operations(deployed.fp32)


def test_int8_computes_with_integers_and_is_nearly_as_accurate(deployed: Deployed, data: FashionMNIST) -> None:
    images, _ = next(data.validation_batches())
    types = runtime_types(deployed.int8, images)
    assert types["i8"] + types["u8"] > 0.5 * types.total(), types
    assert operations(deployed.int8)["FakeQuantize"] > 20
    with torch.inference_mode():
        fp32, int8 = deployed.fp32(images), deployed.int8(images)
    assert not torch.allclose(fp32, int8, atol=1e-3), "the answers of another model"
    lost = top1(deployed.fp32, data.validation_batches()) - top1(deployed.int8, data.validation_batches())
    assert lost < 4


def test_int8_weights_take_a_byte_each(supernet: Any, deployed: Deployed) -> None:
    parameters = sum(tensor.nbytes for tensor in deployed.torch.parameters())
    assert 0.8 < weight_bytes(deployed.fp32) / parameters <= 1.01, "batch norm is folded into convolutions"
    shrinks = weight_bytes(deployed.fp32) / weight_bytes(deployed.int8)
    # scales per channel weigh in such narrow networks, and squeeze-and-excitation stays as it is
    least = {"mbv3": 2.0, "proxyless": 2.3, "resnet50": 3.0}[supernet.name]
    assert least < shrinks < 4


def test_weights_of_a_wide_network_shrink_by_four() -> None:
    network = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 256, 3), nn.ReLU(), nn.Conv2d(256, 256, 3))
    images = torch.randn(8, 3, 12, 12)
    fp32 = convert(network.eval(), (images[:1],))
    sizes = [CompiledNetwork(model, {}).weight_bytes for model in (fp32, quantise(fp32, [(images,)], False))]
    assert sizes[0] == pytest.approx(sum(tensor.nbytes for tensor in network.parameters()), rel=1e-3)
    assert sizes[0] / sizes[1] == pytest.approx(4, rel=0.03)


def test_torch_modules_are_counted_with_their_buffers(supernet: Any) -> None:
    subnet = smallest(supernet)
    assert weight_bytes(subnet) == sum(tensor.nbytes for tensor in subnet.state_dict().values())


class Seen(MeasuredMetric):
    """Keeps the modules that it measures, and answers with their number of operations."""

    def __init__(self) -> None:
        self.modules: list[nn.Module] = []

    def measure(self, subnets: Sequence[nn.Module], bench: Bench) -> list[Reading]:
        self.modules += subnets
        return Size().measure(subnets, bench)


class SeenMeter(OpenVinoMeter):
    """Keeps the modules that it times."""

    timed: Sequence[nn.Module] = ()

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
        self.timed = modules
        return super().__call__(modules, inputs)


@pytest.fixture(scope="module")
def joint() -> ResNet50Supernet:
    supernet: ResNet50Supernet = SUPERNETS["resnet50"](**JOINT, resolutions=[20, 28])
    return supernet


def test_all_metrics_measure_one_model_in_its_own_precision_and_size(
    joint: ResNet50Supernet, data: FashionMNIST
) -> None:
    genotypes = np.zeros((3, joint.space.n_genes), dtype=np.int64)
    genotypes[:, -2:] = [[0, 0], [0, 1], [1, 1]]  # small in FP32, small in INT8, larger images in INT8
    seen, timer = Seen(), SeenMeter(1, 4, 1, 3, 6, 0.1, 16, False)
    metrics = {"top1": Top1(), "latency": LatencyMetric(), "size": Size(), "seen": seen}
    bench = Measurer(Bench(joint, data, timer), metrics)
    bench.check()
    measured = list(bench.measure(genotypes))
    assert [row.error for row in measured] == ["", "", ""]
    assert list(timer.timed) == seen.modules, "what is timed is what is judged"
    assert ["FakeQuantize" in operations(module) for module in seen.modules] == [False, True, True]
    inputs = [joint.example_inputs(4, module)[0] for module in seen.modules]
    assert [tuple(one.shape[2:]) for one in inputs] == [(20, 40), (20, 40), (28, 56)]
    types = [runtime_types(*pair) for pair in zip(seen.modules, inputs, strict=True)]
    assert [one["i8"] + one["u8"] > 0 for one in types] == [False, True, True]
    sizes = [row.values[2] for row in measured]
    assert sizes[1] == pytest.approx(sizes[2], rel=0.01)
    assert sizes[0] > 3 * sizes[1]
    for module, row in zip(seen.modules, measured, strict=True):
        own = data.at(module.resolution)  # type: ignore[arg-type]
        assert row.values[0] == top1(module, own.validation_batches())


@pytest.mark.parametrize("resolutions", [None, [20, 28]])
@pytest.mark.parametrize("family", SUPERNETS)
def test_precision_is_one_more_gene_that_costs_nothing(family: str, resolutions: list[int] | None) -> None:
    plain, joint = (SUPERNETS[family](resolutions=resolutions, **more) for more in ({}, JOINT))
    assert joint.space.size == 2 * plain.space.size
    assert joint.space.variables[-1].name == "p"
    genotypes = plain.space.sample(20, np.random.default_rng(0))
    for option in (0, 1):
        longer = np.append(genotypes, np.full((20, 1), option), axis=1)
        assert (joint.macs(longer) == plain.macs(genotypes)).all()
        assert (joint.params(longer) == plain.params(genotypes)).all()
    assert joint.subnet(joint.space.decode(joint.space.largest())).precision == "int8"


@pytest.mark.parametrize("choices", [["fp32"], ["fp32", "int4"], ["int8", "int8"], "int8", []])
def test_precisions_that_make_no_sense_are_refused(choices: Any) -> None:
    with pytest.raises(DynasError, match=r"supernet\.precision_choices=.*give \[fp32,int8\], or null"):
        SUPERNETS["mbv3"](precision_choices=choices)


def test_the_calibration_images_are_the_first_ones_and_always_the_same(data: FashionMNIST) -> None:
    ((images,),) = meter(40).calibration(data)
    assert torch.equal(images, data.calibration[:40])


def test_calibration_samples_are_joined_where_their_shapes_allow_it() -> None:
    batches = [(torch.full((3, width), number), torch.ones(3, width)) for number, width in enumerate((4, 4, 5, 5))]
    taken = first_samples(batches, 10)
    assert [[tuple(one.shape) for one in batch] for batch in taken] == [[(6, 4)] * 2, [(4, 5)] * 2]
    assert taken[1][0][:, 0].tolist() == [2, 2, 2, 3]
    assert sum(len(batch[0]) for batch in first_samples(batches, 99)) == 12


def test_networks_of_texts_are_quantised_on_texts() -> None:
    texts = sentiment(64, "embedded", 20, 0)
    supernet = narrow_bert(seed=4, vocabulary=texts.vocabulary, classes=2)
    bench = Bench(supernet, texts, meter(), precision="int8")
    Measurer(bench).check()
    subnet = supernet.subnet(supernet.space.decode(supernet.space.largest()))
    quantised, plain = meter().deploy(subnet, bench), meter().deploy(subnet, replace(bench, precision="fp32"))
    assert operations(quantised)["FakeQuantize"] > operations(plain)["FakeQuantize"] == 0
    pieces, mask, _ = next(texts.validation_batches())
    with torch.inference_mode():
        exact, near = plain(pieces, mask), quantised(pieces, mask)
    assert 0 < float((exact - near).abs().max()) < 0.2 * float(exact.abs().max())


def test_a_calibration_set_that_is_smaller_than_asked_is_refused(data: FashionMNIST) -> None:
    bench = Measurer(Bench(SUPERNETS["mbv3"](), data, meter(101), precision="int8"))
    with pytest.raises(DynasError, match="calibration_images=101, but the data have 100 samples"):
        bench.check()
    Measurer(Bench(SUPERNETS["mbv3"](), data, meter(101))).check()  # FP32 needs none
    with pytest.raises(DynasError, match="calibration_images=0: give 1 or more"):
        meter(0)


def test_a_missing_package_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("dynas.hardware.runtime.find_spec", lambda name: None if name == "nncf" else found(name))
    with pytest.raises(DynasError, match=r"hardware=openvino needs nncf: .*pip install 'nncf>="):
        Measurer(Bench(SUPERNETS["mbv3"](), FashionMNIST("embedded", 2, 10, 64), meter())).check()


def test_eager_hardware_refuses_integers(data: FashionMNIST) -> None:
    eager = CpuMeter(1, 1, 0, 2, 2, 1.0)
    for supernet, precision in ((SUPERNETS["mbv3"](), "int8"), (SUPERNETS["mbv3"](**JOINT), "fp32")):
        bench = Measurer(Bench(supernet, data, eager, precision=precision))
        with pytest.raises(DynasError, match="computes in fp32 only, not in int8: choose hardware=openvino"):
            bench.check()


def test_modelled_accuracy_goes_with_a_measured_latency_in_fp32_only() -> None:
    supernet, modelled = SUPERNETS["mbv3"](), ImageNetSurrogate("embedded")
    (measured,) = Measurer(Bench(supernet, modelled, meter()), {"latency": LatencyMetric()}).measure(
        supernet.space.smallest()[None]
    )
    assert measured.values[0] > 0
    with pytest.raises(DynasError, match="holds no images"):
        Measurer(Bench(supernet, modelled, meter(), precision="int8")).check()


SILENT = """
import sys
calls = []
sys.addaudithook(lambda event, _: calls.append(event) if event.startswith(("socket.", "urllib.")) else None)
from dynas.core.bench import Bench
from dynas.data.fashion_mnist import FashionMNIST
from dynas.hardware.latency import CpuMeter
from dynas.metrics.measurer import Measurer
from dynas.metrics.size import Size
from dynas.supernets.mbv3 import MobileNetV3Supernet

supernet = MobileNetV3Supernet("embedded", 0.125, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2))
data, genotype = FashionMNIST("embedded", 2, 100, 40), supernet.space.smallest()[None]
(fp32,) = Measurer(Bench(supernet, data, CpuMeter(1, 1, 0, 2, 2, 1.0)), {"size": Size()}).measure(genotype)
assert not {"openvino", "nncf"} & set(sys.modules), "the default imports neither"
from dynas.hardware.openvino import OpenVinoMeter

meter = OpenVinoMeter(1, 1, 0, 2, 2, 1.0, 16, True)
assert not {"openvino", "nncf"} & set(sys.modules), "nor does looking for them"
(int8,) = Measurer(Bench(supernet, data, meter, precision="int8"), {"size": Size()}).measure(genotype)
assert int8.values[0] < fp32.values[0]
assert {"openvino", "nncf"} <= set(sys.modules)
assert calls == [], calls
"""


def test_quantisation_says_nothing_to_the_screen_the_network_or_the_home_folder(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SILENT], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


SMALL = (
    *("objectives=[top1,size]", "budget=10", "mode.population=5", "algo.population=5", "hydra.run.dir=run"),
    *("mode.predicted_evaluations=200", "data.validation_size=200", "data.calibration_size=64"),
)


@pytest.fixture(scope="module")
def joint_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search over both precisions that was killed and went on."""
    folder = tmp_path_factory.mktemp("joint")
    arguments = (
        "search",
        "supernet=resnet50",
        "hardware=openvino",
        "supernet.precision_choices=[fp32,int8]",
        "mode.start=uniform",
        *SMALL,
    )
    killed(*arguments, cwd=folder, once=folder / "run" / "run.json")
    before = read_rows(folder / "run")
    done = dynas("search", "resume=run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert read_rows(folder / "run")[: len(before)] == before
    return folder / "run"


def chosen(row: dict[str, str]) -> str:
    precision: str = json.loads(row["architecture"])["p"]
    return precision


def test_one_search_compares_both_precisions(joint_run: Path) -> None:
    rows = read_rows(joint_run)
    assert len({row["key"] for row in rows}) == len(rows) == 10
    sizes = {one: [float(row["size [MB]"]) for row in rows if chosen(row) == one] for one in ("fp32", "int8")}
    assert min(map(len, sizes.values())) > 0
    assert np.mean(sizes["fp32"]) > 2 * np.mean(sizes["int8"])
    smallest_row = min(rows, key=lambda row: float(row["size [MB]"]))
    assert chosen(smallest_row) == "int8"
    assert smallest_row["key"] in (joint_run / "front.csv").read_text()


def test_an_export_says_what_its_row_was_measured_in(joint_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for precision in ("fp32", "int8"):
        row = next(row for row in read_rows(joint_run) if chosen(row) == precision)
        folder = joint_run / precision
        assert export([str(joint_run), "--row", row["index"], "--formats", "pytorch", "--to", str(folder)]) == 0
        assert ("measured in int8, but not written so: quality and cost of pytorch are" in capsys.readouterr().out) == (
            precision == "int8"
        )
        facts = json.loads((folder / "export.json").read_text())
        assert facts["precision"] == {"measured": precision}
        assert facts["formats"]["pytorch"]["precision"] == "fp32"


def test_a_row_that_was_measured_in_int8_is_exported_as_it_was_measured(joint_run: Path, tmp_path: Path) -> None:
    row = next(row for row in read_rows(joint_run) if chosen(row) == "int8")
    assert export([str(joint_run), "--row", row["index"], "--to", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"model_int8.xml", "model_int8.bin", "export.json"}
    form = json.loads((tmp_path / "export.json").read_text())["formats"]["openvino_int8"]
    assert form["quality"]["measured"] == float(row["top1 [%]"])
    assert form["quality"]["value"] == pytest.approx(float(row["top1 [%]"]), abs=0.51), "of 200 images, one may turn"
    assert form["calibration_samples"] == 64
    answer = FORMATS["openvino_int8"].load(tmp_path)
    images, labels = FashionMNIST("embedded", 2, 200, 64).validation
    share = 100 * float((answer((images,))[0].argmax(1) == labels).float().mean())
    assert share == pytest.approx(form["quality"]["value"])


def test_a_search_in_python_code_is_exported_as_it_was_measured(tmp_path: Path) -> None:
    data = ("fashion_mnist", {"validation_size": 100, "calibration_size": 40})
    hardware = ("openvino", {"calibration_images": 20})
    given: dict[str, Any] = {"hardware": hardware, "precision": "int8", "mode": "validation", "algo": "random"}
    found = search_supernet("resnet50", ["top1", "size"], data, budget=2, folder=tmp_path / "run", **given)
    assert export([str(tmp_path / "run"), "--best", "top1", "--to", str(tmp_path / "to")]) == 0
    (form,) = json.loads((tmp_path / "to" / "export.json").read_text())["formats"].values()
    assert form["quality"]["measured"] == found.best("top1").values["top1"]
    assert form["calibration_samples"] == 20
    assert form["matches"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["precision=int8", "hardware=cpu"], "computes in fp32 only, not in int8: choose hardware=openvino"),
        (["precision=int8", "hardware=note10", "data=imagenet_surrogate"], "fp32 only, not in int8"),
        (["precision=int8", "supernet=transformer"], "hardware=openvino runs networks of a single forward pass, not"),
        (["precision=int8", "supernet=ncf"], "int8 quantises networks of images and of texts only, not 'ncf'"),
        (["precision=int8", "hardware.calibration_images=65", *SMALL], "have 64 samples to calibrate on"),
    ],
)
def test_what_cannot_be_quantised_is_told_in_one_sentence(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = dynas("search", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
