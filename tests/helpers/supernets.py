"""Small supernets of every family with random weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from dynas.supernets.bert import BertSupernet
from dynas.supernets.decoder import DecoderSupernet
from dynas.supernets.decoders.folder import CONFIG
from dynas.supernets.mbconv.supernet import MBConvSupernet
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.supernets.ncf import NcfSupernet
from dynas.supernets.proxyless import ProxylessSupernet
from dynas.supernets.resnet50 import ResNet50Supernet
from dynas.supernets.transformer import TransformerSupernet
from dynas.supernets.vit import AutoFormerSupernet, VitSupernet
from tests.helpers.resnets import bootstrapped, odd_bootstrapped

NARROW: dict[str, Any] = {
    "weights": "random",
    "width": 0.25,
    "resolution": (28, 56),
    "channels": 1,
    "classes": 100,
    "stem_stride": 2,
    "strides": (2, 1, 2, 1, 2),
}


# image sides that no stride divides
ODD = NARROW | {"width": 0.35, "resolution": (37, 23), "channels": 3, "classes": 7, "stem_stride": 1}
ELASTIC = {"resolutions": (20, 24, 28)}
JOINT = {"precision_choices": ("fp32", "int8")}
SIX = {"strides": (2, 1, 2, 1, 2, 1)}  # a stage more


def narrow(**changes: Any) -> MobileNetV3Supernet:
    """The network whose weights are embedded in the package, untrained."""
    return MobileNetV3Supernet(**(NARROW | changes))


def maker(family: type[MBConvSupernet], **settings: Any) -> Callable[..., MBConvSupernet]:
    """Return what makes a supernet; what it is called with comes on top of ``settings``."""
    return lambda **changes: family(**(settings | changes))


NARROW_RESNET50: dict[str, Any] = NARROW | {"width": 0.125, "strides": (1, 2, 2, 2), "divisor": 1}
ODD_RESNET50: dict[str, Any] = ODD | {"strides": (2, 2, 3, 1), "divisor": 4, "stem_stride": 2}


def narrow_transformer(**changes: Any) -> TransformerSupernet:
    """HAT's space at an eighth of its widths."""
    shape: dict[str, Any] = {
        "weights": "random",
        "source_vocabulary": 100,
        "target_vocabulary": 100,
        "shared_embeddings": True,
        "embed_dims": (64, 80),
        "ffn_dims": (128, 256, 384),
        "heads": (4, 8),
        "qkv_dim": 64,
        "encoder_layers": 6,
        "decoder_layers": 6,
        "max_positions": 64,
        "sentence_length": 12,
        "latency_beam": 5,
    }
    return TransformerSupernet(**(shape | changes))


def odd_transformer(**changes: Any) -> TransformerSupernet:
    """One with two dictionaries, other numbers of layers and heads, and a width of one option."""
    odd = {"source_vocabulary": 50, "target_vocabulary": 70, "shared_embeddings": False, "embed_dims": (14, 24, 40)}
    odd |= {"ffn_dims": (30,), "heads": (1, 3, 6), "qkv_dim": 18, "encoder_layers": 3, "decoder_layers": 4}
    return narrow_transformer(**(odd | {"sentence_length": 7} | changes))


def narrow_ncf(**changes: Any) -> NcfSupernet:
    """The paper's space for few users and items."""
    shape: dict[str, Any] = {
        "weights": "random",
        "users": 20,
        "items": 30,
        "embed_dims": (8, 16, 32, 64, 128),
        "hidden_sizes": (8, 16, 32, 64, 128, 256, 512, 1024),
        "layers": 6,
    }
    return NcfSupernet(**(shape | changes))


def odd_ncf(**changes: Any) -> NcfSupernet:
    """One with other options and fewer layers."""
    return narrow_ncf(**({"users": 7, "embed_dims": (3, 5), "hidden_sizes": (1, 6, 11), "layers": 3} | changes))


def narrow_vit(**changes: Any) -> VitSupernet:
    """A small one with an image that is wider than high."""
    shape: dict[str, Any] = {
        "weights": "random", "resolution": (28, 56), "patch": 7, "channels": 1, "classes": 100, "width": 24,
        "layers": (2, 3), "heads": (1, 2, 3), "feeds": (16, 32, 48), "head_size": 8,
    }  # fmt: skip
    return VitSupernet(**(shape | changes))


def narrow_autoformer(**changes: Any) -> AutoFormerSupernet:
    """A small one that stores more width than any sub-network has."""
    shape: dict[str, Any] = {
        "weights": "random", "resolution": (28, 28), "patch": 7, "channels": 3, "classes": 10, "widths": (16, 20, 24),
        "layers": (1, 2, 4), "heads": (2, 3), "feeds": (1.5, 2), "head_size": 8, "stored": 32, "distance": 2,
    }  # fmt: skip
    return AutoFormerSupernet(**(shape | changes))


NARROW_BERT: dict[str, Any] = {
    "weights": "random", "vocabulary": 60, "positions": 20, "segments": 2, "classes": 4, "width": 24,
    "layers": (2, 3, 4), "heads": (1, 3), "feeds": (16, 40), "head_size": 8, "length": 12, "epsilon": 1e-12,
}  # fmt: skip


def narrow_bert(**changes: Any) -> BertSupernet:
    """A small one."""
    return BertSupernet(**(NARROW_BERT | changes))


NARROW_DECODER: dict[str, Any] = {
    "model_type": "llama", "vocab_size": 60, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 4,
    "num_attention_heads": 6, "num_key_value_heads": 3, "head_dim": 8, "max_position_embeddings": 64,
}  # fmt: skip


def narrow_decoder(config: dict[str, Any] | None = None, **changes: Any) -> DecoderSupernet:
    """A small one of Llama's kind, every part of which is elastic."""
    settings: dict[str, Any] = {
        "weights": "random", "config": NARROW_DECODER | (config or {}), "widths": (8, 16, 24), "layers": None,
        "skip": (1, 2), "groups": (0, 1, 2, 3), "feeds": (0.2, 0.6, 1.0), "calibration": None,
        "calibration_tokens": 0, "length": 12,
    }  # fmt: skip
    settings |= changes
    if settings["weights"] != "random":  # a folder has the shape beside its weights
        Path(settings["weights"]).with_name(CONFIG).write_text(json.dumps(settings["config"]))
        settings["config"] = None
    return DecoderSupernet(**settings)


def gemma_decoder(**changes: Any) -> DecoderSupernet:
    """One of Gemma's kind with local layers, whose depth is elastic, and that stays as wide as it is."""
    config = {"model_type": "gemma3_text", "query_pre_attn_scalar": 11, "sliding_window": 5}
    config |= {"sliding_window_pattern": 2, "dynas": {"layers": [3, 0, 2, 1]}}
    settings = {"widths": None, "layers": (1, 3, 4), "skip": None, "groups": (1, 3), "feeds": (8, 40)}
    return narrow_decoder(config, **(settings | changes))


SUPERNETS: dict[str, Callable[..., Any]] = {
    "narrow mbv3": narrow,
    "odd mbv3": maker(MobileNetV3Supernet, **ODD),
    "elastic mbv3": maker(MobileNetV3Supernet, **NARROW | ELASTIC),
    "joint mbv3": maker(MobileNetV3Supernet, **NARROW | JOINT),
    "narrow proxyless": maker(ProxylessSupernet, **NARROW | SIX),
    "odd elastic proxyless": maker(ProxylessSupernet, **ODD | SIX | {"resolutions": (7, 23, 37, 41)}),
    "narrow resnet50": maker(ResNet50Supernet, **NARROW_RESNET50),
    "odd resnet50": maker(ResNet50Supernet, **ODD_RESNET50),
    "elastic resnet50": maker(ResNet50Supernet, **NARROW_RESNET50 | ELASTIC),
    "joint elastic resnet50": maker(ResNet50Supernet, **NARROW_RESNET50 | ELASTIC | JOINT),
    "narrow bootstrapped": bootstrapped,
    "odd bootstrapped": odd_bootstrapped,
    "joint elastic bootstrapped": lambda **changes: bootstrapped(**(ELASTIC | JOINT | changes)),
    "narrow transformer": narrow_transformer,
    "odd transformer": odd_transformer,
    "narrow ncf": narrow_ncf,
    "odd ncf": odd_ncf,
    "narrow vit": narrow_vit,
    "joint vit": lambda **changes: narrow_vit(**({"residual_norm": True} | JOINT | changes)),
    "narrow autoformer": narrow_autoformer,
    "narrow bert": narrow_bert,
    "narrow decoder": narrow_decoder,
    "gemma decoder": gemma_decoder,
    "biased decoder": lambda **changes: narrow_decoder(
        {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}, **changes
    ),
}
OF_IMAGES = [kind for kind in SUPERNETS if not kind.endswith(("transformer", "ncf", "bert", "decoder"))]
OF_WIDTHS = [
    kind for kind in OF_IMAGES if not kind.endswith(("bootstrapped", "vit", "autoformer"))
]  # the others take their shape from weights


def moved(kind: str) -> Any:
    """An untrained supernet whose norms, biases and kernel transforms are away from their neutral start."""
    supernet = SUPERNETS[kind]()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in supernet.elastic.state_dict().items():
            if name.endswith(("running_var", "bn.weight", "norm.weight")):
                value.copy_(1 + 0.3 * torch.rand(value.shape, generator=generator))
            elif name.endswith(("running_mean", "bias")):
                value.copy_(0.3 * torch.randn(value.shape, generator=generator))
            elif name.endswith("_matrix"):
                value.add_(0.1 * torch.randn(value.shape, generator=generator))
    return supernet
