"""Whether the metric keeps what metrics promise."""

from dynas.core.bench import Bench
from dynas.data.fashion_mnist import FashionMNIST
from dynas.hardware.cpu import TorchCpuMeter
from dynas.supernets.mbv3 import MobileNetV3Supernet
from dynas.templates.metric import Mine
from dynas.testing import MetricSuite


class TestMine(MetricSuite):
    """The suite measures small networks on few images."""

    make = Mine

    @staticmethod
    def make_bench() -> Bench:
        """Return what a search gives to metrics: a supernet, data and a meter."""
        supernet = MobileNetV3Supernet(
            weights="embedded",
            width=0.125,
            resolution=(28, 56),
            channels=1,
            classes=100,
            stem_stride=2,
            strides=(2, 1, 2, 1, 2),
        )
        data = FashionMNIST("embedded", garments=2, validation_size=100, calibration_size=40)
        meter = TorchCpuMeter(threads=1, batch_size=1, warmup=0, min_repeats=2, max_repeats=3, tolerance=1.0)
        return Bench(supernet, data, meter)
