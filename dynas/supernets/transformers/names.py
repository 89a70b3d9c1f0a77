"""Names of encoders' weights: those of public checkpoints as ours.

| from | what |
| --- | --- |
| Hugging Face transformers | BERT and ViT, with or without a head |
| DyNAS-T (IntelLabs/DyNAS-T 251cb5e) | BERT-base and ViT-B/16; the former as transformers' |
| timm, torchvision | ViT-B/16; queries, keys and values in one matrix |
| Cream (microsoft/Cream 4a13c40) | AutoFormer |
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

from dynas.supernets.weights.state import our_names

Rule = tuple[str, str]  # pattern of a name, what takes its place
BERT: Sequence[Rule] = (
    (r"^(?:bert\.)?embeddings\.word_embeddings\.", "word_embeddings."),
    (r"^(?:bert\.)?embeddings\.position_embeddings\.", "position_embeddings."),
    (r"^(?:bert\.)?embeddings\.token_type_embeddings\.", "segment_embeddings."),
    (r"^(?:bert\.)?embeddings\.LayerNorm\.", "embeddings_norm."),
    (r"^(?:bert\.)?encoder\.layer\.(\d+)\.attention\.self\.", r"layers.\1.attention."),
    (r"^(?:bert\.)?encoder\.layer\.(\d+)\.attention\.output\.dense\.", r"layers.\1.attention.out."),
    (r"^(?:bert\.)?encoder\.layer\.(\d+)\.attention\.output\.LayerNorm\.", r"layers.\1.attention_norm."),
    (r"^(?:bert\.)?encoder\.layer\.(\d+)\.intermediate\.dense\.", r"layers.\1.up."),
    (r"^(?:bert\.)?encoder\.layer\.(\d+)\.output\.dense\.", r"layers.\1.down."),
    (r"^(?:bert\.)?encoder\.layer\.(\d+)\.output\.LayerNorm\.", r"layers.\1.feed_norm."),
    (r"^(?:bert\.)?pooler\.dense\.", "pooler."),
    (r"\.gamma$", ".weight"),  # norms in the first releases
    (r"\.beta$", ".bias"),
)
VIT: Sequence[Rule] = (
    # DyNAS-T and torchvision
    (r"^conv_proj\.", "patches."),
    (r"^encoder\.pos_embedding\.weight$", "positions"),
    (r"^encoder\.pos_embedding$", "positions"),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.", r"layers.\1."),
    (r"^encoder\.ln\.", "norm."),
    (r"^heads\.head\.", "head."),
    (r"\.ln_1\.", ".attention_norm."),
    (r"\.ln_2\.", ".feed_norm."),
    (r"\.self_attention\.in_proj_(weight|bias)$", r".attention.qkv.\1"),
    (r"\.self_attention\.out_proj\.", ".attention.out."),
    (r"\.self_attention\.", ".attention."),
    (r"\.attention_output\.dense\.", ".attention.out."),
    (r"\.attention_output\.LayerNorm\.", ".residual_norm."),
    (r"\.mlp\.(?:linear_1|0|fc1)\.", ".up."),
    (r"\.mlp\.(?:linear_2|3|fc2)\.", ".down."),
    # timm
    (r"^cls_token$", "class_token"),
    (r"^pos_embed$", "positions"),
    (r"^patch_embed\.proj\.", "patches."),
    (r"^blocks\.(\d+)\.", r"layers.\1."),
    (r"\.norm1\.", ".attention_norm."),
    (r"\.norm2\.", ".feed_norm."),
    (r"\.attn\.qkv\.", ".attention.qkv."),
    (r"\.attn\.proj\.", ".attention.out."),
    # transformers
    (r"^(?:vit\.)?embeddings\.cls_token$", "class_token"),
    (r"^(?:vit\.)?embeddings\.position_embeddings$", "positions"),
    (r"^(?:vit\.)?embeddings\.patch_embeddings\.projection\.", "patches."),
    (r"^(?:vit\.)?encoder\.layer\.(\d+)\.", r"layers.\1."),
    (r"\.attention\.attention\.", ".attention."),
    (r"\.attention\.output\.dense\.", ".attention.out."),
    (r"\.intermediate\.dense\.", ".up."),
    (r"\.output\.dense\.", ".down."),
    (r"^vit\.layers\.(\d+)\.", r"layers.\1."),  # as version 5 has them in memory
    (r"\.attention\.q_proj\.", ".attention.query."),
    (r"\.attention\.k_proj\.", ".attention.key."),
    (r"\.attention\.v_proj\.", ".attention.value."),
    (r"\.attention\.o_proj\.", ".attention.out."),
    (r"\.layernorm_before\.", ".attention_norm."),
    (r"\.layernorm_after\.", ".feed_norm."),
    (r"^(?:vit\.)?layernorm\.", "norm."),
    (r"^classifier\.", "head."),
)
AUTOFORMER: Sequence[Rule] = (
    (r"^cls_token$", "class_token"),
    (r"^pos_embed$", "positions"),
    (r"^patch_embed_super\.proj\.", "patches."),
    (r"^blocks\.(\d+)\.", r"layers.\1."),
    (r"\.attn\.", ".attention."),
    (r"\.attn_layer_norm\.", ".attention_norm."),
    (r"\.ffn_layer_norm\.", ".feed_norm."),
    (r"\.fc1\.", ".up."),
    (r"\.fc2\.", ".down."),
)
UNUSED = ("position_ids",)  # numbers from 0 on that some versions store


def renamed(state: Mapping[str, Tensor], rules: Sequence[Rule]) -> dict[str, Tensor]:
    """Return weights under our names."""
    found: dict[str, Tensor] = {}
    for key, value in our_names(state).items():
        if not key.endswith(UNUSED):
            name = key
            for pattern, ours in rules:
                name = re.sub(pattern, ours, name)
            found[name] = value
    return found


def split_joint(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with queries, keys and values apart, where one matrix held them one below the other."""
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        layer, joint, last = name.partition(".attention.qkv.")
        if joint:
            parts = value.chunk(3)
            found |= {
                f"{layer}.attention.{part}.{last}": one
                for part, one in zip(("query", "key", "value"), parts, strict=True)
            }
        else:
            found[name] = value
    return found
