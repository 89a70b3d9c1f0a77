"""Sub-networks in the words of Hugging Face transformers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from dynas.core.checkpoint import Checkpoint, Reach
from dynas.supernets.decoders.config import ALIKE, GLOBAL, LOCAL, Config
from dynas.supernets.decoders.folder import PREFIX
from dynas.supernets.decoders.network import Decoder
from dynas.supernets.decoders.rotary import Rotary

CLASSES = {
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "gemma3_text": "Gemma3ForCausalLM",
}
OUTPUT = "lm_head.weight"  # the only name without the first word
DROPPED = ("dynas", "auto_map", "torch_dtype", "sliding_window_pattern", "_name_or_path", "transformers_version")


def published(decoder: Decoder, companions: Mapping[str, bytes]) -> Checkpoint:
    """Return a stand-alone decoder as config.json and weights.

    Args:
        decoder: in single precision.
        companions: what lies beside.
    """
    config, sizes = decoder.config, decoder.sizes
    kind = str(config.content["model_type"])
    groups, units = tuple(sizes.groups), tuple(sizes.units)
    content = {key: value for key, value in config.content.items() if key not in DROPPED} | {
        "architectures": [CLASSES[kind]],
        "dtype": "float32",
        "hidden_size": sizes.width,
        "num_hidden_layers": len(sizes.kept),
        "num_key_value_heads": max(*groups, 1),
        "num_attention_heads": max(*groups, 1) * config.per_group,
        "head_dim": config.head_size,
        "intermediate_size": max(units),
        "tie_word_embeddings": config.tied,
    }
    if kind not in ALIKE:
        content["layer_types"] = [GLOBAL if config.windows[layer] is None else LOCAL for layer in sizes.kept]
    state = {name if name == OUTPUT else PREFIX + name: value for name, value in decoder.state_dict().items()}
    if config.embed_scale != 1.0:
        fold(state, config.embed_scale / sizes.width**0.5, config.tied)
    reaches = tuple(reach(config, layer) for layer in sizes.kept)
    return Checkpoint(
        content, state, groups, config.per_group, units, reaches, config.scale, config.activation, companions
    )


def reach(config: Config, layer: int) -> Reach:
    """Return how a layer of the whole network knows positions."""
    rotary = config.rotaries[layer]
    plain = Rotary(rotary.size, rotary.theta).frequencies()
    return Reach(config.windows[layer], rotary.theta, tuple((plain / rotary.frequencies()).tolist()))


def fold(state: dict[str, torch.Tensor], factor: float, tied: bool) -> None:
    """Give embeddings a factor, since transformers takes Gemma's from the network's own width.

    A tied output layer takes it back by the last norm, whose weights stand for 1 + weight.
    """
    table, norm = f"{PREFIX}embed_tokens.weight", f"{PREFIX}norm.weight"
    state[table] = state[table] * factor
    if tied:
        state[norm] = (1 + state[norm]) / factor - 1


@torch.no_grad()
def padded(decoder: Decoder) -> Decoder:
    """Return one that computes the same, in which zeros make all layers as wide as the widest."""
    sizes = decoder.sizes
    count = len(sizes.kept)
    groups, units = [max(*sizes.groups, 1)] * count, [max(sizes.units)] * count
    wide = Decoder(decoder.config, replace(sizes, groups=groups, units=units))
    own = dict(decoder.named_parameters())
    for name, weight in wide.named_parameters():
        if not name.endswith("norm.weight"):  # norms of what adds nothing stay as they begin
            weight.zero_()
        if name in own:
            weight[tuple(slice(0, length) for length in own[name].shape)] = own[name]
    return wide.eval()
