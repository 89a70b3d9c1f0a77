"""Whether data and supernet fit together, and what they must know of each other."""

from __future__ import annotations

from omegaconf import DictConfig

from dynas.core.activity import doing
from dynas.core.data import ClassificationData, Data
from dynas.core.language import LanguageData, LanguageSupernet
from dynas.core.supernet import Supernet
from dynas.core.texts import ReadsTexts, TextData
from dynas.data.torch_dataset import TorchDataset
from dynas.errors import DynasError


def introduce(config: DictConfig, data: Data, supernet: Supernet) -> None:
    """Let a supernet that reads texts look at the data; raise DynasError where both do not fit together."""
    check_fit(config, supernet, data)
    if isinstance(data, TextData) and isinstance(supernet, ReadsTexts):
        with doing("looking at texts"):
            supernet.meet(data)


def check_fit(config: DictConfig, supernet: Supernet, data: Data) -> None:
    """Raise DynasError where supernet and data disagree on classes, word pieces or tokens, if both have them at all."""
    if isinstance(data, TextData) and isinstance(supernet, ReadsTexts):
        check_texts(supernet, data)
    if isinstance(data, LanguageData) and isinstance(supernet, LanguageSupernet):
        check_language(supernet, data)
    wanted, inferred = config.supernet.get("classes"), supernet.classes
    classes = data.classes if isinstance(data, ClassificationData | TextData) else None
    counted = isinstance(data, TorchDataset)
    hint = f", or classes={inferred} to the Dataset where some of them have no image" if counted else ""
    if wanted is None and None not in (inferred, classes) and inferred != classes:
        raise DynasError(
            f"the network of supernet.weights={config.supernet.weights} has {inferred} classes but the data have "
            f"{classes}: give weights trained for {classes} classes, or other data{hint}"
        )
    if wanted is not None and classes is not None and wanted != classes:
        raise DynasError(
            f"supernet.classes={wanted} but the data has {classes} classes: "
            f"give supernet.classes={classes} with weights trained for them, or other data"
        )


def check_texts(supernet: ReadsTexts, data: TextData) -> None:
    """Raise DynasError where networks cannot read the word pieces of texts."""
    if data.vocabulary != supernet.vocabulary:
        raise DynasError(
            f"the tokenizer has {data.vocabulary:,} word pieces, but the network was made for "
            f"{supernet.vocabulary:,}: give data.tokenizer=<the one of these weights>"
        )
    if data.longest > supernet.positions:
        raise DynasError(
            f"data.max_length={data.longest} is longer than the network reads: give {supernet.positions} or less"
        )


def check_language(supernet: LanguageSupernet, data: LanguageData) -> None:
    """Raise DynasError where networks cannot read the tokens of texts, or know them by other numbers."""
    own = supernet.tokenizer_digest
    if data.vocabulary > supernet.vocabulary or own not in (None, data.tokenizer_digest):
        raise DynasError(
            f"the tokenizer of the data, with {data.vocabulary:,} tokens, is not that of the network, which knows "
            f"{supernet.vocabulary:,}: give data.tokenizer=<the tokenizer.json of these weights>"
        )
    if data.window > supernet.positions:
        raise DynasError(
            f"data.window={data.window} is longer than the network reads: give {supernet.positions} or less"
        )
