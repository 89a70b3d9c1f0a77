"""What a decoder's config.json says: the sizes of its network, and in what its family differs from others.

The names are those of Hugging Face transformers, in its version 5 and in the older ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dynas.core.design import is_whole
from dynas.errors import DynasError, one_of
from dynas.supernets.decoders.rotary import Rotary

ACTIVATIONS = {"silu": "silu", "swish": "silu", "gelu": "gelu", "gelu_pytorch_tanh": "gelu_tanh"}
LOCAL, GLOBAL = "sliding_attention", "full_attention"
ALIKE = ("llama", "mistral")  # whose layers all attend in one way, whatever else their config says
UNKNOWN = ("attn_logit_softcapping", "final_logit_softcapping", "use_bidirectional_attention", "quantization_config")


@dataclass(frozen=True)
class Family:
    """In what the networks of a family are alike, whatever their sizes.

    Attributes:
        query_bias: whether queries, keys and values always have a bias; else a config may say so.
        query_norm: whether queries and keys are normed.
        gemma: whether a layer has a norm behind attention and feed-forward network too, norms multiply by 1 + weight,
            and embeddings are scaled.
        tied: whether the output layer usually is the embedding table.
        head_size: usual channels of a head; None: the width shared among the heads.
    """

    query_bias: bool = False
    query_norm: bool = False
    gemma: bool = False
    tied: bool = False
    head_size: int | None = None


FAMILIES = {
    "llama": Family(),
    "mistral": Family(),
    "qwen2": Family(query_bias=True),
    "qwen3": Family(query_norm=True, head_size=128),
    "gemma3_text": Family(query_norm=True, gemma=True, tied=True, head_size=256),
}


@dataclass(frozen=True)
class Config:
    """The network that sub-networks are cut from.

    Attributes:
        family: what is common to all networks of its kind.
        vocabulary: number of tokens.
        width: channels of a token.
        groups: key-value heads of each layer; queries come in as many groups.
        per_group: query heads of a group.
        head_size: channels of a head.
        units: hidden ones of each layer's feed-forward network.
        positions: longest text in tokens.
        epsilon: of the norms.
        activation: of the feed-forward networks.
        tied: whether the output layer is the embedding table.
        query_bias, out_bias, feed_bias: which linear layers have biases.
        scale: factor of attention's scores.
        embed_scale: factor of embeddings.
        windows: per layer, how many tokens attention reaches back, itself included; None: all.
        rotaries: per layer, how positions turn queries and keys.
        content: the file's own words.
    """

    family: Family
    vocabulary: int
    width: int
    groups: int
    per_group: int
    head_size: int
    units: int
    positions: int
    epsilon: float
    activation: str
    tied: bool
    query_bias: bool
    out_bias: bool
    feed_bias: bool
    scale: float
    embed_scale: float
    windows: tuple[int | None, ...]
    rotaries: tuple[Rotary, ...]
    content: Mapping[str, Any] = field(compare=False, repr=False)

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.windows)


def read_config(content: Mapping[str, Any], origin: object) -> Config:
    """Return what the content of a config.json says.

    Args:
        content: the file's content.
        origin: where it comes from, for errors.

    Raises:
        DynasError: it is of another kind of network, or lacks something.
    """
    kind = content.get("model_type")
    if kind not in FAMILIES:
        raise one_of(f"'{origin}': model_type", str(kind), FAMILIES)
    if odd := [key for key in UNKNOWN if content.get(key)]:
        raise DynasError(f"'{origin}': networks with {odd[0]}={content[odd[0]]} are not known")
    family = FAMILIES[kind]
    width, heads, layers = (
        number(content, key, origin) for key in ("hidden_size", "num_attention_heads", "num_hidden_layers")
    )
    groups = number({"num_key_value_heads": heads} | given(content), "num_key_value_heads", origin)
    size = number({"head_dim": family.head_size or width // heads} | given(content), "head_dim", origin)
    if heads % groups or size % 2:
        raise DynasError(
            f"'{origin}': {heads} attention heads of {size} channels cannot be shared among {groups} key-value heads"
        )
    activation = str(
        content.get("hidden_activation", "gelu_pytorch_tanh") if family.gemma else content.get("hidden_act", "silu")
    )
    if activation not in ACTIVATIONS:
        raise one_of(f"'{origin}': activation", activation, ACTIVATIONS)
    types = layer_types(content, kind, layers, origin)
    bias = bool(content.get("attention_bias", False))
    scalar = content.get("query_pre_attn_scalar", 256) if family.gemma else size
    return Config(
        family=family,
        vocabulary=number(content, "vocab_size", origin),
        width=width,
        groups=groups,
        per_group=heads // groups,
        head_size=size,
        units=number(content, "intermediate_size", origin),
        positions=number(content, "max_position_embeddings", origin),
        epsilon=float(content.get("rms_norm_eps", 1e-6)),
        activation=ACTIVATIONS[activation],
        tied=bool(content.get("tie_word_embeddings", family.tied)),
        query_bias=bias or family.query_bias,
        out_bias=bias,
        feed_bias=bool(content.get("mlp_bias", False)),
        scale=float(scalar) ** -0.5,
        embed_scale=width**0.5 if family.gemma else 1.0,
        windows=tuple(number(content, "sliding_window", origin) if one == LOCAL else None for one in types),
        rotaries=tuple(rotary(content, family, one, size, origin) for one in types),
        content=dict(content),
    )


def given(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a config says, without what it leaves open."""
    return {key: value for key, value in content.items() if value is not None}


def number(content: Mapping[str, Any], key: str, origin: object) -> int:
    """Return a positive whole number of a config, or raise DynasError."""
    value = content.get(key)
    if not is_whole(value) or value < 1:
        raise DynasError(f"'{origin}' needs {key} as a positive whole number, got {value!r}")
    return int(value)


def layer_types(content: Mapping[str, Any], kind: str, layers: int, origin: object) -> list[str]:
    """Return whether each layer attends to all tokens or to the last ones only."""
    types = content.get("layer_types")
    if types is not None and kind not in ALIKE:
        if len(types) != layers or set(types) - {LOCAL, GLOBAL}:
            raise DynasError(f"'{origin}' needs layer_types of {layers} times {LOCAL} or {GLOBAL}, got {types}")
        return list(types)
    windowed = content.get("sliding_window") is not None
    if kind == "gemma3_text":
        period = number({"sliding_window_pattern": 6} | given(content), "sliding_window_pattern", origin)
        return [GLOBAL if (layer + 1) % period == 0 else LOCAL for layer in range(layers)]
    if kind.startswith("qwen"):
        first = number({"max_window_layers": 28} | given(content), "max_window_layers", origin)
        windowed = windowed and bool(content.get("use_sliding_window", False))
        return [LOCAL if windowed and layer >= first else GLOBAL for layer in range(layers)]
    return [LOCAL if windowed and kind == "mistral" else GLOBAL] * layers


def rotary(content: Mapping[str, Any], family: Family, layer_type: str, size: int, origin: object) -> Rotary:
    """Return how positions turn queries and keys in a layer of a type."""
    settings: Mapping[str, Any] = content.get("rope_parameters") or {}
    if LOCAL in settings or GLOBAL in settings:
        settings = settings.get(layer_type) or {}
    theta = content.get("rope_theta", 1e6 if family.gemma else 1e4)
    scaling: Mapping[str, Any] = content.get("rope_scaling") or {}
    if family.gemma and layer_type == LOCAL:
        theta, scaling = content.get("rope_local_base_freq", 1e4), {}
    return Rotary.of({"rope_theta": theta} | dict(scaling) | dict(settings), size, origin)
