"""Golden files: what our supernets must share with outputs of the original code on the same weights.

A test module has a fixture that calls `load_golden`, and hands its result to the checks below; every check
fails with the id of the case that differs.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

from dynas.core.supernet import Supernet
from dynas.metrics.calibration import recalibrate

TOLERANCE = 1e-4


class Golden(NamedTuple):
    """One golden file, the rule of its weights and images, and the supernet that holds those weights."""

    content: dict[str, Any]
    rule: ModuleType
    supernet: Supernet

    @property
    def cases(self) -> list[dict[str, Any]]:
        return self.content["cases"]

    @property
    def images(self) -> torch.Tensor:
        return torch.from_numpy(self.rule.image_input())

    def cases_with(self, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The cases that hold an entry, each with its id."""
        cases = [case for case in self.cases if key in case]
        assert cases
        yield from ((case["id"], case) for case in cases)


def load_rule(reference: Path) -> ModuleType:
    """Import the module that makes the weights and images."""
    spec = importlib.util.spec_from_file_location("golden_rule", reference / "golden_rule.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_golden(
    reference: Path, name: str, make: Callable[[str], Supernet], folder: Path, tensor: str = "ofa_tensor"
) -> Golden:
    """Return a golden file with its supernet, loaded from a checkpoint of the weights that the file prescribes.

    Args:
        reference: the folder of reference data.
        name: the file's name without ``.json.gz``.
        make: makes the supernet from the path of a checkpoint.
        folder: where the checkpoint may be written.
        tensor: function of the rule that makes a weight from its key and shape.
    """
    rule = load_rule(reference)
    weight = getattr(rule, tensor)
    with gzip.open(reference / f"{name}.json.gz", "rt") as file:
        content = json.load(file)
    state = {key: torch.from_numpy(np.asarray(weight(key, shape))) for key, shape, _ in content["state_dict"]}
    path = folder / "checkpoint.pth"
    torch.save({content.get("checkpoint", {}).get("key", "state_dict"): state}, path)
    supernet = make(str(path))
    path.unlink()
    return Golden(content, rule, supernet)


def shapes(module: torch.nn.Module) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in module.state_dict().items()}


def logits(subnet: torch.nn.Module, images: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        return subnet(images).double().numpy()


def check_state_dict(golden: Golden) -> None:
    """The supernet has the public checkpoint's keys and shapes."""
    assert shapes(golden.supernet.elastic) == {key: shape for key, shape, _ in golden.content["state_dict"]}


def check_extracted_keys(golden: Golden) -> None:
    """Sub-networks have the original static network's keys and shapes."""
    for case_id, case in golden.cases_with("static_state_dict"):
        assert shapes(golden.supernet.subnet(case["arch"])) == dict(map(tuple, case["static_state_dict"])), case_id


def check_logits(golden: Golden) -> None:
    """Sub-networks compute the original's logits: the first 16, and norm and projection of all of them."""
    direction = np.random.RandomState(1).standard_normal(1000)
    for case_id, case in golden.cases_with("logits16"):
        found = logits(golden.supernet.subnet(case["arch"]), golden.images)
        wanted = np.array(case["logits16"])
        allowed = TOLERANCE * np.maximum(1, np.abs(wanted).max(axis=1, keepdims=True))
        assert (np.abs(found[:, :16] - wanted) <= allowed).all(), case_id
        assert found.argmax(axis=1).tolist() == case["argmax"], case_id
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), case["l2"], rtol=TOLERANCE, err_msg=case_id)
        off = np.abs(found @ direction - case["proj"])
        assert (off <= TOLERANCE * np.array(case["l2"])).all(), case_id


def check_first_logits(found: np.ndarray, wanted: list[list[float]], case_id: str) -> None:
    largest = max(1, np.abs(wanted).max())
    assert np.abs(found[:, :16] - np.array(wanted)).max() <= TOLERANCE * largest, case_id


def check_logits_at_160_pixels(golden: Golden) -> None:
    """So they do at another resolution."""
    images = torch.from_numpy(golden.rule.image_input(res=160))
    for case_id, case in golden.cases_with("res160_logits16"):
        check_first_logits(logits(golden.supernet.subnet(case["arch"]), images), case["res160_logits16"], case_id)


def check_logits_after_recalibration(golden: Golden) -> None:
    """So they do with batch norm re-calibrated on two batches of different sizes."""
    sizes = ((100, 4), (101, 2))  # seed and number of images of each batch
    noise = [np.random.RandomState(seed).standard_normal((n, 3, 224, 224)).astype(np.float32) for seed, n in sizes]
    for case_id, case in golden.cases_with("bn_recalibrated_logits16"):
        subnet = golden.supernet.subnet(case["arch"])
        recalibrate(subnet, [torch.from_numpy(batch) for batch in noise])
        check_first_logits(logits(subnet, golden.images), case["bn_recalibrated_logits16"], case_id)


def check_costs(golden: Golden) -> None:
    """MACs and parameters are exact."""
    genotypes = np.stack([golden.supernet.space.encode(case["arch"]) for case in golden.cases])
    assert golden.supernet.macs(genotypes).tolist() == [case["macs"] for case in golden.cases]
    assert golden.supernet.params(genotypes).tolist() == [case["params"] for case in golden.cases]


def check_aliases(golden: Golden) -> None:
    """Cases that are the same sub-network as another have its key, and no others share theirs."""
    space = golden.supernet.space
    keys = {case["id"]: space.key(space.encode(case["arch"])) for case in golden.cases}
    aliases = {case["id"]: case["alias_of"] for case in golden.cases if case["alias_of"]}
    assert aliases
    for alias, original in aliases.items():
        assert keys[alias] == keys[original], alias
    originals = [key for case, key in keys.items() if case not in aliases]
    assert len(originals) == len(set(originals))


def check_active_blocks(golden: Golden, variable: str) -> None:
    """The active genes of a per-block variable are those of the blocks that the original runs."""
    space = golden.supernet.space
    names = np.concatenate([[one.name] * one.length for one in space.variables])
    for case_id, case in golden.cases_with("active_blocks"):
        active = space.active(space.encode(case["arch"])[None])[0]
        assert np.flatnonzero(active[names == variable]).tolist() == case["active_blocks"], case_id
