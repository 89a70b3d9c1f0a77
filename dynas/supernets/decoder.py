"""Decoders of language as supernets: elastic width, layers, attention and feed-forward networks of any such network.

Llama, Mistral, Qwen2, Qwen3 and Gemma 3, from folders of Hugging Face transformers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dynas.core.checkpoint import Checkpoint
from dynas.core.language import TASK
from dynas.core.space import Architecture, Genotypes
from dynas.core.supernet import Supernet
from dynas.data.text.language_tokenizer import EMBEDDED as TOKENIZER_FILE
from dynas.data.text.language_tokenizer import TOKENIZER, parse_tokenizer, tokenizer_digest
from dynas.errors import DynasError
from dynas.supernets.decoders.calibration import calibration_texts
from dynas.supernets.decoders.config import read_config
from dynas.supernets.decoders.folder import CONFIG, Folder, read_folder, read_shape
from dynas.supernets.decoders.importance import falling, measure, sort_channels, sort_groups, sort_units
from dynas.supernets.decoders.network import Decoder, ElasticDecoder
from dynas.supernets.decoders.published import padded as with_zeros
from dynas.supernets.decoders.published import published
from dynas.supernets.decoders.shape import Shape, Sizes, count_macs, count_params, count_remembered
from dynas.supernets.weights.load import copy_state, embedded_path

SORTED = "dynas"  # what our own config.json has besides those of others: the order of the layers


class DecoderSupernet(Supernet):
    """The trained supernet that the search draws from.

    Options are numbers, or as fractions shares of what the whole network has; the last one is all of it.

    Args:
        weights: ``embedded``, ``random`` (untrained), a folder with config.json, weights and tokenizer.json, or a file
            of weights beside its config.json, as dynas train writes it.
        config: shape of an untrained network: a config.json, its folder or its content; None: the embedded one's.
        widths: channels of a token; None: all.
        layers: numbers of layers, of which those that matter least go first; None: all.
        skip: layers that each may be left out on its own, counted from 0; ``inner``: all but the first and the last
            one; None: none.
        groups: key-value groups of each layer; 0: its attention is skipped. None: all.
        feeds: hidden units of each layer's feed-forward network; None: all.
        calibration: text that says what matters, where the weights are another's: ``brown`` (embedded) or a file;
            None: nothing is put in order, and the last parts count as those that matter least.
        calibration_tokens: how many of its tokens are looked at.
        length: tokens of the text that latency and MACs are stated for.
        seed: seed of the weights where ``weights=random``.
        latency_batch: texts that a latency is stated for; None: the hardware's choice.

    Raises:
        DynasError: the weights cannot be read or do not fit, or a setting makes no sense.
    """

    name = "decoder"
    task = TASK

    def __init__(
        self,
        weights: str,
        config: str | Mapping[str, Any] | None,
        widths: Sequence[int | float] | None,
        layers: Sequence[int | float] | None,
        skip: Sequence[int] | str | None,
        groups: Sequence[int | float] | None,
        feeds: Sequence[int | float] | None,
        calibration: str | None,
        calibration_tokens: int,
        length: int,
        seed: int = 0,
        latency_batch: int | None = None,
    ) -> None:
        folder = find(weights, config)
        whole = read_config(folder.config, config if weights == "random" else weights)
        if not 2 <= length <= whole.positions:
            raise DynasError(f"supernet.length={length}: give 2 to {whole.positions}, the longest text of this network")
        self.config, self.length, self.latency_batch = whole, length, latency_batch
        self.lengths = (2, whole.positions)
        self._folder = folder
        known = stored_order(folder.config, whole.layers)
        order = list(range(whole.layers)) if known is None else known
        self.shape = Shape.made(whole, widths, layers, skip, groups, feeds, order)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.elastic = ElasticDecoder(whole, self.shape, first=weights == "random")
        self.elastic.eval()
        self.weights_digest = "random"
        if weights != "random":
            state = folder.state()
            if whole.tied:
                state.pop("lm_head.weight", None)
            copy_state(self.elastic, state, weights)
            self.weights_digest = folder.digest()
        if weights != "random" and known is None and calibration is not None:
            order = self.sort(calibration, calibration_tokens)
            self.shape = self.elastic.shape = Shape.made(whole, widths, layers, skip, groups, feeds, order)
        self.order = order
        self.space = self.shape.space()

    def sort(self, calibration: str, tokens: int) -> list[int]:
        """Put first what matters to a text; return the order of the layers.

        Raises:
            DynasError: there is no tokenizer or no text.
        """
        if self._folder.tokenizer is None:
            raise DynasError(
                "the weights have no tokenizer.json beside them, so that no text can say what matters: add it, or give "
                "supernet.calibration=null"
            )
        tokenizer = parse_tokenizer(self._folder.tokenizer, TOKENIZER)
        texts = calibration_texts(calibration, tokenizer, min(self.length, self.config.positions), tokens)
        if texts.max() >= self.vocabulary:
            raise DynasError(f"{TOKENIZER} has tokens beyond the {self.vocabulary} that the network knows")
        found = measure(self.elastic, texts)
        if len(self.shape.units) > 1:
            sort_units(self.elastic, found.units)
        if len(self.shape.groups) > 1:
            sort_groups(self.elastic, found.groups)
        if len(self.shape.widths) > 1:
            sort_channels(self.elastic, found.channels)
        orders = [falling(part).tolist() for part in (found.units, found.groups, found.channels)]
        order = [int(layer) for layer in falling(found.layers)]
        self.weights_digest = hashlib.sha256(json.dumps([self.weights_digest, order, orders]).encode()).hexdigest()
        return order

    @property
    def vocabulary(self) -> int:
        """Number of tokens that its networks know."""
        return self.config.vocabulary

    @property
    def positions(self) -> int:
        """Longest text in tokens."""
        return self.config.positions

    @property
    def tokenizer_digest(self) -> str | None:
        """SHA-256 of what its own tokenizer does; None where it has none."""
        if self._folder.tokenizer is None:
            return None
        return tokenizer_digest(parse_tokenizer(self._folder.tokenizer, TOKENIZER))

    @property
    def content(self) -> dict[str, Any]:
        """What its config.json says: that of the whole network, and the order of its layers."""
        return {**self._folder.config, SORTED: {"layers": list(self.order)}}

    @property
    def inferred(self) -> Mapping[str, Any]:  # type: ignore[override]
        """The settings that an untrained supernet of the same shape needs."""
        return {"config": self.content}

    def companions(self) -> Mapping[str, bytes]:
        """Return what must lie beside its weights, by the names of files."""
        config = {**self._folder.beside, CONFIG: (json.dumps(self.content, indent=2) + "\n").encode()}
        return config if self._folder.tokenizer is None else config | {TOKENIZER: self._folder.tokenizer}

    def subnet(self, architecture: Architecture) -> Decoder:
        """Return the stand-alone sub-network in eval mode, with its own copy of the sliced weights."""
        subnet: Decoder = self.elastic.static(architecture)
        return subnet

    def checkpoint(self, subnet: nn.Module, padded: bool = False) -> Checkpoint:
        """Return a sub-network in the words of transformers (see `dynas.core.checkpoint.PublishesCheckpoints`)."""
        assert isinstance(subnet, Decoder)
        beside = {name: content for name, content in self.companions().items() if name != CONFIG}
        return published(with_zeros(subnet) if padded else subnet, beside)

    def example_inputs(self, batch_size: int, subnet: nn.Module | None = None) -> tuple[Tensor, ...]:
        """Return tokens ``(batch_size, length)``, seeded noise."""
        noise = torch.Generator().manual_seed(0)
        return (torch.randint(self.vocabulary, (batch_size, self.length), generator=noise),)

    def sizes(self, genotypes: Genotypes) -> Sizes:
        """Return the sizes that genotypes ``(n, G)`` choose."""
        return Sizes.of(self.shape, self.space, genotypes)

    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact multiply-accumulates ``(n,)`` for one text of ``length`` tokens."""
        return count_macs(self.config, self.sizes(genotypes), self.length)

    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters ``(n,)``, the embedding table included."""
        return self.params_without_embeddings(genotypes) + self.vocabulary * self.sizes(genotypes).width

    def params_without_embeddings(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the exact number of parameters ``(n,)`` without the embedding table."""
        return count_params(self.config, self.sizes(genotypes))

    def remembered(self, genotypes: Genotypes, tokens: int) -> NDArray[np.int64]:
        """Return the numbers ``(n,)`` that keys and values of one text take in a cache."""
        return count_remembered(self.config, self.sizes(genotypes), tokens)


def stored_order(content: Mapping[str, Any], layers: int) -> list[int] | None:
    """Return the layers by importance, where a config.json of ours says so, or raise DynasError."""
    told = content.get(SORTED)
    if told is None:
        return None
    order = told.get("layers") if isinstance(told, Mapping) else None
    if (
        not isinstance(order, list)
        or any(type(one) is not int for one in order)
        or sorted(order) != list(range(layers))
    ):
        raise DynasError(f"{CONFIG} needs {SORTED}.layers as the numbers of all {layers} layers, got {told!r}")
    return order


def find(weights: str, config: str | Mapping[str, Any] | None) -> Folder:
    """Return where weights and shape come from, or raise DynasError."""
    if weights != "random" and config is not None:
        raise DynasError("supernet.config is for supernet.weights=random; others have their config.json beside them")
    if weights not in ("random", "embedded"):
        return read_folder(weights)
    if isinstance(config, Mapping):
        return Folder(config, None)
    if config is not None:
        return read_shape(Path(config).expanduser())
    file = embedded_path(DecoderSupernet.name)
    shape = Folder(read_shape(file.with_suffix(".json")).config, TOKENIZER_FILE.read_bytes())
    if weights == "random":
        return shape
    return Folder(shape.config, shape.tokenizer, [file])
