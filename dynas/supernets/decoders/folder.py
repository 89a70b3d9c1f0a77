"""A decoder on disk: config.json, weights in one file or in shards, and tokenizer.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from dynas.errors import DynasError
from dynas.runs.names import WEIGHTS
from dynas.supernets.weights.download import sha256
from dynas.supernets.weights.load import IN_FOLDERS
from dynas.supernets.weights.state import read_state
from dynas.system.files import from_json

CONFIG, TOKENIZER, INDEX = "config.json", "tokenizer.json", "model.safetensors.index.json"
BESIDE = ("tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "chat_template.jinja")
PREFIX = "model."  # before all names but the output layer's
UNUSED = "rotary_emb.inv_freq"  # follows from config.json; old files of Llama hold it


@dataclass(frozen=True)
class Folder:
    """What lies in a folder.

    Attributes:
        config: content of config.json.
        tokenizer: content of tokenizer.json; None where there is none.
        weights: files that hold the weights together; none where only the shape is asked for.
        beside: what else says how the network is used, such as a chat template, by the names of files.
    """

    config: Mapping[str, Any]
    tokenizer: bytes | None
    weights: Sequence[Path] = ()
    beside: Mapping[str, bytes] = field(default_factory=dict)

    def state(self) -> dict[str, Tensor]:
        """Return the weights under our names, which are those of transformers without the first word."""
        found: dict[str, Tensor] = {}
        for path in self.weights:
            found |= {name.removeprefix(PREFIX): value for name, value in read_state(path).items()}
        return {name: value for name, value in found.items() if not name.endswith(UNUSED)}

    def digest(self) -> str:
        """Return what identifies weights and config: a SHA-256."""
        parts = [json.dumps(self.config, sort_keys=True), *map(sha256, self.weights)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read_folder(given: str) -> Folder:
    """Return what lies in a folder with weights, or beside a file of weights.

    Raises:
        DynasError: config.json or weights are missing or cannot be read.
    """
    path = Path(given).expanduser()
    shape = read_shape(path if path.is_dir() else path.parent)
    return replace(shape, weights=shards(path) if path.is_dir() else whole(path))


def read_shape(path: Path) -> Folder:
    """Return a folder's config, and what is not weights, or raise DynasError."""
    file = path / CONFIG if path.is_dir() else path
    if not file.is_file():
        raise DynasError(
            f"no {CONFIG} in '{file.parent}': give supernet.weights=<folder of Hugging Face transformers>, with "
            f"{CONFIG}, *.safetensors and {TOKENIZER}"
        )
    found = {name: (file.parent / name).read_bytes() for name in (TOKENIZER, *BESIDE) if (file.parent / name).is_file()}
    return Folder(read_mapping(file), found.pop(TOKENIZER, None), beside=found)


def read_mapping(path: Path) -> Mapping[str, Any]:
    """Return the object that a JSON file holds, or raise DynasError."""
    try:
        content = from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DynasError(f"cannot read '{path}': {error}") from error
    if not isinstance(content, dict):
        raise DynasError(f"'{path}' holds no object with settings")
    return content


def whole(path: Path) -> list[Path]:
    """Return a file of weights, or raise DynasError."""
    if not path.is_file():
        raise DynasError(f"no weights at '{path}', there is no such file: give supernet.weights=<path>")
    return [path]


def shards(path: Path) -> list[Path]:
    """Return the files of the weights in a folder, or raise DynasError."""
    if (path / INDEX).is_file():
        named = read_mapping(path / INDEX).get("weight_map")
        names = sorted(set(map(str, named.values()))) if isinstance(named, dict) else []
        if not names or any(Path(name).name != name for name in names):
            raise DynasError(f"'{path / INDEX}' does not say which files of its folder hold the weights")
        if missing := [name for name in names if not (path / name).is_file()]:
            raise DynasError(f"'{path}' lacks {missing[0]}, one of {len(names)} files that hold the weights together")
        return [path / name for name in names]
    file = next((path / name for name in (*IN_FOLDERS, WEIGHTS) if (path / name).is_file()), None)
    if file is None:
        known = " nor ".join((INDEX, *IN_FOLDERS, WEIGHTS))
        raise DynasError(f"no weights at '{path}', the folder has neither {known}: give supernet.weights=<another>")
    return [file]
