"""What data of every task promise (see `dynas.core.data`, `translation`, `recommendation`, `texts`, `language`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dynas.core.data import IGNORED, ClassificationData, Data, Resizable
from dynas.core.language import LanguageData, Windows
from dynas.core.metric import Metric
from dynas.core.recommendation import RecommendationData
from dynas.core.texts import TextBatch, TextData
from dynas.core.translation import EOS, PAD, TokenBatch, TranslationData

Samples = ClassificationData | TranslationData | RecommendationData | TextData | LanguageData
BATCHES = 8  # of an epoch whose content is looked at


class DataSuite:
    """Checks data of one of the known tasks; subclass it in a test module and say how the data are made.

    Data that are a model instead of samples are checked for what they say of themselves only.

    Attributes:
        make: returns the data, the same ones every time.
        make_other: returns data of the same kind with other samples to measure on; None: this is not checked.
        batch_size: samples of a training batch; tokens, for translation and language modelling.
    """

    make: Callable[[], Data]
    make_other: Callable[[], Data] | None = None
    batch_size: int = 8

    @pytest.fixture
    def data(self) -> Data:
        """Return the data that most checks share."""
        return _made(self.make)

    @pytest.fixture
    def samples(self, data: Data) -> Samples:
        """Return the data where they hold samples."""
        if data.modelled:
            pytest.skip("a model stands in for samples")
        assert isinstance(data, Samples)
        return data

    def test_they_say_what_they_are(self, data: Data) -> None:
        """Check task, objective and identity."""
        for word in (data.task, data.quality):
            assert isinstance(word, str)
            assert word
        assert re.fullmatch("[0-9a-f]{64}", data.digest), "a SHA-256"
        assert data.modelled == (data.quality in data.replaces)

    def test_what_stands_in_for_an_objective_is_a_metric(self, data: Data) -> None:
        """Check the kind of each replacement."""
        assert all(isinstance(metric, Metric) for metric in data.replaces.values())

    def test_the_digest_is_that_of_the_content(self, data: Data) -> None:
        """Check that it is the same for the same data, and another one for others."""
        assert self.make().digest == data.digest
        if self.make_other is not None:
            assert self.make_other().digest != data.digest

    def test_what_is_measured_on_is_the_same_every_time(self, samples: Samples) -> None:
        """Check that it is so when asked again, and when made again."""
        first = _fixed(samples)
        for again in (samples, self.make()):
            assert isinstance(again, Samples)
            assert all(_same(one, other) for one, other in zip(first, _fixed(again), strict=True))

    def test_what_is_measured_on_has_the_documented_form(self, samples: Samples) -> None:
        """Check shapes, types and ranges."""
        if isinstance(samples, ClassificationData):
            batches = list(samples.validation_batches())
            assert batches
            for batch in batches:
                _check_labelled(samples, batch)
            calibration = list(samples.calibration_batches())
            assert calibration
            for images in calibration:
                assert images.dtype == torch.float32
                assert images.shape[1:] == batches[0][0].shape[1:]
        elif isinstance(samples, TranslationData):
            _check_pairs(samples)
        elif isinstance(samples, TextData):
            _check_validation_texts(samples)
        elif isinstance(samples, LanguageData):
            _check_validation_windows(samples)
        else:
            _check_candidates(samples)

    def test_an_epoch_has_as_many_batches_as_it_says(self, samples: Samples) -> None:
        """Check a whole epoch."""
        steps = samples.training_steps(self.batch_size)
        assert steps >= 1
        assert sum(1 for _ in samples.training_batches(self.batch_size, np.random.default_rng(0))) == steps

    def test_training_batches_have_the_documented_form(self, samples: Samples) -> None:
        """Check shapes, types and ranges."""
        for batch in self._batches(samples, 0):
            if isinstance(samples, ClassificationData):
                _check_labelled(samples, batch)
                assert len(batch[1]) == self.batch_size
            elif isinstance(samples, TranslationData):
                _check_tokens(samples, batch, self.batch_size)
            elif isinstance(samples, TextData):
                _check_texts(samples, batch)
                assert len(batch[2]) == self.batch_size
            elif isinstance(samples, LanguageData):
                _check_windows(samples, batch)
                assert batch[0].numel() == self.batch_size // samples.window * samples.window
            else:
                _check_choices(samples, batch, self.batch_size)

    def test_the_generator_decides_the_training_batches(self, samples: Samples) -> None:
        """Check that the same seed gives the same batches, and another seed others."""
        first, same, other = ([_flat(batch) for batch in self._batches(samples, seed)] for seed in (3, 3, 4))
        assert all(_same(one, again) for one, again in zip(first, same, strict=True))
        assert not all(_same(one, another) for one, another in zip(first, other, strict=False))

    def test_nothing_is_trained_on_that_is_measured_on(self, samples: Samples) -> None:
        """Check it as far as samples can be told apart in the batches."""
        if isinstance(samples, ClassificationData):
            calibration = {image.numpy().tobytes() for batch in samples.calibration_batches() for image in batch}
            assert not any(
                image.numpy().tobytes() in calibration for images, _ in samples.validation_batches() for image in images
            )
        elif isinstance(samples, TranslationData):
            held_out = {(tuple(source), tuple(target)) for source, target in samples.validation}
            for batch in samples.training_batches(self.batch_size, np.random.default_rng(0)):
                assert held_out.isdisjoint(_pairs(batch))
        elif isinstance(samples, TextData):
            texts = {text for batch in samples.validation_batches() for text in _texts(batch)}
            for batch in samples.training_batches(self.batch_size, np.random.default_rng(0)):
                assert texts.isdisjoint(_texts(batch))
        elif isinstance(samples, LanguageData):
            windows = {window for batch in samples.validation_batches() for window in _told(batch)}
            for read in samples.training_batches(self.batch_size, np.random.default_rng(0)):
                assert windows.isdisjoint(_told(read))
        else:
            held_out_items = set(zip(samples.ranked_users.tolist(), samples.candidates[:, 0].tolist(), strict=True))
            for users, items, labels in samples.training_batches(self.batch_size, np.random.default_rng(0)):
                chosen = labels == 1
                pairs = zip(users[chosen].tolist(), items[chosen].tolist(), strict=True)
                assert held_out_items.isdisjoint(pairs)

    def test_images_of_another_size_are_the_same_samples(self, samples: Samples) -> None:
        """Check that only height and width change, where they can."""
        if not isinstance(samples, Resizable):
            return
        at = samples.at
        assert isinstance(samples, ClassificationData)
        images, labels = next(samples.validation_batches())
        resized = at((12, 20))
        others, same_labels = _first(resized.validation_batches(), len(labels))
        assert tuple(others.shape) == (*images.shape[:2], 12, 20)
        assert torch.equal(labels, same_labels)
        assert tuple(next(resized.calibration_batches()).shape[-2:]) == (12, 20)
        assert (resized.digest, resized.classes) == (samples.digest, samples.classes)
        assert torch.equal(next(samples.validation_batches())[0], images), "the others stay as they are"
        height, width = images.shape[-2:]
        assert torch.equal(_first(at((height, width)).validation_batches(), len(labels))[0], images)

    def _batches(self, samples: Samples, seed: int) -> list[Any]:
        """Return the first batches of an epoch."""
        return list(islice(samples.training_batches(self.batch_size, np.random.default_rng(seed)), BATCHES))


@lru_cache(maxsize=1)
def _made(make: Callable[[], Data]) -> Data:
    return make()


def _first(batches: Iterator[tuple[Tensor, Tensor]], count: int) -> tuple[Tensor, Tensor]:
    """Return the first ``count`` samples of batches of any size."""
    images, labels = zip(*batches, strict=True)
    return torch.cat(images)[:count], torch.cat(labels)[:count]


def _fixed(data: Samples) -> list[Any]:
    """Return everything that every sub-network is measured on."""
    if isinstance(data, ClassificationData):
        validation = [_flat(batch) for batch in data.validation_batches()]
        return [*validation, *([batch] for batch in data.calibration_batches())]
    if isinstance(data, TranslationData):
        return [list(data.validation), data.references, data.tokenised_references]
    if isinstance(data, TextData | LanguageData):
        return [_flat(batch) for batch in data.validation_batches()]
    return [data.ranked_users.tolist(), data.candidates.tolist()]


def _flat(batch: tuple[Tensor, ...]) -> list[Tensor]:
    return list(batch)


def _same(some: list[Any], others: list[Any]) -> bool:
    if not some or not isinstance(some[0], Tensor):
        return some == others
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


def _check_labelled(data: ClassificationData, batch: tuple[Tensor, Tensor]) -> None:
    images, labels = batch
    assert images.dtype == torch.float32
    assert images.isfinite().all()
    assert labels.dtype == torch.int64
    assert labels.shape == (len(images),)
    assert ((labels >= 0) & (labels < data.classes)).all()


def _check_validation_texts(data: TextData) -> None:
    batches = list(data.validation_batches())
    assert batches
    for batch in batches:
        _check_texts(data, batch)
    lengths = torch.cat([mask.sum(dim=1) for _, mask, _ in batches]).float()
    assert round(float(lengths.mean())) == data.length


def _check_texts(data: TextData, batch: TextBatch) -> None:
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


def _texts(batch: TextBatch) -> set[tuple[int, ...]]:
    """Return the word pieces of a batch without padding."""
    return {tuple(row[seen != 0].tolist()) for row, seen in zip(batch[0], batch[1], strict=True)}


def _check_validation_windows(data: LanguageData) -> None:
    batches = list(data.validation_batches())
    counted = sum(int((targets != IGNORED).sum()) for _, targets in batches)
    assert data.validation_bytes > 0
    assert counted > 0
    for batch in batches:
        _check_windows(data, batch)


def _check_windows(data: LanguageData, batch: Windows) -> None:
    tokens, targets = batch
    assert tokens.dtype == targets.dtype == torch.int64
    assert tokens.shape == targets.shape
    assert tokens.shape[1] <= data.window
    assert ((tokens >= 0) & (tokens < data.vocabulary)).all()
    counted = targets != IGNORED
    assert (targets[counted] < data.vocabulary).all()
    inside = counted[:, :-1] & counted[:, 1:]
    assert torch.equal(tokens[:, 1:][inside], targets[:, :-1][inside]), "each token is the one before's target"


def _told(batch: Windows) -> set[tuple[int, ...]]:
    """Return what is to be foretold in each window."""
    return {tuple(row[row != IGNORED].tolist()) for row in batch[1]}


def _check_pairs(data: TranslationData) -> None:
    assert len(data.validation) == len(data.references) == len(data.tokenised_references) > 0
    for source, target in data.validation:
        assert source[-1] == target[-1] == EOS
        assert all(0 <= token < data.source_vocabulary for token in source)
        assert all(0 <= token < data.target_vocabulary for token in target)
        assert data.detokenise([*target, EOS]) == data.detokenise(target), "the first EOS ends a sentence"
    assert [data.tokenised(target) for _, target in data.validation] == data.tokenised_references


def _check_tokens(data: TranslationData, batch: TokenBatch, max_tokens: int) -> None:
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


def _pairs(batch: TokenBatch) -> set[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return source and target ids of a batch without padding."""
    sources = [tuple(token for token in row if token != PAD) for row in batch[0].tolist()]
    targets = [tuple(token for token in row if token != IGNORED) for row in batch[2].tolist()]
    return set(zip(sources, targets, strict=True))


def _check_candidates(data: RecommendationData) -> None:
    assert data.ranked_users.shape == data.candidates.shape[:1]
    assert data.candidates.shape[1] > 1
    assert len(np.unique(data.ranked_users)) == len(data.ranked_users)
    for ids, count in ((data.ranked_users, data.users), (data.candidates, data.items)):
        assert ids.dtype == np.int64
        assert ((ids >= 0) & (ids < count)).all()
    assert all(len(np.unique(row)) == len(row) for row in data.candidates)


def _check_choices(data: RecommendationData, batch: tuple[Tensor, Tensor, Tensor], batch_size: int) -> None:
    users, items, labels = batch
    assert users.shape == items.shape == labels.shape == (batch_size,)
    assert users.dtype == items.dtype == torch.int64
    assert labels.dtype == torch.float32
    assert ((users >= 0) & (users < data.users)).all()
    assert ((items >= 0) & (items < data.items)).all()
    assert ((labels == 0) | (labels == 1)).all()
