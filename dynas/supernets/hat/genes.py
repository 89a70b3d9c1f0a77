"""Architectures in HAT's own words: its list of 40 genes and its configs (Wang et al. 2020, arXiv:2005.14187)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynas.core.space import Architecture, SearchSpace
from dynas.errors import DynasError

NAMES = {
    "encoder_embed_dim": "encoder_embed_dim",
    "encoder_layer_num": "encoder_layers",
    "encoder_ffn_embed_dim": "encoder_ffn",
    "encoder_self_attention_heads": "encoder_heads",
    "decoder_embed_dim": "decoder_embed_dim",
    "decoder_layer_num": "decoder_layers",
    "decoder_ffn_embed_dim": "decoder_ffn",
    "decoder_self_attention_heads": "decoder_self_heads",
    "decoder_ende_attention_heads": "decoder_cross_heads",
    "decoder_arbitrary_ende_attn": "decoder_attend",
}


def from_genes(space: SearchSpace, genes: Sequence[int]) -> Architecture:
    """Return the architecture of HAT's gene list, which holds values, not indices.

    Raises:
        DynasError: it has the wrong length, or a value that the space does not have.
    """
    if len(genes) != space.n_genes:
        raise DynasError(f"HAT's gene list of this space has {space.n_genes} values, got {len(genes)}")
    architecture: Architecture = {}
    first = 0
    for variable in space.variables:
        values = list(genes[first : first + variable.length])
        architecture[variable.name] = values if variable.length > 1 else values[0]
        first += variable.length
    return space.decode(space.encode(architecture))


def from_config(space: SearchSpace, config: Mapping[str, Any]) -> Architecture:
    """Return the architecture of a HAT config.

    Args:
        space: the search space.
        config: ``{"encoder": {...}, "decoder": {...}}`` as HAT's code holds it, or the content of one of its YAML
            files of sub-transformers (``encoder-embed-dim-subtransformer`` and so on). Lists of the decoder may end
            with its last layer.

    Raises:
        DynasError: a key is missing or unknown, or a value does not fit the space.
    """
    if set(config) == {"encoder", "decoder"}:
        config = {**config["encoder"], **config["decoder"]}
    named = {plain_name(key): value for key, value in config.items()}
    if set(named) != set(NAMES):
        odd = ", ".join(sorted(map(str, set(named) ^ set(NAMES))))
        raise DynasError(f"a HAT config has the keys {', '.join(NAMES)}; missing or unknown: {odd}")
    architecture = {own: named[name] for name, own in NAMES.items()}
    depth = architecture["decoder_layers"]
    for variable in space.variables:
        values = architecture[variable.name]
        if variable.gates and isinstance(values, Sequence) and len(values) == depth < variable.length:
            architecture[variable.name] = [*values, *variable.choices[:1] * (variable.length - depth)]
    return space.decode(space.encode(architecture))


def plain_name(key: str) -> str:
    """Return the name in HAT's code of a key of its YAML files."""
    return key.replace("-", "_").removesuffix("_subtransformer").removesuffix("_all")
