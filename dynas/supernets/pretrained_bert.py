"""Any pretrained BERT as a supernet: shares of its layers, heads and units, put in order of importance."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

from torch import Tensor

from dynas.core.texts import TextData
from dynas.errors import DynasError
from dynas.supernets.bert import USUAL, BertSupernet, named
from dynas.supernets.transformers.importance import by_activations, by_weights, places, put_in_order
from dynas.supernets.transformers.pretrained import Layout, layout_of
from dynas.supernets.transformers.shape import search_space
from dynas.supernets.weights.download import sha256
from dynas.supernets.weights.load import copy_state, locate
from dynas.supernets.weights.state import read_state
from dynas.supernets.weights.storage import read_inferred

ORDERS = ("activations", "weights")
DROPS = ("top", "importance")
HEAD = ("pooler.", "classifier.")  # of a classifier, which other networks lack


class PretrainedBertSupernet(BertSupernet):
    """The supernet that a trained network becomes, its largest sub-network.

    Args:
        weights: ``embedded``, a file or folder of Hugging Face transformers, a file of ours that was trained from one,
            or ``random`` (untrained).
        layers, heads, feeds: options as shares of the network's own layers, heads and feed-forward units.
        order: what heads and units are put in order of importance by: ``activations`` on training texts, by weights
            where no texts are known, or ``weights``. Files of ours are in order already.
        drop: which layers go first: those at the ``top``, or by ``importance`` those that turn the tokens least.
        new_classes: classes of a new, untrained classifier; None: the stored classifier.
        pooling: what a new classifier sees (`dynas.supernets.transformers.words.Words`); None: as is stored.
        stored_heads: heads of each layer; None: as the ``config.json`` beside the weights says.
        network: layout of an untrained network (`dynas.supernets.transformers.pretrained.Layout`).
        length, seed, latency_batch: see `dynas.supernets.bert.BertSupernet`.

    Attributes:
        inferred: with it, an untrained supernet has the same shape.

    Raises:
        DynasError: the weights cannot be read or are no BERT, or the options make no sense for it.
    """

    def __init__(
        self,
        weights: str,
        layers: Sequence[float],
        heads: Sequence[float],
        feeds: Sequence[float],
        order: str,
        drop: str,
        new_classes: int | None = None,
        pooling: str | None = None,
        stored_heads: int | None = None,
        network: Mapping[str, Any] | None = None,
        length: int | None = None,
        seed: int = 0,
        latency_batch: int | None = None,
    ) -> None:
        for name, given, allowed in (("order", order, ORDERS), ("drop", drop, DROPS)):
            if given not in allowed:
                raise DynasError(f"supernet.{name}={given}: give {' or '.join(allowed)}")
        path = None if weights == "random" else locate(weights, self.name, None)
        state = {} if path is None else named(read_state(path))
        stored = network if path is None else read_inferred(path)
        layout = (
            described(stored, path) if path is None or stored else layout_of(state, path, stored_heads, new_classes)
        )
        if pooling is not None and pooling != layout.pooling:
            if new_classes is None:
                raise DynasError(
                    f"supernet.pooling={pooling} is not what the stored classifier was trained for: leave it out, or "
                    "give supernet.new_classes=<number of classes> as well"
                )
            layout = replace(layout, pooling=pooling)
        self.layout, self.classes, self.new_head = layout, layout.classes, new_classes is not None
        shares = {
            name: tuple(map(float, given)) for name, given in (("layers", layers), ("heads", heads), ("feeds", feeds))
        }
        self.build(layout.words(shares, length or min(USUAL, layout.positions)), length, seed, latency_batch)
        if path is not None:
            copy_state(self.elastic, state if new_classes is None else self.with_new_head(state), path)
        self.weights_digest = "random" if path is None else sha256(path)
        trained_alone = path is not None and stored is None
        self.by_texts = trained_alone and order == "activations"
        self.drops = trained_alone and drop == "importance"
        if trained_alone:
            put_in_order(self.elastic.blocks, by_weights(self.elastic.blocks))

    @property
    def trained(self) -> bool:
        """Whether its weights know the task: not with a new classifier."""
        return super().trained and not self.new_head

    @property
    def inferred(self) -> Mapping[str, Any]:  # type: ignore[override]
        """Settings with which an untrained supernet has the same shape."""
        return {"network": asdict(self.layout)}

    def with_new_head(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return a network's tensors with the elastic network's own classifier."""
        own = self.elastic.state_dict()
        kept = {name: value for name, value in state.items() if not name.startswith(HEAD)}
        pooler = {name: state.get(name, value) for name, value in own.items() if name.startswith("pooler.")}
        return kept | pooler | {name: value for name, value in own.items() if name.startswith("classifier.")}

    def meet(self, data: TextData) -> None:
        """Take a text for latency and MACs, and put the parts in order by what they do on training texts."""
        super().meet(data)
        if not self.by_texts and not self.drops:
            return
        importance = by_activations(self.elastic, islice(data.calibration_batches(), 1))
        if self.by_texts:
            put_in_order(self.elastic.blocks, importance)
        if self.drops:
            self.layout = replace(self.layout, places=places(importance))
            self.elastic.arrange(self.layout.places)
            self.words = replace(self.words, shape=self.elastic.words.shape)
            self.space = search_space(self.words.shape)
        # in another order they are other weights, so that whoever goes on with a run is told
        seen = repr([(one.heads.argsort().tolist(), one.units.argsort().tolist()) for one in importance])
        self.weights_digest = hashlib.sha256(f"{self.weights_digest} {seen}".encode()).hexdigest()
        self.by_texts = self.drops = False


def described(stored: object, path: Path | None) -> Layout:
    """Return the layout that the settings of an untrained network or a file of ours describe.

    Raises:
        DynasError: there is none, or it makes no sense.
    """
    if stored is None:
        raise DynasError(
            "supernet bert is made from a trained network: give its file or folder as supernet.weights, in dynas train "
            "as start, or the layout of an untrained one as supernet.network"
        )
    return Layout.of(stored if path is None or not isinstance(stored, Mapping) else stored.get("network"))
