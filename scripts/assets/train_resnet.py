"""Trains an ordinary ResNet on Fashion-MNIST: the network that the embedded supernet bootstrap_resnet50 starts from.

    python scripts/assets/train_resnet.py --to resnet.safetensors --source debian --epochs 8

The file holds a state dict with torchvision's names. Training starts over where it is interrupted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from alone import training_alone
from safetensors.torch import save_file

from dynas.data.fashion_mnist import FashionMNIST
from dynas.supernets.resnets.plain import Layout, ResNet, Strides
from dynas.training.sandwich import Recipe

STRIDES = Strides(stem=2, pooling=True, stages=(1, 2, 2, 2))


def layout(blocks: list[int], stem: int, classes: int) -> Layout:
    """Return the layout of a ResNet50 of other depths and widths; a full-size one has a stem of 64 channels."""
    widths = [stem * 2**stage for stage in range(len(blocks))]
    middles = tuple((width,) * count for width, count in zip(widths, blocks, strict=True))
    return Layout(1, classes, 7, stem, tuple(4 * width for width in widths), middles)


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
    training = training_alone(net, data, recipe, arguments.seed)
    while training.epochs < recipe.epochs:
        losses = list(training.train_epoch())
        print(f"epoch {training.epochs} / {recipe.epochs}: mean loss {sum(losses) / len(losses):.3f}", flush=True)
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, arguments.to)
    print(f"top-1 on {len(data.validation[1])} validation images: {accuracy(net, data):.2f} %; {arguments.to}")


if __name__ == "__main__":
    main()
