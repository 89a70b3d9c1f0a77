"""What data of every task promise (see `dynas.core.data`, `translation`, `recommendation`, `texts`, `language`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch

from dynas.core.data import ClassificationData, Data, Resizable
from dynas.core.language import LanguageData
from dynas.core.metric import Metric
from dynas.core.texts import TextData
from dynas.core.translation import TranslationData
from dynas.testing.samples import (
    Samples,
    alike,
    as_list,
    check_candidates,
    check_choices,
    check_labelled,
    check_pairs,
    check_texts,
    check_tokens,
    check_validation_texts,
    check_validation_windows,
    check_windows,
    first_samples,
    fixed,
    pairs_of,
    targets_of,
    texts_of,
)

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
        first = fixed(samples)
        for again in (samples, self.make()):
            assert isinstance(again, Samples)
            assert all(alike(one, other) for one, other in zip(first, fixed(again), strict=True))

    def test_what_is_measured_on_has_the_documented_form(self, samples: Samples) -> None:
        """Check shapes, types and ranges."""
        if isinstance(samples, ClassificationData):
            batches = list(samples.validation_batches())
            assert batches
            for batch in batches:
                check_labelled(samples, batch)
            calibration = list(samples.calibration_batches())
            assert calibration
            for images in calibration:
                assert images.dtype == torch.float32
                assert images.shape[1:] == batches[0][0].shape[1:]
        elif isinstance(samples, TranslationData):
            check_pairs(samples)
        elif isinstance(samples, TextData):
            check_validation_texts(samples)
        elif isinstance(samples, LanguageData):
            check_validation_windows(samples)
        else:
            check_candidates(samples)

    def test_an_epoch_has_as_many_batches_as_it_says(self, samples: Samples) -> None:
        """Check a whole epoch."""
        steps = samples.training_steps(self.batch_size)
        assert steps >= 1
        assert sum(1 for _ in samples.training_batches(self.batch_size, np.random.default_rng(0))) == steps

    def test_training_batches_have_the_documented_form(self, samples: Samples) -> None:
        """Check shapes, types and ranges."""
        for batch in self._batches(samples, 0):
            if isinstance(samples, ClassificationData):
                check_labelled(samples, batch)
                assert len(batch[1]) == self.batch_size
            elif isinstance(samples, TranslationData):
                check_tokens(samples, batch, self.batch_size)
            elif isinstance(samples, TextData):
                check_texts(samples, batch)
                assert len(batch[2]) == self.batch_size
            elif isinstance(samples, LanguageData):
                check_windows(samples, batch)
                assert batch[0].numel() == self.batch_size // samples.window * samples.window
            else:
                check_choices(samples, batch, self.batch_size)

    def test_the_generator_decides_the_training_batches(self, samples: Samples) -> None:
        """Check that the same seed gives the same batches, and another seed others."""
        first, same, other = ([as_list(batch) for batch in self._batches(samples, seed)] for seed in (3, 3, 4))
        assert all(alike(one, again) for one, again in zip(first, same, strict=True))
        assert not all(alike(one, another) for one, another in zip(first, other, strict=False))

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
                assert held_out.isdisjoint(pairs_of(batch))
        elif isinstance(samples, TextData):
            texts = {text for batch in samples.validation_batches() for text in texts_of(batch)}
            for batch in samples.training_batches(self.batch_size, np.random.default_rng(0)):
                assert texts.isdisjoint(texts_of(batch))
        elif isinstance(samples, LanguageData):
            windows = {window for batch in samples.validation_batches() for window in targets_of(batch)}
            for read in samples.training_batches(self.batch_size, np.random.default_rng(0)):
                assert windows.isdisjoint(targets_of(read))
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
        others, same_labels = first_samples(resized.validation_batches(), len(labels))
        assert tuple(others.shape) == (*images.shape[:2], 12, 20)
        assert torch.equal(labels, same_labels)
        assert tuple(next(resized.calibration_batches()).shape[-2:]) == (12, 20)
        assert (resized.digest, resized.classes) == (samples.digest, samples.classes)
        assert torch.equal(next(samples.validation_batches())[0], images), "the others stay as they are"
        height, width = images.shape[-2:]
        assert torch.equal(first_samples(at((height, width)).validation_batches(), len(labels))[0], images)

    def _batches(self, samples: Samples, seed: int) -> list[Any]:
        """Return the first batches of an epoch."""
        return list(islice(samples.training_batches(self.batch_size, np.random.default_rng(seed)), BATCHES))


@lru_cache(maxsize=1)
def _made(make: Callable[[], Data]) -> Data:
    return make()
