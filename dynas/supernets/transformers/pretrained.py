"""The layout of a pretrained BERT: what its tensors and the ``config.json`` beside them say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from dynas.core.design import is_whole
from dynas.errors import DynasError
from dynas.supernets.transformers.shape import Shape
from dynas.supernets.transformers.words import Words

CONFIG = "config.json"  # in folders of Hugging Face transformers
EPSILON = 1e-12  # of BERT's norms where nothing is said
WANTED = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}


@dataclass(frozen=True)
class Layout:
    """A network that is to become a supernet.

    Attributes:
        vocabulary, positions, segments, classes, epsilon, pooling: see `dynas.supernets.transformers.words.Words`.
        width, layers, heads, units: of the tokens, and of the encoder's layers.
        places: each layer's place in the order in which layers are kept; empty: the first are.
    """

    vocabulary: int
    positions: int
    segments: int
    classes: int
    width: int
    layers: int
    heads: int
    units: int
    epsilon: float = EPSILON
    pooling: str = "first"
    places: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        sizes = {name: size for name, size in asdict(self).items() if name not in ("epsilon", "pooling", "places")}
        if wrong := [name for name, size in sizes.items() if not is_whole(size) or size < 1]:
            raise DynasError(f"the network's {wrong[0]}={sizes[wrong[0]]}: a positive whole number is needed")
        if self.width % self.heads:
            raise DynasError(f"{self.heads} heads cannot share a width of {self.width} evenly")

    @classmethod
    def of(cls, described: object) -> Layout:
        """Return the layout that a mapping describes.

        Raises:
            DynasError: something is missing, unknown or no usable value.
        """
        known = {one.name for one in fields(cls)}
        needed = known - {"epsilon", "pooling", "places"}
        given = described if isinstance(described, Mapping) else {}
        if odd := sorted((set(given) - known) | (needed - set(given))):
            raise DynasError(f"the layout of a BERT needs {', '.join(sorted(needed))}: look at {', '.join(odd)}")
        return cls(**{**given, "places": tuple(given.get("places", ()))})

    def words(self, shares: Mapping[str, tuple[float, ...]], length: int) -> Words:
        """Return what sub-networks have in common.

        Args:
            shares: options of ``layers``, ``heads`` and ``feeds`` as shares of the network's own.
            length: word pieces of the texts that costs are stated for.
        """
        layers, heads, feeds = (
            counts(name, shares[name], whole)
            for name, whole in (("layers", self.layers), ("heads", self.heads), ("feeds", self.units))
        )
        shape = Shape((self.width,), layers, heads, feeds, self.width // self.heads, ranks=self.places)
        sizes = (self.vocabulary, self.positions, self.segments, self.classes)
        return Words(shape, *sizes, self.epsilon, length, self.pooling)


def counts(name: str, shares: tuple[float, ...], whole: int) -> tuple[int, ...]:
    """Return the whole numbers that are nearest to shares of one, each once.

    Raises:
        DynasError: they are no shares in ascending order up to 1.
    """
    if not shares or list(shares) != sorted(set(shares)) or shares[0] <= 0 or shares[-1] != 1:
        raise DynasError(
            f"supernet.{name}={list(shares)}: give shares of the network's own {whole} in ascending order, the last "
            "one being 1"
        )
    return tuple(sorted({max(1, round(share * whole)) for share in shares}))


def layout_of(state: Mapping[str, Tensor], path: Path, heads: int | None, classes: int | None) -> Layout:
    """Return the layout that tensors under our names have.

    Args:
        state: the tensors.
        path: their file, beside which a ``config.json`` may lie.
        heads: of each layer; None: as ``config.json`` says.
        classes: of a new classifier; None: the stored one's.

    Raises:
        DynasError: it is another family, or nothing says how many heads or classes it has.
    """
    said = read_config(path.with_name(CONFIG))
    for key in ("word_embeddings.weight", "position_embeddings.weight", "segment_embeddings.weight"):
        if key not in state or state[key].dim() != 2:
            raise DynasError(f"'{path}' is no BERT: it has no {key.removesuffix('.weight').replace('_', ' ')}")
    numbers = [int(found[1]) for key in state if (found := re.match(r"layers\.(\d+)\.", key))]
    up = state.get("layers.0.up.weight")
    if up is None:
        raise DynasError(f"'{path}' is no BERT: it has no layers")
    heads = heads or said.get("num_attention_heads")
    if heads is None:
        raise DynasError(
            f"nothing says how many heads the layers of '{path}' have: give the folder with its {CONFIG}, or "
            "supernet.stored_heads=<number>"
        )
    classifier = state.get("classifier.weight")
    if classes is None and classifier is None:
        raise DynasError(
            f"'{path}' has no classifier, so that its network tells no classes: give supernet.new_classes=<number of "
            "classes> to train one"
        )
    words, positions, segments = (state[f"{name}_embeddings.weight"] for name in ("word", "position", "segment"))
    return Layout(
        vocabulary=len(words),
        positions=len(positions),
        segments=len(segments),
        classes=len(classifier) if classes is None else classes,  # type: ignore[arg-type]
        width=words.shape[1],
        layers=1 + max(numbers),
        heads=heads,
        units=len(up),
        epsilon=float(said.get("layer_norm_eps", EPSILON)),
        pooling="first" if "pooler.weight" in state else "mean",
    )


def read_config(path: Path) -> dict[str, Any]:
    """Return what a ``config.json`` says of a BERT; nothing where there is no such file.

    Raises:
        DynasError: it cannot be read, or is of a network of another family or with other functions.
    """
    if not path.is_file():
        return {}
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(said, dict)
    except (OSError, ValueError, AssertionError) as error:
        raise DynasError(f"'{path}' is no {CONFIG} of Hugging Face transformers") from error
    for key, wanted in WANTED.items():
        if said.get(key, wanted) != wanted:
            raise DynasError(f"'{path}' has {key}={said[key]}, but supernet=bert is for networks with {key}={wanted}")
    return said
