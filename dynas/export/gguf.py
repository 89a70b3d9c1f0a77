"""A GGUF file, which llama.cpp and all that is built on it run; it is tried by running llama.cpp."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas.core.checkpoint import Checkpoint, PublishesCheckpoints
from dynas.core.language import TASK as LANGUAGE
from dynas.data.text.language_tokenizer import TOKENIZER, parse_tokenizer
from dynas.export.llamacpp import LlamaCpp
from dynas.export.network import Network, Tensors, relative_difference, run
from dynas.export.vocabulary import add_vocabulary, vocabulary_hindrance

if TYPE_CHECKING:
    from gguf import GGUFWriter

ARCHITECTURES = {  # Qwen 2 is Llama with biases; what llama.cpp calls qwen2 has queries as wide as tokens
    "llama": "llama", "mistral": "llama", "qwen2": "llama", "qwen3": "qwen3", "gemma3_text": "gemma3",
}  # fmt: skip
UNEQUAL = "deci"  # Llama's layers, each with sizes of its own
PERMUTED = ("llama", UNEQUAL)  # in which a pair of channels that turns together lies side by side
GEMMA = "gemma3"
STEPWISE = 1e-6  # how far stretches may be from each other and count as one
TEXTS = ("It's 1,234 naïve words.", "\n\n  x = 'Y'", "日本 à la carte\t2026")  # hard ones to make tokens of
BLOCK = 32  # numbers that share a scale in Q8_0


class Gguf:
    """A file for llama.cpp.

    Args:
        precision: of the matrices: F32, F16, or Q8_0 (8 bits, a scale for 32 numbers; rows that are no multiple of that
            stay in F16).
        tolerance: how far log probabilities of the next token may be from the network's, as a share of the largest.
    """

    PACKAGES: tuple[str, ...] = ("gguf", "xllamacpp")
    EXTRA = "llm"
    TASK = LANGUAGE

    def __init__(self, precision: str, tolerance: float) -> None:
        self.precision, self.PRECISION = precision, precision.lower()
        self.TOLERANCE: float | None = tolerance
        self.FILES: tuple[str, ...] = (f"model-{precision.lower()}.gguf",)
        self.USE = f'subprocess.run(["llama-cli", "-m", "{self.FILES[0]}"])'

    def refusal(self, network: Network) -> str | None:
        """Return why llama.cpp would compute something else, as far as that is known; None where nothing is."""
        if not isinstance(network.supernet, PublishesCheckpoints):
            return "llama.cpp does not know it"
        return refusal(network.supernet.checkpoint(network.module))

    def save(self, network: Network, folder: Path) -> None:
        """Write the file."""
        assert isinstance(network.supernet, PublishesCheckpoints)
        write_gguf(network.supernet.checkpoint(network.module), folder / self.FILES[0], self.precision)

    def load(self, folder: Path) -> Callable[[Tensors], Tensors]:
        """Return the file, run by llama.cpp: from tokens ``(N, T)`` to log probabilities ``(N, vocabulary)``."""
        model = LlamaCpp(folder / self.FILES[0], cache="F32")

        def answer(inputs: Tensors) -> Tensors:
            return (torch.stack([model.log_probabilities(text) for text in inputs[0].tolist()]),)

        return answer

    def difference(self, network: Network, folder: Path) -> float:
        """Return the largest difference of log probabilities of the next token, as a share of the largest of them.

        They are those behind tokens and behind a text, which llama.cpp makes tokens of by itself.
        """
        assert isinstance(network.supernet, PublishesCheckpoints)
        tokenizer = parse_tokenizer(network.supernet.checkpoint(network.module).companions[TOKENIZER], TOKENIZER)
        model = LlamaCpp(folder / self.FILES[0], cache="F32")
        noise = [network.inputs(1)[0][0].tolist(), network.inputs(1, 2)[0][0].tolist()]
        longest = len(noise[0])
        pairs: list[tuple[str | list[int], list[int]]] = [(tokens, tokens) for tokens in noise]
        pairs += [(text, ids) for text in TEXTS if len(ids := tokenizer.encode(text).ids) <= longest]
        return max(
            relative_difference((told(network.module, ids),), (model.log_probabilities(given),)) for given, ids in pairs
        )


def told(module: nn.Module, tokens: list[int]) -> Tensor:
    """Return the log probabilities ``(vocabulary,)`` of what follows tokens."""
    return run(module, (torch.tensor([tokens]),))[0][0, -1].log_softmax(-1)


def refusal(checkpoint: Checkpoint) -> str | None:
    """Return what llama.cpp would leave out or take otherwise of a checkpoint; None where nothing is known."""
    architecture = architecture_of(checkpoint)
    if not checkpoint.alike and architecture != UNEQUAL:
        return "llama.cpp loads layers of different sizes of Llama's and Qwen 2's kind only"
    if checkpoint.groups[0] == 0:
        return "llama.cpp needs attention in the first layer"
    windows = {reach.window for reach in checkpoint.reaches} - {None}
    if architecture != GEMMA and any(window < checkpoint.config["max_position_embeddings"] for window in windows):
        return "llama.cpp knows a window of attention of Gemma's kind only"
    if checkpoint.activation != ("gelu_tanh" if architecture == GEMMA else "silu"):
        return f"llama.cpp does not know the activation {checkpoint.activation} here"
    if not np.isclose(checkpoint.scale, checkpoint.config["head_dim"] ** -0.5):
        return "llama.cpp scales attention by the size of its heads"
    if uniform(checkpoint) is None and architecture not in PERMUTED:
        return "llama.cpp stretches rotary positions of its kind by one factor only"
    return vocabulary_hindrance(checkpoint)


def architecture_of(checkpoint: Checkpoint) -> str:
    """Return what llama.cpp calls such a network."""
    name = ARCHITECTURES[checkpoint.config["model_type"]]
    return UNEQUAL if name == "llama" and not checkpoint.alike else name


def uniform(checkpoint: Checkpoint) -> float | None:
    """Return the one factor that stretches all pairs of channels where attention reaches all tokens, else None."""
    found = [one for reach in checkpoint.reaches if reach.window is None for one in reach.stretch] or [1.0]
    return found[0] if np.ptp(found) < STEPWISE * found[0] else None


def write_gguf(checkpoint: Checkpoint, path: Path, precision: str) -> None:
    """Write a checkpoint that `refusal` has nothing against."""
    from gguf import GGUFWriter

    writer = GGUFWriter(path, architecture_of(checkpoint))
    add_sizes(writer, checkpoint)
    add_positions(writer, checkpoint)
    add_vocabulary(writer, checkpoint)
    for name, values in tensors(checkpoint):
        add_tensor(writer, name, values, precision)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_sizes(writer: GGUFWriter, checkpoint: Checkpoint) -> None:
    """Say how wide all parts are, layer by layer where these differ."""
    config, groups = checkpoint.config, checkpoint.groups
    heads = [one * checkpoint.per_group for one in groups]
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(len(groups))
    writer.add_feed_forward_length(checkpoint.units[0] if checkpoint.alike else list(checkpoint.units))
    writer.add_head_count(heads[0] if checkpoint.alike else heads)
    writer.add_head_count_kv(groups[0] if checkpoint.alike else list(groups))
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_layer_norm_rms_eps(float(config.get("rms_norm_eps", 1e-6)))
    writer.add_vocab_size(config["vocab_size"])


def add_positions(writer: GGUFWriter, checkpoint: Checkpoint) -> None:
    """Say how attention knows positions."""
    from gguf import RopeScalingType

    reaches = checkpoint.reaches
    everywhere = next((one for one in reaches if one.window is None), reaches[0])
    writer.add_rope_dimension_count(checkpoint.config["head_dim"])
    writer.add_rope_freq_base(everywhere.theta)
    factor = uniform(checkpoint)
    if factor is not None and factor != 1.0:
        writer.add_rope_scaling_type(RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(factor)
    if architecture_of(checkpoint) == GEMMA:
        window, theta = next(
            ((one.window, one.theta) for one in reaches if one.window is not None),
            (checkpoint.config["max_position_embeddings"], everywhere.theta),
        )
        writer.add_sliding_window(window)
        writer.add_sliding_window_pattern([one.window is not None for one in reaches])
        writer.add_rope_freq_base_swa(theta)


def tensors(checkpoint: Checkpoint) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the weights by llama.cpp's names, and as it wants them."""
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map

    name = architecture_of(checkpoint)
    known = next(one for one, text in MODEL_ARCH_NAMES.items() if text == name)
    names = get_tensor_name_map(known, len(checkpoint.groups))
    for own, value in checkpoint.state.items():
        theirs = names.get_name(own, try_suffixes=(".weight", ".bias"))
        assert theirs is not None, own
        if name in PERMUTED and own.split(".")[-2] in ("q_proj", "k_proj"):
            value = side_by_side(value, checkpoint.config["head_dim"])
        if name == GEMMA and own.endswith("norm.weight"):
            value = 1 + value
        yield theirs, value.float().numpy()
    if uniform(checkpoint) is None:
        yield "rope_freqs.weight", np.array(checkpoint.reaches[0].stretch, np.float32)


def side_by_side(value: Tensor, size: int) -> Tensor:
    """Put the channels of heads that turn together side by side, where the second lay half a head behind the first."""
    return value.view(-1, 2, size // 2, *value.shape[1:]).transpose(1, 2).reshape(value.shape)


def add_tensor(writer: GGUFWriter, name: str, values: NDArray[np.float32], precision: str) -> None:
    """Add a tensor; vectors stay in single precision."""
    from gguf import GGMLQuantizationType, quants

    values = np.ascontiguousarray(values)
    if values.ndim == 1 or precision == "F32":
        writer.add_tensor(name, values)
    elif precision == "Q8_0" and values.shape[1] % BLOCK == 0:
        kind = GGMLQuantizationType.Q8_0
        writer.add_tensor(name, quants.quantize(values, kind), raw_dtype=kind)
    else:
        writer.add_tensor(name, values.astype(np.float16))
