from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dynas.errors import DynasError
from dynas.metrics.accuracy import recalibrated_top1, top1
from dynas.metrics.calibration import check_sizes, recalibrate, sized
from dynas.supernets.mbv3 import MobileNetV3Supernet

BATCH = 100


def images(n: int, seed: int = 0) -> Tensor:
    return 5 + 2 * torch.randn(n, 3, 4, 4, generator=torch.Generator().manual_seed(seed))


def norm(channels: int) -> nn.BatchNorm2d:
    """Return batch norm with statistics of something else."""
    layer = nn.BatchNorm2d(channels)
    for value, fill in ((layer.running_mean, 77.0), (layer.running_var, 0.5)):
        assert value is not None
        value.fill_(fill)
    return layer.eval()


class Mark(nn.Module):
    """Classifies an image by the value of its first pixel."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.one_hot(x[:, 0, 0, 0].long(), 10).float()


def test_recalibration_takes_the_statistics_of_the_images() -> None:
    net = nn.Sequential(norm(3))
    batch = images(60)
    recalibrate(net, batch.split(BATCH))
    layer = net[0]
    torch.testing.assert_close(layer.running_mean, batch.mean((0, 2, 3)))
    torch.testing.assert_close(layer.running_var, batch.var((0, 2, 3)), rtol=2e-3, atol=0)
    assert not layer.training
    with torch.inference_mode():
        out = net(batch)
    torch.testing.assert_close(out.mean((0, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(out.std((0, 2, 3)), torch.ones(3), atol=1e-3, rtol=0)


def test_recalibration_of_several_batches_averages_them() -> None:
    net = nn.Sequential(norm(3))
    batch = images(2 * BATCH)
    recalibrate(net, batch.split(BATCH))
    torch.testing.assert_close(net[0].running_mean, batch.mean((0, 2, 3)), rtol=1e-4, atol=1e-4)
    halves = torch.stack([half.var((0, 2, 3)) for half in batch.split(BATCH)])
    torch.testing.assert_close(net[0].running_var, halves.mean(0), rtol=1e-3, atol=0)


def test_recalibration_counts_every_image_alike() -> None:
    net = nn.Sequential(norm(3))
    batch = torch.cat([images(BATCH), 100 + images(1, seed=1)])  # the last batch holds one image
    recalibrate(net, batch.split(BATCH))
    torch.testing.assert_close(net[0].running_mean, batch.mean((0, 2, 3)), rtol=1e-3, atol=1e-3)


def test_a_later_norm_sees_what_the_earlier_one_lets_through() -> None:
    net = nn.Sequential(norm(3), nn.ReLU(), norm(3))
    batch = images(80)
    recalibrate(net, batch.split(BATCH))
    normalised = (batch - batch.mean((0, 2, 3), keepdim=True)) / batch.std((0, 2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(net[2].running_mean, normalised.relu().mean((0, 2, 3)), rtol=1e-3, atol=1e-4)


def test_only_batch_norm_changes_and_weights_do_not() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), norm(4), nn.Dropout(0.9)).eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    recalibrate(net, images(20).split(BATCH))
    changed = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert changed - {"1.num_batches_tracked"} == {"1.running_mean", "1.running_var"}
    assert not any(module.training for module in net.modules())


def test_a_network_without_batch_norm_is_left_as_it_is() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    recalibrate(net, images(20).split(BATCH))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.fixture(scope="module")
def supernet() -> MobileNetV3Supernet:
    return MobileNetV3Supernet("random", 0.25, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2))


def test_recalibrating_twice_gives_the_same_network_bit_for_bit(supernet: MobileNetV3Supernet) -> None:
    batch = torch.randn(60, 1, 28, 56, generator=torch.Generator().manual_seed(3))
    for genotype in supernet.space.sample_distinct(3, np.random.default_rng(0)):
        architecture = supernet.space.decode(genotype)
        again, fresh = supernet.subnet(architecture), supernet.subnet(architecture)
        recalibrate(again, batch.split(BATCH))
        first = {name: value.clone() for name, value in again.state_dict().items()}
        recalibrate(again, batch.split(BATCH))
        recalibrate(fresh, batch.split(BATCH))
        for name, value in first.items():
            assert torch.equal(value, again.state_dict()[name]), name
            assert torch.equal(value, fresh.state_dict()[name]), name


def test_recalibrating_changes_what_a_sub_network_says(supernet: MobileNetV3Supernet) -> None:
    batch = torch.randn(40, 1, 28, 56, generator=torch.Generator().manual_seed(3))
    subnet = supernet.subnet(supernet.space.decode(supernet.space.smallest()))
    with torch.inference_mode():
        before = subnet(batch)
        recalibrate(subnet, batch.split(BATCH))
        assert (subnet(batch) - before).abs().max() > 1e-3
    untouched = supernet.subnet(supernet.space.decode(supernet.space.smallest()))
    with torch.inference_mode():
        assert torch.equal(untouched(batch), before), "the supernet keeps its own statistics"


@pytest.mark.parametrize(
    ("labels", "wanted"), [([0, 1, 2, 3], 100.0), ([0, 1, 2, 9], 75.0), ([9, 9, 2, 9], 25.0), ([9, 9, 9, 9], 0.0)]
)
def test_top1_is_the_share_of_right_classes_in_percent(labels: list[int], wanted: float) -> None:
    marked = torch.arange(4.0).reshape(4, 1, 1, 1)
    assert top1(Mark(), [(marked, torch.tensor(labels))]) == wanted


@pytest.mark.parametrize("n", [1, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH + 7])
def test_top1_counts_every_image_once_whatever_the_batches(n: int) -> None:
    truth = torch.arange(n) % 10
    labels = truth.clone()
    labels[-1] = (labels[-1] + 1) % 10
    batches = zip(truth.float().reshape(n, 1, 1, 1).split(BATCH), labels.split(BATCH), strict=True)
    assert top1(Mark(), batches) == pytest.approx(100 * (n - 1) / n)


class Sizes:
    """Data whose images tell their height: all labels are that height, as the class."""

    def __init__(self, height: int = 8) -> None:
        self.height = height

    def validation_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        yield torch.full((6, 1, self.height, self.height), float(self.height)), torch.full((6,), self.height)

    def calibration_batches(self) -> Iterator[Tensor]:
        yield torch.full((4, 1, self.height, self.height), float(self.height))

    def at(self, resolution: tuple[int, int]) -> Sizes:
        return Sizes(resolution[0])


class Seer(nn.Module):
    """Takes images of one height and remembers all that it was shown."""

    def __init__(self, height: int) -> None:
        super().__init__()
        self.resolution, self.seen = (height, height), []
        self.norm = nn.BatchNorm2d(1)  # without any there is nothing to calibrate

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(tuple(x.shape))
        self.norm(x)
        return nn.functional.one_hot(x[:, 0, 0, 0].long(), 10).float()


def test_a_sub_network_is_calibrated_and_measured_on_images_of_its_size() -> None:
    for height in (4, 8):
        seer = Seer(height)
        assert recalibrated_top1(seer, Sizes()) == 100.0
        assert seer.seen == [(4, 1, height, height), (6, 1, height, height)]


def test_without_a_size_of_its_own_it_gets_the_images_as_they_are() -> None:
    class Fixed:
        validation_batches, calibration_batches = Sizes().validation_batches, Sizes().calibration_batches

    data = Sizes()
    assert sized(data, Mark()) is data
    assert recalibrated_top1(seer := Seer(4), Fixed()) == 100.0
    assert seer.seen == [(4, 1, 8, 8), (6, 1, 8, 8)]


def test_resolutions_to_choose_from_need_data_that_has_them(supernet: MobileNetV3Supernet) -> None:
    class Fixed:
        pass

    check_sizes(supernet, Fixed())
    elastic = MobileNetV3Supernet("random", 0.25, (28, 56), 1, 100, 2, (2, 1, 2, 1, 2), resolutions=[20, 28])
    with pytest.raises(DynasError, match=r"images of 2 sizes, but Fixed has no method 'at'.*leave out supernet\.res"):
        check_sizes(elastic, Fixed())
