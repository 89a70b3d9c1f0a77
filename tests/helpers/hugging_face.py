"""Small decoders of Hugging Face transformers, their folders, and their sub-networks by slicing its own modules."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config
from transformers.models.gemma3 import Gemma3TextConfig

from dynas.supernets.decoders.shape import Layers

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

SIZES: dict[str, Any] = {
    "vocab_size": 60, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 4, "num_attention_heads": 6,
    "num_key_value_heads": 3, "max_position_embeddings": 64, "head_dim": 8, "bos_token_id": 0, "eos_token_id": 0,
}  # fmt: skip
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip
LOCAL = {"sliding_window": 5, "layer_types": ["sliding_attention", "full_attention"] * 2}
CONFIGS: dict[str, Any] = {
    "llama": LlamaConfig(**SIZES),
    "llama tied, with biases": LlamaConfig(**SIZES, tie_word_embeddings=True, attention_bias=True, mlp_bias=True),
    "llama 3": LlamaConfig(**SIZES, rope_parameters=LLAMA3),
    "llama stretched": LlamaConfig(**SIZES, rope_parameters={"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}),
    "mistral with a window": MistralConfig(**SIZES, sliding_window=5),
    "qwen2": Qwen2Config(**{key: value for key, value in SIZES.items() if key != "head_dim"} | {"hidden_size": 48}),
    "qwen2 with windows": Qwen2Config(
        **{key: value for key, value in SIZES.items() if key != "head_dim"} | {"hidden_size": 48},
        use_sliding_window=True, sliding_window=4, max_window_layers=2, tie_word_embeddings=True,
    ),
    "qwen3": Qwen3Config(**SIZES),
    "gemma3": Gemma3TextConfig(**SIZES, query_pre_attn_scalar=11, **LOCAL),
    "gemma3 of its own scale": Gemma3TextConfig(**SIZES, query_pre_attn_scalar=8, **LOCAL),
}  # fmt: skip


def decoder(kind: str, vocabulary: int = SIZES["vocab_size"]) -> nn.Module:
    """Return a network with weights away from their neutral start."""
    config = deepcopy(CONFIGS[kind])
    config.vocab_size = vocabulary
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network: nn.Module = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
        centre = 0.0 if kind.startswith("gemma3") else 1.0
        with torch.no_grad():
            for name, weight in network.named_parameters():
                weight.copy_(0.3 * torch.randn_like(weight) + ("norm" in name) * centre)
    return network.eval()


def save(network: nn.Module, folder: Path) -> Path:
    """Write a folder with several files of weights."""
    network.save_pretrained(folder, max_shard_size="20KB")
    return folder


class Skipped(nn.Module):
    """Attention that adds nothing."""

    def forward(self, hidden_states: Tensor, **settings: Any) -> tuple[Tensor, None]:
        return torch.zeros_like(hidden_states), None


def sliced(network: nn.Module, layers: Layers) -> nn.Module:
    """Return a copy whose modules are cut to the sizes of a sub-network."""
    whole: Any = deepcopy(network)
    size, per_group, model = 8, 2, whole.model
    types = vars(whole.config).get("layer_types")
    model.layers = nn.ModuleList(model.layers[index] for index in layers.kept)
    whole.config.num_hidden_layers = len(layers.kept)
    if types:
        whole.config.layer_types = [types[index] for index in layers.kept]
    for layer, groups, units in zip(model.layers, layers.groups, layers.units, strict=True):
        rows = {"q_proj": groups * per_group * size, "k_proj": groups * size, "v_proj": groups * size}
        rows |= {"gate_proj": units, "up_proj": units, "o_proj": layers.width, "down_proj": layers.width}
        columns = {"o_proj": groups * per_group * size, "down_proj": units}
        for name, module in layer.named_modules():
            last = name.rpartition(".")[2]
            if last in rows:
                module.weight.data = module.weight.data[: rows[last], : columns.get(last, layers.width)]
                if module.bias is not None:
                    module.bias.data = module.bias.data[: rows[last]]
            elif last.endswith("layernorm"):
                module.weight.data = module.weight.data[: layers.width]
        if not groups:
            layer.self_attn = Skipped()
    model.norm.weight.data = model.norm.weight.data[: layers.width]
    model.embed_tokens.weight.data = model.embed_tokens.weight.data[:, : layers.width]
    if whole.lm_head.weight.shape[1] != layers.width:
        whole.lm_head.weight.data = whole.lm_head.weight.data[:, : layers.width]
    return whole


def logits(network: nn.Module, tokens: Tensor) -> Tensor:
    """Return what a network of transformers computes."""
    with torch.inference_mode():
        found: Tensor = network(tokens, use_cache=False).logits
    return found
