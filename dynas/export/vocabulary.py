"""The vocabulary of a GGUF file, from a tokenizer.json of bytes and pairs (BPE on bytes)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from dynas.core.checkpoint import Checkpoint
from dynas.data.text.language_tokenizer import TOKENIZER

if TYPE_CHECKING:
    from gguf import GGUFWriter

DIGITS = {"type": "Digits", "individual_digits": True}
WORDS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
REST = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
SPLITS = {  # how llama.cpp calls ways to split text before pairs are merged
    WORDS + "|\\p{N}{1,3}" + REST: "llama-bpe",
    WORDS + "|\\p{N}" + REST: "qwen2",
}


def vocabulary_hindrance(checkpoint: Checkpoint) -> str | None:
    """Return why a GGUF file cannot hold a checkpoint's tokenizer; None where it can."""
    if TOKENIZER not in checkpoint.companions:
        return f"the weights have no {TOKENIZER} beside them, without which llama.cpp reads no text"
    if split_of(json.loads(checkpoint.companions[TOKENIZER])) is None:
        return "its tokenizer is none of those on bytes that llama.cpp knows (of GPT-2, Llama 3, Qwen 2 and SmolLM)"
    return None


def split_of(content: dict[str, Any]) -> str | None:
    """Return llama.cpp's name for how a tokenizer splits text; None where it knows none that does the same."""
    model, before = content["model"], content.get("pre_tokenizer") or {}
    steps = before.get("pretokenizers", [before])
    if model.get("type") != "BPE" or model.get("byte_fallback") or not steps or steps[-1].get("type") != "ByteLevel":
        return None
    *first, last = steps
    if last.get("add_prefix_space"):
        return None
    if last.get("use_regex", True):
        return "gpt-2" if not first else ("smollm" if first == [DIGITS] else None)
    pattern = first[0].get("pattern", {}).get("Regex", "") if len(first) == 1 else ""
    return SPLITS.get(pattern)


def add_vocabulary(writer: GGUFWriter, checkpoint: Checkpoint) -> None:
    """Add tokens, merges, and which of them begin and end a text."""
    from gguf import TokenType

    content = json.loads(checkpoint.companions[TOKENIZER])
    size = checkpoint.config["vocab_size"]
    tokens = [f"[unused {number}]" for number in range(size)]
    types = [TokenType.UNUSED] * size
    for token, number in content["model"]["vocab"].items():
        tokens[number], types[number] = token, TokenType.NORMAL
    for added in content.get("added_tokens", []):
        kind = TokenType.CONTROL if added["special"] else TokenType.USER_DEFINED
        tokens[added["id"]], types[added["id"]] = added["content"], kind
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(str(split_of(content)))
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    merges = content["model"]["merges"]
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in merges])
    first = first_of(Tokenizer.from_str(json.dumps(content)))
    writer.add_add_bos_token(first is not None)
    bos, eos = (number_of(checkpoint.config.get(name)) for name in ("bos_token_id", "eos_token_id"))
    if (begins := bos if first is None else first) is not None:
        writer.add_bos_token_id(begins)
    if eos is not None:
        writer.add_eos_token_id(eos)


def first_of(tokenizer: Tokenizer) -> int | None:
    """Return the token that a tokenizer puts before all texts; None where it puts none."""
    with_it, without = (tokenizer.encode("a", add_special_tokens=special).ids for special in (True, False))
    return int(with_it[0]) if with_it[:1] != without[:1] else None


def number_of(given: int | list[int] | None) -> int | None:
    """Return a token of config.json, of several the first one."""
    return given[0] if isinstance(given, list) else given
