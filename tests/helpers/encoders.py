"""Encoders as other packages keep them."""

from __future__ import annotations

import json
import re
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from dynas.supernets.bert import BertSupernet
from tests.helpers.supernets import narrow_bert

State = dict[str, Tensor]
BERT = {
    "word_embeddings": "bert.embeddings.word_embeddings", "position_embeddings": "bert.embeddings.position_embeddings",
    "segment_embeddings": "bert.embeddings.token_type_embeddings", "embeddings_norm": "bert.embeddings.LayerNorm",
    "layers.": "bert.encoder.layer.", ".attention_norm.": ".attention.output.LayerNorm.",
    ".feed_norm.": ".output.LayerNorm.", ".attention.out.": ".attention.output.dense.",
    ".attention.query.": ".attention.self.query.", ".attention.key.": ".attention.self.key.",
    ".attention.value.": ".attention.self.value.", ".up.": ".intermediate.dense.", ".down.": ".output.dense.",
    "pooler.": "bert.pooler.dense.",
}  # fmt: skip


def called(state: State, theirs: dict[str, str]) -> State:
    """Return weights under another package's names."""
    found = {}
    for name, value in state.items():
        for ours, other in theirs.items():
            start = not ours.startswith(".")
            name = re.sub(("^" if start else "") + re.escape(ours), other, name)
        found[name] = value
    return found


def bert_folder(
    folder: Path, classifier: bool = True, source: BertSupernet | None = None, **config: object
) -> BertSupernet:
    """Write a small BERT as a folder of Hugging Face transformers; return the network that is in it.

    Args:
        folder: where it goes.
        classifier: whether it tells classes; else it is as pretraining leaves it.
        source: what is written; None: a narrow one.
        config: what ``config.json`` says beyond or instead of the usual.
    """
    source = source or narrow_bert(seed=4)
    state = called(source.elastic.state_dict(), BERT)
    if not classifier:
        state = {name: value for name, value in state.items() if not name.startswith("classifier.")}
    folder.mkdir(exist_ok=True)
    save_file({name: value.clone() for name, value in state.items()}, folder / "model.safetensors")
    said = {"model_type": "bert", "num_attention_heads": source.words.shape.heads[-1], "layer_norm_eps": 1e-12}
    (folder / "config.json").write_text(json.dumps({**said, **config}))
    return source
