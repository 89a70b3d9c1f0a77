"""Samples of every task: what has to be the same every time, and the form of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dynas.core.data import IGNORED, ClassificationData
from dynas.core.language import LanguageData, Windows
from dynas.core.recommendation import RecommendationData
from dynas.core.texts import TextBatch, TextData
from dynas.core.translation import EOS, PAD, TokenBatch, TranslationData

Samples = ClassificationData | TranslationData | RecommendationData | TextData | LanguageData


def first_samples(batches: Iterator[tuple[Tensor, Tensor]], count: int) -> tuple[Tensor, Tensor]:
    """Return the first ``count`` samples of batches of any size."""
    images, labels = zip(*batches, strict=True)
    return torch.cat(images)[:count], torch.cat(labels)[:count]


def fixed(data: Samples) -> list[Any]:
    """Return everything that every sub-network is measured on."""
    if isinstance(data, ClassificationData):
        validation = [as_list(batch) for batch in data.validation_batches()]
        return [*validation, *([batch] for batch in data.calibration_batches())]
    if isinstance(data, TranslationData):
        return [list(data.validation), data.references, data.tokenised_references]
    if isinstance(data, TextData | LanguageData):
        return [as_list(batch) for batch in data.validation_batches()]
    return [data.ranked_users.tolist(), data.candidates.tolist()]


def as_list(batch: tuple[Tensor, ...]) -> list[Tensor]:
    """Return the tensors of a batch."""
    return list(batch)


def alike(some: list[Any], others: list[Any]) -> bool:
    """Tell whether two batches, or two lists, are the same."""
    if not some or not isinstance(some[0], Tensor):
        return some == others
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


def check_labelled(data: ClassificationData, batch: tuple[Tensor, Tensor]) -> None:
    """Check images and labels ``(n,)``."""
    images, labels = batch
    assert images.dtype == torch.float32
    assert images.isfinite().all()
    assert labels.dtype == torch.int64
    assert labels.shape == (len(images),)
    if data.labelled:
        assert data.classes is not None
        assert ((labels >= 0) & (labels < data.classes)).all()
    else:
        assert (labels == IGNORED).all()


def check_validation_texts(data: TextData) -> None:
    """Check all texts that are measured on."""
    batches = list(data.validation_batches())
    assert batches
    for batch in batches:
        check_texts(data, batch)
    lengths = torch.cat([mask.sum(dim=1) for _, mask, _ in batches]).float()
    assert round(float(lengths.mean())) == data.length


def check_texts(data: TextData, batch: TextBatch) -> None:
    """Check word pieces, mask and labels."""
    pieces, mask, labels = batch
    assert pieces.dtype == mask.dtype == labels.dtype == torch.int64
    assert pieces.shape == mask.shape
    assert labels.shape == (len(pieces),)
    assert pieces.shape[1] <= data.longest
    assert ((pieces >= 0) & (pieces < data.vocabulary)).all()
    assert ((labels >= 0) & (labels < data.classes)).all()
    lengths = mask.sum(dim=1)
    assert int(lengths.max()) == mask.shape[1], "no more padding than the longest text needs"
    assert torch.equal(mask, (torch.arange(mask.shape[1]) < lengths[:, None]).long()), "padding is on the right"


def texts_of(batch: TextBatch) -> set[tuple[int, ...]]:
    """Return the word pieces of a batch without padding."""
    return {tuple(row[seen != 0].tolist()) for row, seen in zip(batch[0], batch[1], strict=True)}


def check_validation_windows(data: LanguageData) -> None:
    """Check all windows that are measured on."""
    batches = list(data.validation_batches())
    counted = sum(int((targets != IGNORED).sum()) for _, targets in batches)
    assert data.validation_bytes > 0
    assert counted > 0
    for batch in batches:
        check_windows(data, batch)


def check_windows(data: LanguageData, batch: Windows) -> None:
    """Check tokens and targets ``(n, T)``."""
    tokens, targets = batch
    assert tokens.dtype == targets.dtype == torch.int64
    assert tokens.shape == targets.shape
    assert tokens.shape[1] <= data.window
    assert ((tokens >= 0) & (tokens < data.vocabulary)).all()
    counted = targets != IGNORED
    assert (targets[counted] < data.vocabulary).all()
    inside = counted[:, :-1] & counted[:, 1:]
    assert torch.equal(tokens[:, 1:][inside], targets[:, :-1][inside]), "each token is the one before's target"


def targets_of(batch: Windows) -> set[tuple[int, ...]]:
    """Return what is to be foretold in each window."""
    return {tuple(row[row != IGNORED].tolist()) for row in batch[1]}


def check_pairs(data: TranslationData) -> None:
    """Check the sentences that are measured on."""
    assert len(data.validation) == len(data.references) == len(data.tokenised_references) > 0
    for source, target in data.validation:
        assert source[-1] == target[-1] == EOS
        assert all(0 <= token < data.source_vocabulary for token in source)
        assert all(0 <= token < data.target_vocabulary for token in target)
        assert data.detokenise([*target, EOS]) == data.detokenise(target), "the first EOS ends a sentence"
    assert [data.tokenised(target) for _, target in data.validation] == data.tokenised_references


def check_tokens(data: TranslationData, batch: TokenBatch, max_tokens: int) -> None:
    """Check source, previous and target tokens."""
    source, previous, target = batch
    assert source.dtype == previous.dtype == target.dtype == torch.int64
    assert len(source) == len(previous)
    assert previous.shape == target.shape
    assert len(source) * max(source.shape[1], target.shape[1]) <= max_tokens
    assert ((source >= 0) & (source < data.source_vocabulary)).all()
    inside = target != IGNORED
    assert ((target[inside] >= 0) & (target[inside] < data.target_vocabulary)).all()
    assert (source[:, -1] == EOS).all(), "padding is on the left"
    assert (previous[:, 0] == EOS).all()
    later = inside[:, 1:]
    assert torch.equal(previous[:, 1:][later], target[:, :-1][later])
    assert (previous[:, 1:][~later] == PAD).all()


def pairs_of(batch: TokenBatch) -> set[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return source and target ids of a batch without padding."""
    sources = [tuple(token for token in row if token != PAD) for row in batch[0].tolist()]
    targets = [tuple(token for token in row if token != IGNORED) for row in batch[2].tolist()]
    return set(zip(sources, targets, strict=True))


def check_candidates(data: RecommendationData) -> None:
    """Check users and their candidates."""
    assert data.ranked_users.shape == data.candidates.shape[:1]
    assert data.candidates.shape[1] > 1
    assert len(np.unique(data.ranked_users)) == len(data.ranked_users)
    for ids, count in ((data.ranked_users, data.users), (data.candidates, data.items)):
        assert ids.dtype == np.int64
        assert ((ids >= 0) & (ids < count)).all()
    assert all(len(np.unique(row)) == len(row) for row in data.candidates)


def check_choices(data: RecommendationData, batch: tuple[Tensor, Tensor, Tensor], batch_size: int) -> None:
    """Check users, items and labels ``(n,)``."""
    users, items, labels = batch
    assert users.shape == items.shape == labels.shape == (batch_size,)
    assert users.dtype == items.dtype == torch.int64
    assert labels.dtype == torch.float32
    assert ((users >= 0) & (users < data.users)).all()
    assert ((items >= 0) & (items < data.items)).all()
    assert ((labels == 0) | (labels == 1)).all()
