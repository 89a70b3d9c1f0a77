"""Damaged files of data, tables and weights: read, or refused in one sentence."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save
from scipy.io import savemat

from dynas import Objective, SearchSpace
from dynas.compose.sweeps import read_jobs, sweep_overrides
from dynas.data.imagenet_surrogate import EMBEDDED, ImageNetSurrogate
from dynas.data.images.idx import read_idx
from dynas.data.images.imagenet_labels import read_ground_truth, read_meta, read_solution
from dynas.data.images.tensor_cache import mapped
from dynas.data.images.transform import read_rgb
from dynas.data.ncf_files import ncf_files
from dynas.data.ratings import ratings
from dynas.data.text.dictionary import Dictionary
from dynas.data.text.fairseq_binary import LEGACY, MAPPED, read_sentences
from dynas.data.text.parallel_files import read_pairs
from dynas.data.text.subwords import SubwordCodes
from dynas.hardware.lut.build import ORIGIN, TableWriter
from dynas.hardware.lut.csv_table import COLUMNS
from dynas.hardware.lut.files import TABLES, read
from dynas.runs.architectures import read_architectures
from dynas.runs.examples import read_examples
from dynas.supernets.weights.load import copy_state
from dynas.supernets.weights.state import read_state
from tests.fuzz.mutations import accepted_or_refused, damaged, damaged_cells, damaged_tree, fuzz, written
from tests.helpers.training import small_training

pytestmark = pytest.mark.slow

OBJECTIVES = (Objective("top1", "max", "%"), Objective("latency", "min", "ms"))


def idx() -> bytes:
    return gzip.compress(struct.pack(">HBB2I", 0, 8, 2, 4, 5) + bytes(range(20)), mtime=0)


def sentences(path: Path) -> Any:
    """Read an index whose numbers are fine."""
    path.with_suffix(".bin").write_bytes(np.arange(4, 16, dtype="<i4").tobytes())
    found = read_sentences(path.with_suffix(""), 100)
    return [found[index] for index in range(len(found))]


MAPPED_INDEX = MAPPED + struct.pack("<QBQ", 1, 4, 3) + struct.pack("<3i3q", 3, 4, 5, 0, 12, 28)
LEGACY_INDEX = LEGACY + struct.pack("<5Q", 1, 4, 4, 3, 3) + struct.pack("<11q", 0, 1, 2, 3, 0, 3, 7, 12, 3, 4, 5)


def npy() -> bytes:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2, 3), }"
    header += b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(24)


def image() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), dtype=np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def grey16() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8)).save(buffer, "TIFF")
    return buffer.getvalue()


def meta() -> bytes:
    buffer = io.BytesIO()
    rows = [(float(number), f"n0000000{number}", "some words", 0.0) for number in range(1, 4)]
    fields = [("ILSVRC2012_ID", object), ("WNID", object), ("words", object), ("num_children", object)]
    savemat(buffer, {"synsets": np.array(rows, dtype=fields).reshape(-1, 1)})
    return buffer.getvalue()


def checkpoint() -> bytes:
    buffer = io.BytesIO()
    torch.save({"state_dict": {"weight": torch.ones(2, 3), "bias": torch.ones(2)}}, buffer)
    return buffer.getvalue()


STATE = {"weight": torch.ones(2, 3), "bias": torch.ones(2)}


def wrapped_checkpoint() -> bytes:
    buffer = io.BytesIO()
    torch.save({"net": {f"module.{key}": value for key, value in STATE.items()}, "best": np.float64(1)}, buffer)
    return buffer.getvalue()


def load_into_linear(path: Path) -> None:
    copy_state(torch.nn.Linear(3, 2), read_state(path), path)


RATINGS = "user,item,rating,timestamp\n" + "".join(
    f"{user},{(9 * user + item) % 120},{3.5 if item % 2 else 4},{100 * user + item}\n"
    for user in range(16)
    for item in range(12)
)
RECBOLE = RATINGS.replace("user,item,rating,timestamp", "user_id:token,item_id:token,rating:float,timestamp:float")
RECBOLE = RECBOLE.replace(",", "\t")
TOLD = f"sep=;\n{RATINGS.replace(',', ';')}"
NOTE10 = "\n".join((TABLES / "note10.csv").read_text().splitlines()[:12]) + "\n"
OFA = yaml.safe_dump(
    {
        "Conv-input:224x224x3-output:112x112x24": {"count": 3, "mean": 7.5},
        "expanded_conv-input:56x56x32-output:28x28x48-expand:96-kernel:3-stride:2-idskip:0-se:1-hs:0": {"mean": 0.5},
        "Logits-input:1x1x1536-output:1000": {"mean": 1},
    }
)
SOLUTION = "ImageId,PredictionString\nILSVRC2012_val_1,n01 1 2 3 4\nILSVRC2012_val_2,n02 1 2 3 4\n"
CODES = "#version: 0.2\ne n\nt h</w>\nen </w>\n"
PAIRS = "a house\tein Haus\td1\nthe tree\tder Baum\td1\na dog\tein Hund\td2\n"

STAMPED = f"# a table\n{ORIGIN}{json.dumps({'threads': 1})}\n" + NOTE10[NOTE10.index(",".join(COLUMNS)) :]
MULTIRUN = yaml.safe_dump(
    {
        "hydra": {
            "job": {"name": "search"},
            "overrides": {"task": ["seed=1,2", "budget=4"], "hydra": ["hydra.mode=MULTIRUN"]},
        }
    }
)
JOBS = 'number,label,outcome\n0,0 (seed=1),done\n1,1 (seed=2),"budget=4: too small"\n'


def begun_table(path: Path) -> None:
    with TableWriter(path, {"threads": 1}, "a table"):
        pass


def trained() -> bytes:
    buffer = io.BytesIO()
    training = small_training()
    training.curve.append({"epoch": 1, "seconds": 2.5, "loss": 0.5})
    torch.save(training.state(), buffer)
    return buffer.getvalue()


def go_on_training(path: Path) -> None:
    small_training().restore(path)


BYTES: dict[str, tuple[str, bytes, Callable[[Path], Any]]] = {
    "idx": ("images.gz", idx(), read_idx),
    "fairseq mapped": ("s.idx", MAPPED_INDEX, sentences),
    "fairseq legacy": ("s.idx", LEGACY_INDEX, sentences),
    "cache": ("cache.npy", npy(), lambda path: mapped(path, (2, 2, 2, 3))),
    "image": ("image.jpg", image(), lambda path: read_rgb(str(path))),
    "checkpoint": ("weights.pt", checkpoint(), load_into_linear),
    "safetensors": ("weights.safetensors", save(STATE), load_into_linear),
    "compressed text": (
        "pairs.tsv.gz",
        gzip.compress(PAIRS.encode(), mtime=0),
        lambda path: read_pairs(str(path), None),
    ),
    "dictionary": ("dict.txt", b"the 30\nhouse 20\ntree 10\n", Dictionary.read),
    "subwords": ("codes.txt", CODES.encode(), lambda path: SubwordCodes.read(path).split(["then", "the"])),
    "ratings": ("ratings.csv", RATINGS.encode(), lambda path: ratings(str(path), k_core=1)),
    "pairs": ("pairs.tsv", PAIRS.encode(), lambda path: read_pairs(str(path), None)),
    "table": ("table.csv", NOTE10.encode(), read),
    "table of ofa": ("table.yaml", OFA.encode(), read),
    "solution": ("LOC_val_solution.csv", SOLUTION.encode(), read_solution),
    "meta": ("meta.mat", meta(), read_meta),
    "image of 16 bits": ("image.tif", grey16(), lambda path: read_rgb(str(path))),
    "wrapped checkpoint": ("weights.bin", wrapped_checkpoint(), load_into_linear),
    "safetensors of another name": ("weights.pth", save(STATE), load_into_linear),
    "text in xz": ("pairs.tsv.xz", lzma.compress(PAIRS.encode()), lambda path: read_pairs(str(path), None)),
    "text in bzip2": ("pairs.tsv", bz2.compress(PAIRS.encode()), lambda path: read_pairs(str(path), None)),
    "ratings of RecBole": ("ratings.inter", RECBOLE.encode(), lambda path: ratings(str(path), k_core=1)),
    "told ratings": (
        "r.csv",
        f"sep=;\n{RATINGS.replace(',', ';')}".encode(),
        lambda path: ratings(str(path), k_core=1),
    ),
    "ground truth": ("truth.txt", b"1\n2\n3\n2\n", lambda path: read_ground_truth(path, {1: "a", 2: "b", 3: "c"})),
    "table that goes on": ("begun.csv", STAMPED.encode(), begun_table),
    "training that goes on": ("checkpoint.pt", trained(), go_on_training),
    "sweep": ("multirun.yaml", MULTIRUN.encode(), lambda path: sweep_overrides(path.parent, "search", [])),
    "jobs of a sweep": ("jobs.csv", JOBS.encode(), lambda path: read_jobs(path.parent)),
    "model of top-1": ("model.json", EMBEDDED.read_bytes()[:3000], lambda path: ImageNetSurrogate(str(path))),
}


@pytest.mark.parametrize("kind", BYTES)
def test_damaged_bytes(kind: str, tmp_path: Path) -> None:
    name, content, reader = BYTES[kind]

    @fuzz(60)
    @given(damaged(content))
    def check(mutated: bytes) -> None:
        accepted_or_refused(lambda: reader(written(tmp_path / name, mutated)))

    if kind != "model of top-1":
        assert accepted_or_refused(lambda: reader(written(tmp_path / name, content))), "the undamaged file is fine"
    check()


TABLES_OF_TEXT: dict[str, tuple[str, str, str, Callable[[Path], Any]]] = {
    "ratings": ("ratings.csv", RATINGS, ",", lambda path: ratings(str(path), k_core=1, min_rating=1)),
    "ratings without times": ("r.tsv", "user\titem\na\tx\na\ty\nb\tx\nb\tz\n", "\t", lambda path: ratings(str(path))),
    "table": ("table.csv", NOTE10, ",", read),
    "pairs": ("pairs.tsv", PAIRS, "\t", lambda path: read_pairs(str(path), None)),
    "dictionary": ("dict.txt", "the 30\nhouse 20\ntree 10\n", " ", Dictionary.read),
    "solution": ("LOC_val_solution.csv", SOLUTION, ",", read_solution),
}


@pytest.mark.parametrize("kind", TABLES_OF_TEXT)
def test_damaged_cells(kind: str, tmp_path: Path) -> None:
    name, content, separator, reader = TABLES_OF_TEXT[kind]

    @fuzz(60)
    @given(damaged_cells(content, separator))
    def check(mutated: str) -> None:
        accepted_or_refused(lambda: reader(written(tmp_path / name, mutated)))

    check()


NCF = {
    "mine.train.rating": "0\t0\t5\t1\n0\t1\t5\t2\n1\t0\t4\t1\n1\t2\t4\t1\n",
    "mine.test.rating": "0\t2\t5\t3\n1\t1\t4\t9\n",
    "mine.test.negative": "".join(
        f"({user},{item})\t" + "\t".join(str(other) for other in range(3, 102)) + "\n"
        for user, item in ((0, 2), (1, 1))
    ),
}


@fuzz(100)
@given(st.data(), st.sampled_from(sorted(NCF)))
def test_damaged_files_of_ncf(tmp_path: Path, data: st.DataObject, name: str) -> None:
    for other, content in NCF.items():
        written(tmp_path / other, content)
    separator = data.draw(st.sampled_from(["\t", ","]))
    written(tmp_path / name, data.draw(damaged_cells(NCF[name], separator)))
    accepted_or_refused(lambda: ncf_files(str(tmp_path), "mine"))


MODEL = json.loads(EMBEDDED.read_bytes())


@fuzz(60)
@given(damaged_tree(MODEL))
def test_damaged_model_of_top1(tmp_path: Path, tree: Any) -> None:
    path = written(tmp_path / "model.json", json.dumps(tree))
    accepted_or_refused(lambda: ImageNetSurrogate(str(path)))


ARCHITECTURES = [{"ks": [3, 5, 7, 3], "d": [1, 2]}, {"ks": [7, 7, 7, 7], "d": [2, 2]}]


@fuzz(150)
@given(damaged_tree(ARCHITECTURES))
def test_damaged_architectures(tmp_path: Path, gated_space: SearchSpace, tree: Any) -> None:
    path = written(tmp_path / "architectures.json", json.dumps(tree))
    accepted_or_refused(lambda: read_architectures(str(path), None, gated_space, OBJECTIVES))
    accepted_or_refused(lambda: read_architectures(tree, None, gated_space, OBJECTIVES))
    accepted_or_refused(lambda: read_architectures("smallest", tree, gated_space, OBJECTIVES))


@fuzz(100)
@given(damaged(json.dumps(ARCHITECTURES).encode()))
def test_architectures_in_damaged_json(tmp_path: Path, gated_space: SearchSpace, mutated: bytes) -> None:
    path = written(tmp_path / "architectures.json", mutated)
    accepted_or_refused(lambda: read_architectures(str(path), None, gated_space, OBJECTIVES))


TABLE = (
    'index,top1 [%],latency,ks,d\n1,70,5,"[3,5,7,3]","[1,2]"\n2,71,,"[7,7,7,7]","[2,2]"\n3,72,6,"[3,3,3,3]","[1,1]"\n'
)


@fuzz(150)
@given(damaged(TABLE.encode()) | damaged_cells(TABLE, ",").map(lambda text: text.encode(errors="replace")))
def test_damaged_tables_of_measurements(tmp_path: Path, gated_space: SearchSpace, mutated: bytes) -> None:
    path = written(tmp_path / "table.csv", mutated)
    accepted_or_refused(lambda: read_examples(path, gated_space, OBJECTIVES))
    accepted_or_refused(lambda: read_architectures(str(path), "all", gated_space, OBJECTIVES))
    accepted_or_refused(lambda: read_architectures(str(path), [2], gated_space, OBJECTIVES))
