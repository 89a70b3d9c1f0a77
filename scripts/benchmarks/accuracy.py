"""Times the accuracy of an ImageNet-sized sub-network, to see what everything besides the network costs.

Writes a temporary folder of JPEG files as large as ImageNet's, and measures top-1 of the smallest OFA-MobileNetV3 of
width 1.0 at 224x224 pixels (random weights) in four ways, in images per second:

    python scripts/benchmarks/accuracy.py --images 512 --threads 1 --workers 2
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch is imported

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from dynas.data.imagenet import ImageNet
from dynas.data.images.transform import MEAN, STD, centre, read_rgb
from dynas.metrics.accuracy import top1
from dynas.supernets.mbv3 import MobileNetV3Supernet

SIZE = (224, 224)
CLASSES = 4
TRAIN = 4  # images of a class; batch norm is not re-calibrated here


def photo(rng: np.random.Generator, width: int = 500, height: int = 375) -> Image.Image:
    """Return random structure at several scales, which takes about as many bytes of JPEG as a photograph."""
    total = np.zeros((height, width, 3))
    for step, weight in ((60, 0.5), (15, 0.25), (4, 0.15), (1, 0.1)):
        coarse = rng.integers(0, 256, (height // step + 1, width // step + 1, 3), dtype=np.uint8)
        total += weight * np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    return Image.fromarray(total.clip(0, 255).astype(np.uint8))


def write_photos(root: Path, images: int) -> int:
    """Write ``val`` and ``train``; return the number of validation bytes."""
    rng = np.random.default_rng(0)
    written = 0
    for split, count in (("val", images // CLASSES), ("train", TRAIN)):
        for index in range(CLASSES):
            folder = root / split / f"n{index:08}"
            folder.mkdir(parents=True)
            for number in range(count):
                path = folder / f"{number}.JPEG"
                photo(rng).save(path, quality=92)
                written += path.stat().st_size * (split == "val")
    return written


class PlainFolder(Dataset[tuple[Tensor, int]]):
    """What a script without dynas would write: decodes and normalises an image whenever it is asked for."""

    def __init__(self, root: Path) -> None:
        self.paths = sorted((root / "val").glob("*/*.JPEG"))
        self.mean, self.std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path = self.paths[index]
        pixels = torch.from_numpy(centre(read_rgb(str(path)), SIZE).copy())
        image = pixels.permute(2, 0, 1).contiguous().float().div(255)
        return image.sub(self.mean).div(self.std), int(path.parent.name[1:])


def plain_top1(net: nn.Module, loader: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Return top-1 as a plain evaluation loop counts it."""
    correct = total = 0
    with torch.no_grad():
        for images, labels in loader:
            correct += int((net(images).argmax(1) == labels).sum())
            total += len(labels)
    return 100.0 * correct / total


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its finished children: steadier than wall time on a busy machine."""
    return sum(os.times()[:4])


def dynas_top1(net: nn.Module, data: ImageNet) -> float:
    """Return top-1 as dynas measures it."""
    return top1(net, data.validation_batches())


def main() -> None:
    """Print the rates and what they are of the network's own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=512, help="validation images")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="that decode, on either side")
    parser.add_argument("--loader-batch", type=int, default=100, help="batch size of the plain loop; OFA's is 100")
    parser.add_argument("--repeats", type=int, default=3, help="rounds; the best times of each way count")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    supernet = MobileNetV3Supernet("random", 1.0, SIZE, 3, 1000, 2, (2, 2, 2, 1, 2))
    smallest = supernet.space.decode(supernet.space.smallest())
    plain = supernet.subnet(smallest)
    net = supernet.subnet(smallest).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        size = write_photos(root, arguments.images)
        folder = PlainFolder(root)
        print(f"{len(folder)} images of {size / len(folder) / 1000:.0f} kB, {arguments.threads} torch thread(s)")
        loader = DataLoader(folder, batch_size=arguments.loader_batch, num_workers=arguments.workers)
        times: dict[str, list[tuple[float, float]]] = {}
        answers = set()
        for repeat in range(arguments.repeats):
            cache = str(root / f"cache{repeat}")  # so that every round decodes
            data = ImageNet(name, SIZE, calibration_size=1, cache=cache, workers=arguments.workers)
            ready: list[tuple[Tensor, Tensor]] = []
            ways: dict[str, Callable[[], float]] = {
                "plain DataLoader loop": partial(plain_top1, plain, loader),
                "dynas, first evaluation": partial(dynas_top1, net, data),
                "dynas, later evaluations": partial(dynas_top1, net, data),
                "the network alone": partial(top1, net, ready),
            }
            for way, evaluate in ways.items():
                if evaluate is ways["the network alone"]:
                    ready += data.validation_batches()
                start, cpu = time.perf_counter(), cpu_seconds()
                answers.add(evaluate())
                times.setdefault(way, []).append((time.perf_counter() - start, cpu_seconds() - cpu))
        assert len(answers) == 1, f"the ways disagree: {answers}"
        alone = np.min(times["the network alone"], axis=0)
        for way, taken in times.items():
            wall, cpu = np.min(taken, axis=0)
            print(
                f"{way:26} {len(folder) / wall:7.1f} images/s, {wall / alone[0]:5.2f} x the network's time; "
                f"{1000 * cpu / len(folder):6.2f} ms of CPU an image, {cpu / alone[1]:5.2f} x the network's"
            )


if __name__ == "__main__":
    main()
