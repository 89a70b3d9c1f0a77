"""Data of every kind keep the promises of data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dynas.data.brown import brown
from dynas.data.fashion_mnist import FashionMNIST
from dynas.data.image_folder import ImageFolder
from dynas.data.imagenet import ImageNet
from dynas.data.imagenet_surrogate import ImageNetSurrogate
from dynas.data.movielens import movielens
from dynas.data.phrases import phrases
from dynas.data.sentiment import sentiment
from dynas.data.simulated_choices import simulated_choices
from dynas.testing import DataSuite
from tests.helpers.photos import write_imagenet


@pytest.fixture(scope="module", autouse=True)
def _photos(tmp_path_factory: pytest.TempPathFactory) -> None:
    TestImageNet.folder = write_imagenet(tmp_path_factory.mktemp("imagenet"))


def photos(**changes: Any) -> ImageNet:
    settings = {"resolution": (16, 16), "calibration_size": 10, "cache": "ram", "workers": 1}
    return ImageNet(str(TestImageNet.folder), **(settings | changes))  # type: ignore[arg-type]


def folder(**changes: Any) -> ImageFolder:
    settings = {"resolution": (16, 16), "calibration_size": 10, "cache": "ram", "workers": 1}
    return ImageFolder(str(TestImageNet.folder / "train"), **(settings | changes))  # type: ignore[arg-type]


class TestFashionMNIST(DataSuite):
    make = staticmethod(lambda: FashionMNIST("embedded", 2, 300, 200))
    batch_size = 500


class TestImageNet(DataSuite):
    folder: Path
    make = staticmethod(photos)
    make_other = staticmethod(lambda: photos(fraction=0.5))


class TestImageFolder(DataSuite):
    make = staticmethod(lambda: folder())
    make_other = staticmethod(lambda: folder(validation_share=0.5))


class TestImageNetSurrogate(DataSuite):
    make = staticmethod(lambda: ImageNetSurrogate("embedded"))


class TestPhrases(DataSuite):
    make = staticmethod(lambda: phrases(20, 0))
    make_other = staticmethod(lambda: phrases(20, 1))
    batch_size = 2000


class TestSentiment(DataSuite):
    make = staticmethod(lambda: sentiment(None, "embedded", 40, 0))
    make_other = staticmethod(lambda: sentiment(500, "embedded", 40, 0))
    batch_size = 32


class TestBrown(DataSuite):
    make = staticmethod(lambda: brown("embedded", None, 128, 64, 10, 4000))
    make_other = staticmethod(lambda: brown("embedded", None, 128, 64, 11, 4000))
    batch_size = 600


class TestSimulatedChoices(DataSuite):
    make = staticmethod(simulated_choices)
    make_other = staticmethod(lambda: simulated_choices(seed=1))


class TestMovieLens(DataSuite):
    make = staticmethod(movielens)
    make_other = staticmethod(lambda: movielens(seed=1))
    batch_size = 4096
