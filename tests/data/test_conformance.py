"""Data of every kind keep the promises of data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import TensorDataset

from dynas.data.brown import brown
from dynas.data.fashion_mnist import EMBEDDED, FashionMNIST, read_split
from dynas.data.image_folder import ImageFolder
from dynas.data.imagenet import ImageNet
from dynas.data.imagenet_surrogate import ImageNetSurrogate
from dynas.data.movielens import movielens
from dynas.data.phrases import phrases
from dynas.data.sentiment import sentiment
from dynas.data.simulated_choices import simulated_choices
from dynas.data.torch_dataset import TorchDataset
from dynas.data.unlabelled import UnlabelledImages
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


def unlabelled(**changes: Any) -> UnlabelledImages:
    settings = {"resolution": (16, 16), "calibration_size": 10, "cache": "ram", "workers": 1}
    return UnlabelledImages(str(TestImageNet.folder / "train"), **(settings | changes))  # type: ignore[arg-type]


def garments() -> TensorDataset:
    split = read_split(EMBEDDED, "validation")
    return TensorDataset(split.images[:60].unsqueeze(1) / 255, split.labels[:60])


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


class TestTorchDataset(DataSuite):
    make = staticmethod(lambda: TorchDataset(garments()))
    make_other = staticmethod(lambda: TorchDataset(garments(), seed=1))


class TestUnlabelledImages(DataSuite):
    make = staticmethod(lambda: unlabelled())
    make_other = staticmethod(lambda: unlabelled(validation_share=0.5))


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
