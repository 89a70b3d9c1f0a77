"""``dynas export``: the files compute what was measured, wherever they are loaded."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dynas.commands.export import main as export
from dynas.data.fashion_mnist import FashionMNIST
from dynas.errors import DynasError
from dynas.export import onnx, pytorch, torch_export
from dynas.export.formats import FORMATS
from dynas.export.network import Network
from dynas.export.write import write
from dynas.supernets.mbv3 import MobileNetV3Supernet
from tests.helpers.cli import ROOT, dynas, read_rows

pytestmark = pytest.mark.slow

DATA = ("data.validation_size=300", "data.calibration_size=100")
MEASURED = ("objectives=[top1,macs]", *DATA, "hydra.run.dir=run")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the smallest and of another sub-network."""
    cwd = tmp_path_factory.mktemp("export")
    other = {"ks": [7] * 20, "e": [3] * 20, "d": [2, 2, 2, 2, 3]}
    (cwd / "other.json").write_text(json.dumps(other))
    done = dynas("evaluate", "architectures=[smallest,other.json]", *MEASURED, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return cwd / "run"


@pytest.fixture(scope="module")
def exported(run: Path) -> tuple[Path, str]:
    """The folder of an export in every format, and what was printed."""
    done = dynas("export", str(run), "--row", "2", "--formats", "all", cwd=run.parent)
    assert done.returncode == 0, done.stderr
    return run / "export_row2", done.stdout


@pytest.fixture(scope="module")
def images() -> tuple[Tensor, Tensor]:
    """The images and labels that accuracy was measured on."""
    return FashionMNIST("embedded", 2, 300, 100).validation


def top1(logits: Tensor, labels: Tensor) -> float:
    return 100.0 * int((logits.argmax(1) == labels).sum()) / len(labels)


def python(code: str, cwd: Path, **environment: str) -> str:
    """Run code in a fresh process that sees nothing of ours unless told, and return what it prints."""
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=clean | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_record_says_what_was_exported_and_that_it_agrees(run: Path, exported: tuple[Path, str]) -> None:
    folder, printed = exported
    record, row = json.loads((folder / "export.json").read_text()), read_rows(run)[1]
    assert {path.name for path in folder.iterdir()} == {
        "model.safetensors", "load.py", "model.pt2", "model.onnx", "model.xml", "model.bin", "model_int8.xml",
        "model_int8.bin", "model_int8.onnx", "export.json",
    }  # fmt: skip
    assert (record["index"], record["key"]) == (2, row["key"])
    assert record["architecture"] == json.loads(row["architecture"])
    assert record["measured"] == {"top1 [%]": float(row["top1 [%]"]), "macs [MAC]": float(row["macs [MAC]"])}
    assert record["inputs"] == [{"shape": ["batch", 1, 28, 56], "dtype": "float32"}]
    assert record["normalisation"]["mean"] == [0.286]
    facts = json.loads((run / "run.json").read_text())
    assert all(record[name] == facts[name] for name in ("weights_sha256", "data_sha256"))
    assert list(record["formats"]) == [name for name, form in FORMATS.items() if not form.TASK]
    for name, form in record["formats"].items():
        assert form["matches"]
        assert form["precision"] == ("int8" if name.endswith("int8") else "fp32")
        assert form["max_relative_difference"] <= (1 if name.endswith("int8") else 1e-4)
        assert form["quality"]["network"] == pytest.approx(float(row["top1 [%]"]))
        assert form["quality"]["samples"] == 300
        assert name in printed
        for file, digest in form["files"].items():
            assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
            assert str(folder / file) in printed
    assert "float32 (batch, 1, 28, 56)" in printed
    assert "left out: gguf is for networks of language modelling" in printed


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.PRECISION == "int8"])
def test_a_quantised_file_is_as_good_as_its_record_says_and_nearly_as_good_as_the_network(
    name: str, run: Path, exported: tuple[Path, str], images: tuple[Tensor, Tensor]
) -> None:
    (logits,) = FORMATS[name].load(exported[0])((images[0],))
    said = json.loads((exported[0] / "export.json").read_text())["formats"][name]["quality"]
    assert top1(logits, images[1]) == pytest.approx(said["value"], abs=0.4), "one image in 300 may turn"
    assert abs(said["lost"]) < 4
    assert said["lost"] == pytest.approx(said["network"] - said["value"])


@pytest.mark.parametrize("form", [pytorch, torch_export, onnx, FORMATS["openvino"]], ids=lambda form: form.FILES[0])
def test_the_exported_network_has_the_measured_accuracy(
    form: Any, run: Path, exported: tuple[Path, str], images: tuple[Tensor, Tensor]
) -> None:
    inputs, labels = images
    (logits,) = form.load(exported[0])((inputs,))
    assert top1(logits, labels) == pytest.approx(float(read_rows(run)[1]["top1 [%]"]), abs=1e-9)


def test_the_loader_works_in_a_fresh_process(exported: tuple[Path, str], images: tuple[Tensor, Tensor]) -> None:
    folder, _ = exported
    code = (
        "import torch; from load import load; network = load(); assert not network.training; "
        "print(network(torch.ones(2, 1, 28, 56)).double().sum().item())"
    )
    (expected,) = torch_export.load(folder)((torch.ones(2, 1, 28, 56),))
    assert float(python(code, folder, PYTHONPATH=str(ROOT))) == pytest.approx(expected.double().sum().item(), rel=1e-5)


def test_programs_need_neither_dynas_nor_its_weights(exported: tuple[Path, str], tmp_path: Path) -> None:
    for path in exported[0].glob("model*.*"):
        shutil.copy(path, tmp_path)
    code = (
        "import sys; sys.modules['dynas'] = None\n"
        "import torch, onnxruntime, openvino\n"
        "images = torch.ones(7, 1, 28, 56)\n"
        "ours = torch.export.load('model.pt2').module()(images)\n"
        "session = onnxruntime.InferenceSession('model.onnx')\n"
        "assert session.get_inputs()[0].shape == ['batch', 1, 28, 56], session.get_inputs()[0].shape\n"
        "theirs = torch.from_numpy(session.run(['output'], {session.get_inputs()[0].name: images.numpy()})[0])\n"
        "assert onnxruntime.InferenceSession('model_int8.onnx').get_inputs()[0].shape[0] == 'batch'\n"
        "ir, ir8 = (openvino.compile_model(f'{name}.xml', 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})"
        " for name in ('model', 'model_int8'))\n"
        "assert ir8(images.numpy())[0].shape == (7, 100)\n"
        "assert torch.allclose(ours, torch.from_numpy(ir(images.numpy())[0]), atol=1e-3)\n"
        "print(ours.shape == (7, 100) and torch.allclose(ours, theirs, atol=1e-3))"
    )
    assert python(code, tmp_path).strip() == "True"


def test_the_best_row_is_exported_for_one_batch_size_only(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    arguments = ["--best", "top1", "--batch", "3", "--formats", "torch_export,onnx", "--to", str(folder)]
    assert export([str(run), *arguments]) == 0
    record = json.loads((folder / "export.json").read_text())
    best = max(read_rows(run), key=lambda row: float(row["top1 [%]"]))
    assert record["key"] == best["key"]
    assert record["inputs"][0]["shape"] == [3, 1, 28, 56]
    for form in (torch_export, onnx):
        answer = form.load(folder)
        assert answer((torch.ones(3, 1, 28, 56),))[0].shape == (3, 100)
        with pytest.raises(Exception, match=r"(?i)shape|dimension|size"):
            answer((torch.ones(2, 1, 28, 56),))


def test_without_a_row_the_front_is_shown(run: Path, tmp_path: Path) -> None:
    shown = dynas("export", str(run), cwd=tmp_path)
    assert shown.returncode == 1
    assert "front: " in shown.stdout
    assert shown.stderr.startswith("dynas: choose a row: ")
    assert len(shown.stderr.strip().splitlines()) == 1


def copied(run: Path, folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Return a copy of a run with changed facts."""
    shutil.copytree(run, folder, ignore=shutil.ignore_patterns("export*", ".hydra"))
    facts = json.loads((folder / "run.json").read_text())
    change(facts)
    (folder / "run.json").write_text(json.dumps(facts))
    return folder


TAMPERED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "weights": (lambda facts: facts.update(weights_sha256="0" * 64), r"the weights are not those that '.*' was"),
    "data": (lambda facts: facts.update(data_sha256="0" * 64), r"the data are not those that '.*' was"),
    "code": (lambda facts: facts["overrides"].append("supernet._target_=os.abort"), "not taken over unseen"),
    "hydra": (lambda facts: facts["overrides"].append("hydra.searchpath=[/tmp]"), "not taken over unseen"),
    "added": (lambda facts: facts["overrides"].append("+supernet.evil=1"), "not taken over unseen"),
    "config": (
        lambda facts: facts["config"]["data"].update(calibration_size=99),
        r"data\.calibration_size=99 but its overrides now give 100",
    ),
    "option": (lambda facts: facts["overrides"].append("supernet=gone"), r"unknown supernet 'gone'.*--config-dir"),
    "no overrides": (lambda facts: facts.pop("overrides"), "does not say which overrides"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_a_run_that_is_not_what_it_was_is_refused(what: str, run: Path, tmp_path: Path) -> None:
    change, message = TAMPERED[what]
    folder = copied(run, tmp_path / "copy", change)
    with pytest.raises(DynasError, match=message) as refused:
        export([str(folder), "--row", "1"])
    assert "\n" not in str(refused.value)
    assert not (folder / "export_row1").exists()


def test_what_a_killed_export_left_is_written_anew_and_nothing_else(
    run: Path, exported: tuple[Path, str], tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    shutil.copytree(exported[0], folder)
    arguments = [str(run), "--row", "2", "--formats", "pytorch", "--to", str(folder)]
    record = folder / "export.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"finished": False}))
    (tmp_path / "elsewhere").write_text("mine")
    (folder / "model.pt2").unlink()
    (folder / "model.pt2").symlink_to(tmp_path / "elsewhere")
    (folder / f"export.json.{'0' * 16}.partial").write_text("{")
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(DynasError, match="is not empty"):
        export(arguments)
    (folder / "notes.txt").unlink()
    assert export(arguments) == 0
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "load.py", "export.json"}
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1
    assert (tmp_path / "elsewhere").read_text() == "mine"
    with pytest.raises(DynasError, match="is not empty"):
        export(arguments)


REFUSED = [
    (["--row", "9"], "has no row 9: give a row from 1 to 2"),
    (["--best", "latency"], "unknown objective 'latency': choose one of macs, top1"),
    (
        ["--row", "1", "--formats", "tflite"],
        f"unknown format 'tflite': choose one of {', '.join(sorted(['all', *FORMATS]))}",
    ),
    (["--row", "1", "--formats", "gguf"], "gguf is for networks of language modelling, not for 'mbv3'"),
    (["--row", "1", "--formats", "all,onnx"], "'all' stands by itself"),
    (["--row", "1", "--batch", "0"], "--batch 0: give 1 or more"),
    (["--row", "1", "--config-dir", "/nowhere"], "--config-dir /nowhere: there is no such folder"),
    (["--row", "1", "--to", "{run}"], "is not empty: choose another folder by --to"),
    (["--row", "1", "--to", "{run}/run.json/below"], "cannot write to"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(arguments) for arguments, _ in REFUSED])
def test_what_makes_no_sense_is_refused(arguments: list[str], message: str, run: Path) -> None:
    with pytest.raises(DynasError) as refused:
        export([str(run), *(argument.format(run=run) for argument in arguments)])
    assert message in str(refused.value)


def test_a_row_that_was_not_measured_is_refused(run: Path, tmp_path: Path) -> None:
    folder = copied(run, tmp_path / "copy", lambda facts: None)
    rows = read_rows(folder)
    rows[0] |= {"top1 [%]": "", "error": "out of memory"}
    with (folder / "results.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(DynasError, match=r"row 1 of .* was not measured: out of memory"):
        export([str(folder), "--row", "1"])


def test_without_its_packages_a_format_is_left_out_and_refused_when_asked_for(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("onnxruntime", "nncf"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    with pytest.raises(DynasError, match=r"onnx needs onnxruntime: .*pip install .*'onnxruntime>="):
        export([str(run), "--row", "1", "--formats", "onnx"])
    with pytest.raises(DynasError, match=r"openvino_int8 needs nncf: .*pip install .*'openvino>="):
        export([str(run), "--row", "1", "--formats", "openvino_int8"])
    assert not (run / "export_row1").exists()
    for given, count in (([], 2), (["--formats", "all"], 8)):
        folder = tmp_path / f"to{count}"
        assert export([str(run), "--row", "1", "--to", str(folder), *given]) == 0
        printed = capsys.readouterr().out
        assert "left out: onnx needs onnxruntime: " in printed
        assert printed.count("left out: ") == count
        assert list(json.loads((folder / "export.json").read_text())["formats"]) == ["pytorch", "torch_export"]


class OneModule:
    """A supernet of a single network that takes two numbers a sample."""

    lengths = None

    def __init__(self, forward: Callable[[Tensor], Tensor]) -> None:
        self.forward = forward

    def example_inputs(self, batch_size: int, subnet: torch.nn.Module | None = None) -> tuple[Tensor]:
        return (torch.ones(batch_size, 2),)

    def network(self, batch_size: int | None = None) -> Network:
        module = torch.nn.Module()
        module.forward = self.forward  # type: ignore[method-assign]
        return Network(module.eval(), self, {}, {"supernet": {}}, batch_size)  # type: ignore[arg-type]


REFUSING: dict[str, tuple[Callable[[Tensor], Tensor], int | None, str]] = {
    "branches on values": (lambda x: x if x.sum() > 0 else -x, 1, "torch.export refuses the network"),
    "knows its batch size": (lambda x: x.reshape(2, 2), None, "one batch size only is exported by --batch N"),
}


@pytest.mark.parametrize("what", REFUSING)
def test_a_network_that_cannot_be_traced_is_refused_in_one_sentence(what: str, tmp_path: Path) -> None:
    forward, batch_size, message = REFUSING[what]
    with pytest.raises(DynasError) as refused:
        write(OneModule(forward).network(batch_size), ["torch_export"], tmp_path / "to", {})
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_outputs_of_any_structure_are_compared(tmp_path: Path) -> None:
    network = OneModule(lambda x: {"twice": 2 * x, "more": (x + 1, [x.sum(1)])}).network()  # type: ignore[arg-type,return-value]
    written = write(network, ["torch_export", "onnx"], tmp_path / "to", {})
    assert [one.difference for one in written] == [0.0, 0.0]


def test_what_cannot_be_expressed_is_left_out_where_nobody_named_it(tmp_path: Path) -> None:
    network = OneModule(lambda x: torch.linalg.matrix_exp(x[:, :, None] * x[:, None])).network()
    reasons: dict[str, str] = {}
    written = write(network, ["torch_export", "onnx"], tmp_path / "to", {}, reasons.__setitem__)
    assert [one.name for one in written] == ["torch_export"]
    assert reasons["onnx"].startswith("onnx cannot express this network")
    record = json.loads((tmp_path / "to" / "export.json").read_text())
    assert (record["finished"], list(record["formats"])) == (True, ["torch_export"])
    with pytest.raises(DynasError, match="onnx cannot express this network"):
        write(network, ["torch_export", "onnx"], tmp_path / "named", {})


HIDDEN = """
import torch
from torch import nn

import mine


class Scaled(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.scale = 1 + float(torch.rand(()))  # kept nowhere: neither a parameter nor a buffer, nor seeded

    def forward(self, x):
        return self.scale * self.inner(x)


class Hidden(mine.Perceptrons):
    def subnet(self, architecture):
        torch.seed()
        return Scaled(super().subnet(architecture)).eval()
"""


def test_files_that_compute_something_else_are_marked_and_kept(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "tests" / "helpers" / "own", tmp_path / "own"))
    (folder / "hidden.py").write_text(HIDDEN)
    (folder / "configs" / "supernet" / "hidden.yaml").write_text("_target_: hidden.Hidden\n")
    own = ("--config-dir", "configs")
    measured = ("supernet=hidden", "objectives=[macs,params]", "architectures={width: [8, 16]}", "hydra.run.dir=run")
    done = dynas("evaluate", *own, *measured, cwd=folder)
    assert done.returncode == 0, done.stderr
    formats = ("--formats", "pytorch,torch_export", "--to", "to")
    done = dynas("export", "run", "--row", "1", *own, *formats, cwd=folder)
    assert done.returncode == 1
    assert "does NOT match" in done.stdout
    assert done.stderr.startswith("dynas: pytorch in 'to' must not be used")
    assert len(done.stderr.strip().splitlines()) == 1
    record = json.loads((folder / "to" / "export.json").read_text())["formats"]
    assert not record["pytorch"]["matches"]
    assert record["pytorch"]["max_relative_difference"] > 1e-4
    assert record["torch_export"]["matches"], "a traced program holds the number as a constant"
    assert (folder / "to" / "model.safetensors").exists()


def test_a_network_without_images_to_calibrate_on_is_refused(tmp_path: Path) -> None:
    landscape = ("data=imagenet_surrogate", "objectives=[macs,params]", "hydra.run.dir=run")
    done = dynas("evaluate", "architectures=smallest", *landscape, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with pytest.raises(DynasError, match=r"cannot be re-calibrated as for a measurement: .* holds no images"):
        export([str(tmp_path / "run"), "--row", "1"])


def test_the_calibrated_statistics_are_what_makes_the_difference(run: Path, images: tuple[Tensor, Tensor]) -> None:
    supernet = MobileNetV3Supernet("embedded", 0.125, [28, 56], 1, 100, 2, [2, 1, 2, 1, 2])
    row = read_rows(run)[1]
    raw = supernet.subnet(json.loads(row["architecture"]))
    with torch.inference_mode():
        assert top1(raw(images[0]), images[1]) < float(row["top1 [%]"]) - 2
