"""Several sub-networks that answer at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from dynas.core.activity import watched
from dynas.data.fashion_mnist import FashionMNIST
from dynas.metrics.accuracy import recalibrated_top1
from dynas.metrics.threads import side_by_side
from tests.helpers.supernets import narrow


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    after = torch.get_num_threads()
    torch.set_num_threads(before)
    assert after == 2, "put back"


@pytest.fixture(scope="module")
def data() -> FashionMNIST:
    return FashionMNIST("embedded", garments=1, validation_size=200, calibration_size=100)


def networks(n: int) -> list[nn.Module]:
    supernet = narrow(resolution=(28, 28), channels=1, classes=10)
    space = supernet.space
    return [supernet.subnet(space.decode(one)) for one in space.sample_distinct(n, np.random.default_rng(0))]


def test_networks_answer_at_the_same_time_as_each_would_alone_on_one_thread(data: FashionMNIST) -> None:
    met, threads = threading.Barrier(2), set()

    def measure(subnet: nn.Module) -> float:
        met.wait(60)  # breaks where another is not at work, too
        threads.add((threading.get_ident(), torch.get_num_threads()))
        return recalibrated_top1(subnet, data)

    with watched() as journal:
        found = side_by_side(measure, networks(4), data)
    assert journal.seconds["calibrating"] > 0
    assert len(threads) == 2
    assert {count for _, count in threads} == {1}
    torch.set_num_threads(1)
    assert found == [recalibrated_top1(subnet, data) for subnet in networks(4)]
    torch.set_num_threads(2)


def test_a_network_alone_or_with_data_that_threads_may_not_share_has_all_threads(data: FashionMNIST) -> None:
    class Own(FashionMNIST):
        concurrent = False

    def measure(subnet: nn.Module) -> tuple[int, int]:
        return threading.get_ident(), torch.get_num_threads()

    own = Own("embedded", garments=1, validation_size=10, calibration_size=10)
    for count, samples in ((1, data), (3, own)):
        assert side_by_side(measure, networks(count), samples) == [(threading.get_ident(), 2)] * count


def test_what_one_raises_is_raised_and_threads_are_put_back(data: FashionMNIST) -> None:
    def measure(subnet: nn.Module) -> float:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        side_by_side(measure, networks(3), data)
