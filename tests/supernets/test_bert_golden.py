"""Our BERT against outputs of DyNAS-T's on the same weights (see the reference folder)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir

from dynas.compose.frames import register
from dynas.compose.parts import build_supernet
from dynas.supernets.bert import BertSupernet
from dynas.system.folders import CONFIGS
from tests.helpers import golden as checks
from tests.helpers.golden import Golden, load_golden

pytestmark = pytest.mark.slow

OURS = {"num_layers": "layers", "num_attention_heads": "heads", "intermediate_size": "feed"}


def make(weights: str) -> BertSupernet:
    """Return what configs/supernet/bert_base.yaml describes."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("search", overrides=["supernet=bert_base"])
    config.supernet.weights = weights
    return build_supernet(config)  # type: ignore[return-value]


@pytest.fixture(scope="module")
def golden(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """The golden file, its cases with our names of design variables."""
    folder = tmp_path_factory.mktemp("golden")
    name = "dynast_bert_sst2_public"
    found = load_golden(reference, name, make, folder, "bert_tensor")
    for case in found.cases:
        case["arch"] = {OURS[name]: value for name, value in case["arch"].items()}
        case["macs"] = case["macs_linear"] + case["macs_attention"]
    return found


@pytest.fixture(scope="module")
def texts(golden: Golden) -> tuple[torch.Tensor, torch.Tensor]:
    """Word pieces of two texts, and their mask."""
    pieces, mask = golden.rule.bert_tokens()
    return torch.from_numpy(pieces), torch.from_numpy(mask)


def test_logits_and_tokens_are_those_of_the_original(golden: Golden, texts: tuple[torch.Tensor, torch.Tensor]) -> None:
    direction = np.random.RandomState(1).standard_normal(1000)[:768]
    places = golden.content["input"]["hidden_tokens"]
    for case in golden.cases:
        subnet = golden.supernet.subnet(case["arch"])
        with torch.inference_mode():
            logits = subnet(*texts).double().numpy()
            tokens = subnet.tokens(*texts).double().numpy()[:, places]
        assert np.linalg.norm(logits - case["logits"]) <= 1e-4 * np.linalg.norm(case["logits"]), case["id"]
        np.testing.assert_allclose(np.linalg.norm(tokens, axis=2), case["hidden_l2"], rtol=1e-4, err_msg=case["id"])
        np.testing.assert_allclose(tokens @ direction, case["hidden_proj"], atol=2e-3, err_msg=case["id"])


def test_a_text_of_padding_only_has_the_originals_logits(
    golden: Golden, texts: tuple[torch.Tensor, torch.Tensor]
) -> None:
    case = next(case for case in golden.cases if "zero_mask_logits" in case)
    with torch.inference_mode():
        found = golden.supernet.subnet(case["arch"])(texts[0], torch.zeros_like(texts[1]))
    torch.testing.assert_close(found, torch.tensor(case["zero_mask_logits"]), atol=1e-4, rtol=1e-4)


def test_macs_and_parameters_are_exact(golden: Golden) -> None:
    checks.check_costs(golden)


def test_aliases_are_the_same_sub_network_and_nothing_else_is(golden: Golden) -> None:
    checks.check_aliases(golden)


def test_the_space_has_the_published_size(golden: Golden) -> None:
    assert golden.supernet.space.size == 9_726_654_763_008


def test_a_sub_network_on_shared_weights_is_the_one_that_is_cut_out(
    golden: Golden, texts: tuple[torch.Tensor, torch.Tensor]
) -> None:
    arch = golden.cases[2]["arch"]
    with torch.inference_mode():
        shared = golden.supernet.elastic(*texts, arch)
        torch.testing.assert_close(shared, golden.supernet.subnet(arch)(*texts))
