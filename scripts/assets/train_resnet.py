"""Trains an ordinary ResNet on Fashion-MNIST: the network that the embedded supernet bootstrap_resnet50 starts from.

    python scripts/assets/train_resnet.py --to resnet.safetensors --source debian --epochs 8

The file holds a state dict with torchvision's names. Training starts over where it is interrupted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from dynas.data.fashion_mnist import FashionMNIST
from dynas.supernets.resnets.plain import Layout, ResNet, Strides
from dynas.training.sandwich import Recipe, learning_rate
from dynas.training.steps import make_optimizer

STRIDES = Strides(stem=2, pooling=True, stages=(1, 2, 2, 2))


def layout(blocks: list[int], stem: int, classes: int) -> Layout:
    """Return the layout of a ResNet50 of other depths and widths; a full-size one has a stem of 64 channels."""
    widths = [stem * 2**stage for stage in range(len(blocks))]
    middles = tuple((width,) * count for width, count in zip(widths, blocks, strict=True))
    return Layout(1, classes, 7, stem, tuple(4 * width for width in widths), middles)


def train(net: ResNet, data: FashionMNIST, recipe: Recipe, seed: int) -> Iterator[float]:
    """Train on the labels alone, yielding each epoch's mean loss."""
    optimizer = make_optimizer(net, recipe)
    steps = data.training_steps(recipe.batch_size)
    for epoch in range(recipe.epochs):
        rng, losses = np.random.default_rng([seed, epoch]), []
        net.train()
        for index, (images, labels) in enumerate(data.training_batches(recipe.batch_size, rng)):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe, epoch * steps + index, recipe.epochs * steps)
            optimizer.zero_grad()
            loss = F.cross_entropy(net(images), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimizer.step()
            losses.append(loss.item())
        yield sum(losses) / len(losses)
    net.eval()


def accuracy(net: ResNet, data: FashionMNIST) -> float:
    """Return top-1 in percent on the validation samples."""
    with torch.inference_mode():
        hits = sum(int((net(images).argmax(1) == labels).sum()) for images, labels in data.validation_batches())
    return 100 * hits / len(data.validation[1])


def main() -> None:
    """Train, save and say how good the network is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, help="file of the weights, .safetensors")
    parser.add_argument("--source", default="embedded", help="embedded, debian or a folder of IDX files")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--blocks", type=int, nargs="+", default=[3, 4, 6, 3], help="blocks of each stage")
    parser.add_argument("--stem", type=int, default=8, help="channels that leave the first convolution")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    data = FashionMNIST(arguments.source, garments=2, validation_size=2500, calibration_size=500)
    net = ResNet(layout(arguments.blocks, arguments.stem, data.classes), STRIDES, data.resolution)
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    recipe = Recipe(
        arguments.epochs, batch_size=128, learning_rate=0.005, weight_decay=0.02, warmup=0.1, largest_epochs=0,
        rule="sandwich", random_subnets=0,
    )  # fmt: skip
    for epoch, loss in enumerate(train(net, data, recipe, arguments.seed), start=1):
        print(f"epoch {epoch} / {recipe.epochs}: mean loss {loss:.3f}", flush=True)
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, arguments.to)
    print(f"top-1 on {len(data.validation[1])} validation images: {accuracy(net, data):.2f} %; {arguments.to}")


if __name__ == "__main__":
    main()
