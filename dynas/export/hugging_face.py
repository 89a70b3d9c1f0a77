"""A folder of Hugging Face transformers: plain where all layers are alike, else with a file of code or with zeros."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from dynas.core.checkpoint import Checkpoint, PublishesCheckpoints
from dynas.core.language import TASK as LANGUAGE
from dynas.data.text.language_tokenizer import TOKENIZER
from dynas.export.network import Network, Tensors, worst_difference

WEIGHTS, CONFIG, CODE = "model.safetensors", "config.json", "modeling_dynas.py"
TOKENIZER_CONFIG = "tokenizer_config.json"
TEMPLATE = Path(__file__).with_name("modeling_template.txt")
CLASS = "DecoderForCausalLM"  # in the file of code
SIZES = "layer_sizes"  # what config.json has for it


class HuggingFace:
    """A folder for ``AutoModelForCausalLM.from_pretrained``.

    Args:
        padded: whether zeros make layers alike that are not; else they keep their sizes, and a file of code, which
            transformers runs only where it is trusted, makes them.
    """

    PACKAGES: tuple[str, ...] = ("transformers",)
    EXTRA = "llm"
    TASK = LANGUAGE
    PRECISION = "fp32"
    TOLERANCE: float | None = 1e-4

    def __init__(self, padded: bool) -> None:
        self.padded = padded
        name = "hugging_face_padded" if padded else "hugging_face"
        self.FILES: tuple[str, ...] = (name,)
        trusted = "" if padded else ", trust_remote_code=True"
        self.USE = f'transformers.AutoModelForCausalLM.from_pretrained("{name}"{trusted})'

    def refusal(self, network: Network) -> str | None:
        """Return why a network cannot be written; None where it can."""
        return None if isinstance(network.supernet, PublishesCheckpoints) else "transformers does not know the network"

    def save(self, network: Network, folder: Path) -> None:
        """Write the folder."""
        assert isinstance(network.supernet, PublishesCheckpoints)
        checkpoint = network.supernet.checkpoint(network.module, self.padded)
        target = folder / self.FILES[0]
        target.mkdir()
        config = dict(checkpoint.config)
        if not checkpoint.alike:
            config |= {SIZES: {"groups": checkpoint.groups, "units": checkpoint.units}}
            config |= {"auto_map": {"AutoModelForCausalLM": f"{CODE.removesuffix('.py')}.{CLASS}"}}
            base = config["architectures"][0]
            (target / CODE).write_text(TEMPLATE.read_text(encoding="utf-8").replace("{base}", base), encoding="utf-8")
            config["architectures"] = [CLASS]
        (target / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        for name, content in beside(checkpoint).items():
            (target / name).write_bytes(content)
        state = {name: value.contiguous() for name, value in checkpoint.state.items()}
        save_file(state, target / WEIGHTS, {"format": "pt"})
        (target / WEIGHTS).chmod((target / CONFIG).stat().st_mode)  # safetensors lets nobody but their owner read them

    def load(self, folder: Path) -> Callable[[Tensors], Tensors]:
        """Return the network in the folder, run by transformers."""
        module = load_module(folder / self.FILES[0])

        def answer(inputs: Tensors) -> Tensors:
            with torch.inference_mode():
                return (module(inputs[0], use_cache=False).logits,)

        return answer

    def difference(self, network: Network, folder: Path) -> float:
        """Return the largest difference between what folder and network compute, as a share of the largest output."""
        return worst_difference(network, self.load(folder))


def beside(checkpoint: Checkpoint) -> dict[str, bytes]:
    """Return the files beside the weights, with what says which tokenizer it is where nobody has said it."""
    found = dict(checkpoint.companions)
    if TOKENIZER in found and TOKENIZER_CONFIG not in found:
        tokenizer = Tokenizer.from_buffer(found[TOKENIZER])
        said: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast"}
        for name in ("bos_token", "eos_token"):
            if isinstance(number := checkpoint.config.get(f"{name}_id"), int):
                said[name] = tokenizer.id_to_token(number)
        found[TOKENIZER_CONFIG] = (json.dumps(said, indent=2) + "\n").encode()
    return found


def load_module(folder: Path) -> Any:
    """Return what transformers makes of a folder that we wrote, in eval mode."""
    transformers: Any = import_module("transformers")  # it has no types
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    found = transformers.AutoModelForCausalLM.from_pretrained(
        folder.absolute(), trust_remote_code=True, dtype=torch.float32, local_files_only=True
    )
    return found.eval()
