"""Our Transformer against outputs of HAT's original code on the same weights (see the reference folder)."""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from dynas.core.translation import EOS
from dynas.metrics.beam_search import BeamSearch
from dynas.supernets.hat.genes import from_config, from_genes
from dynas.supernets.hat.network import Transformer
from dynas.supernets.transformer import TransformerSupernet
from tests.helpers.golden import load_rule

pytestmark = pytest.mark.slow


class Golden(NamedTuple):
    content: dict[str, Any]
    supernet: TransformerSupernet
    source: Tensor
    previous: Tensor

    @property
    def cases(self) -> list[dict[str, Any]]:
        return self.content["cases"]

    @property
    def genotypes(self) -> np.ndarray:
        space = self.supernet.space
        return np.stack([space.encode(from_genes(space, case["gene"])) for case in self.cases])

    def subnet(self, case: dict[str, Any]) -> Transformer:
        return self.supernet.subnet(from_genes(self.supernet.space, case["gene"]))


def hat_supernet(weights: str, tokens: int) -> TransformerSupernet:
    return TransformerSupernet(
        weights, tokens, tokens, True, (512, 640), (1024, 2048, 3072), (4, 8), 512, 6, 6, 1024, 30, 5
    )


@pytest.fixture(scope="module")
def golden(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """The golden file, and the supernet loaded from a fairseq checkpoint of the weights that it prescribes."""
    rule = load_rule(reference)
    with gzip.open(reference / "hat_wmt14ende_public.json.gz", "rt") as file:
        content = json.load(file)
    state = {key: torch.from_numpy(np.asarray(rule.hat_tensor(key, shape))) for key, shape, _ in content["state_dict"]}
    path = tmp_path_factory.mktemp("golden") / "HAT_wmt14ende_super_space0.pt"
    args = argparse.Namespace(arch="transformersuper_wmt_en_de", encoder_embed_dim=640, adam_betas="(0.9, 0.98)")
    extra = {"train_iterator": {"epoch": 3}, "val_loss": 4.2}
    torch.save({"args": args, "model": state, "optimizer_history": [{"num_updates": 9}], "extra_state": extra}, path)
    source, _, previous = rule.hat_tokens()
    return Golden(content, hat_supernet(str(path), 64), torch.from_numpy(source), torch.from_numpy(previous))


def test_the_state_dict_is_that_of_the_public_checkpoint(golden: Golden) -> None:
    own = {key: list(value.shape) for key, value in golden.supernet.elastic.state_dict().items()}
    assert own == {key: shape for key, shape, _ in golden.content["state_dict"]}


def test_the_space_is_that_of_hat(golden: Golden) -> None:
    space = golden.supernet.space
    choices = [variable.choices for variable in space.variables for _ in range(variable.length)]
    assert [sorted(one) for one in golden.content["gene_choices"]] == [sorted(one) for one in choices]
    assert space.n_genes == 40
    assert space.size == 417_846_678_672_384


def test_logits_are_those_of_the_original(golden: Golden) -> None:
    direction = np.random.RandomState(1).standard_normal(golden.content["vocab"])
    for case in golden.cases:
        with torch.inference_mode():
            rows = golden.subnet(case)(golden.source, golden.previous).double().numpy()
        for row, *wanted in zip(rows, *(case[name] for name in ("logits16", "argmax", "l2", "proj")), strict=True):
            first, argmax, l2, projected = map(np.array, wanted)
            logits = row[: len(first)]  # what follows is padding
            off = np.linalg.norm(logits[:, :16] - first, axis=1)
            assert (off <= 1e-4 * np.linalg.norm(first, axis=1)).all(), case["id"]
            assert np.abs(logits[:, :16] - first).max() <= 2e-4, case["id"]
            assert logits.argmax(axis=1).tolist() == argmax.tolist(), case["id"]
            np.testing.assert_allclose(np.linalg.norm(logits, axis=1), l2, rtol=1e-4, err_msg=case["id"])
            assert (np.abs(logits @ direction - projected) <= 1e-4 * l2).all(), case["id"]


def test_encoder_outputs_are_those_of_the_original(golden: Golden) -> None:
    for case in golden.cases:
        with torch.inference_mode():
            memory = golden.subnet(case).encoder(golden.source)
        for row, seen, wanted in zip(memory.layers[0], memory.seen, case["encoder_out_l2"], strict=True):
            np.testing.assert_allclose(row[seen].norm(dim=1), wanted, rtol=1e-4, err_msg=case["id"])


def test_macs_and_parameters_are_those_of_the_original(golden: Golden) -> None:
    supernet, genotypes = golden.supernet, golden.genotypes
    assert supernet.macs(genotypes).tolist() == [case["macs_matmul"] for case in golden.cases]
    without = supernet.params_without_embeddings(genotypes)
    assert without.tolist() == [case["params_no_embedding"] for case in golden.cases]
    for case, total, rest in zip(golden.cases, supernet.params(genotypes), without, strict=True):
        if case["config"]["encoder"]["encoder_embed_dim"] <= case["config"]["decoder"]["decoder_embed_dim"]:
            assert total == case["params_no_embedding"] + case["embedding_params"], case["id"]
        else:  # HAT states the columns of the decoder only
            assert total - rest == 64 * case["config"]["encoder"]["encoder_embed_dim"]
            assert case["embedding_params"] == 64 * case["config"]["decoder"]["decoder_embed_dim"]


def test_aliases_are_the_same_sub_network_and_nothing_else_is(golden: Golden) -> None:
    keys = {
        case["id"]: golden.supernet.space.key(row) for case, row in zip(golden.cases, golden.genotypes, strict=True)
    }
    aliases = {case["id"]: case["alias_of"] for case in golden.cases if case["alias_of"]}
    assert len(aliases) == 4
    for alias, original in aliases.items():
        assert keys[alias] == keys[original]
    assert len(set(keys.values())) == len(keys) - len(aliases)


def test_configs_say_what_genes_say(golden: Golden) -> None:
    space = golden.supernet.space
    for case in golden.cases:
        assert from_config(space, case["config"]) == from_genes(space, case["gene"])


def test_greedy_translations_are_those_of_the_original(golden: Golden) -> None:
    cases = [case for case in golden.cases if "greedy12" in case]
    assert len(cases) >= 11
    for case in cases:
        found = BeamSearch(1, 0.6, 0, 12)(golden.subnet(case), golden.source)
        assert [best.tokens for (best,) in found] == [[*words, EOS] for words in case["greedy12"]], case["id"]


def test_beams_are_those_of_the_original(golden: Golden) -> None:
    name = "beam5_lenpen0.6_maxlen14"
    cases = [case for case in golden.cases if name in case]
    assert len(cases) >= 11
    for case in cases:
        found = BeamSearch(5, 0.6, 0, 14)(golden.subnet(case), golden.source)
        for hypotheses, wanted in zip(found, case[name], strict=True):
            assert [one.tokens for one in hypotheses[: len(wanted)]] == [one["tokens"] for one in wanted], case["id"]
            scores = [one.score for one in hypotheses[: len(wanted)]]
            assert scores == pytest.approx([one["score"] for one in wanted], abs=1e-4)
