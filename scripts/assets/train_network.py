"""Trains an ordinary network on pairs of garments of Fashion-MNIST: what a supernet or an example starts from.

    python scripts/assets/train_network.py resnet50 --to resnet.safetensors --source debian --epochs 8
    python scripts/assets/train_network.py basic_resnet --to basic_resnet.safetensors --half
    python scripts/assets/train_network.py mobilenet_v2 --to mobilenet_v2.safetensors --half

The file holds a state dict, of resnet50 with torchvision's names. Training starts over where it is interrupted.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from alone import training_alone
from safetensors.torch import save_file
from torch import nn

from dynas.data.fashion_mnist import FashionMNIST
from dynas.supernets.examples import basic_resnet, mobilenet_v2
from dynas.supernets.resnets.plain import Layout, ResNet, Strides
from dynas.training.sandwich import Recipe

STRIDES = Strides(stem=2, pooling=True, stages=(1, 2, 2, 2))
NETWORKS = ("resnet50", "basic_resnet", "mobilenet_v2")


def made(name: str, blocks: list[int], stem: int, data: FashionMNIST) -> nn.Module:
    """Return a network with random weights."""
    if name == "resnet50":
        return ResNet(layout(blocks, stem, data.classes), STRIDES, data.resolution)
    make = basic_resnet if name == "basic_resnet" else mobilenet_v2
    return make(embedded=False, classes=data.classes)


def layout(blocks: list[int], stem: int, classes: int) -> Layout:
    """Return the layout of a ResNet50 of other depths and widths; a full-size one has a stem of 64 channels."""
    widths = [stem * 2**stage for stage in range(len(blocks))]
    middles = tuple((width,) * count for width, count in zip(widths, blocks, strict=True))
    return Layout(1, classes, 7, stem, tuple(4 * width for width in widths), middles)


def stored(value: torch.Tensor, half: bool) -> torch.Tensor:
    """Return a tensor as it is written: in half precision where that is wanted and it is no counter."""
    return (value.half() if half and value.is_floating_point() else value).contiguous()


def accuracy(net: nn.Module, data: FashionMNIST) -> float:
    """Return top-1 in percent on the validation samples."""
    with torch.inference_mode():
        hits = sum(int((net(images).argmax(1) == labels).sum()) for images, labels in data.validation_batches())
    return 100 * hits / len(data.validation[1])


def main() -> None:
    """Train, save and say how good the stored network is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--to", type=Path, required=True, help="file of the weights, .safetensors")
    parser.add_argument("--half", action="store_true", help="store in half precision")
    parser.add_argument("--source", default="embedded", help="embedded, debian or a folder of IDX files")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--blocks", type=int, nargs="+", default=[3, 4, 6, 3], help="blocks of each stage of resnet50")
    parser.add_argument("--stem", type=int, default=8, help="channels that leave resnet50's first convolution")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    data = FashionMNIST(arguments.source, garments=2, validation_size=2500, calibration_size=500)
    net = made(arguments.network, arguments.blocks, arguments.stem, data).train()
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    recipe = Recipe(
        arguments.epochs, batch_size=128, learning_rate=0.005, weight_decay=0.02, warmup=0.1, largest_epochs=0,
        rule="sandwich", random_subnets=0,
    )  # fmt: skip
    training, began = training_alone(net, data, recipe, arguments.seed), time.process_time()
    while training.epochs < recipe.epochs:
        losses = list(training.train_epoch())
        print(f"epoch {training.epochs} / {recipe.epochs}: mean loss {sum(losses) / len(losses):.3f}", flush=True)
    minutes = (time.process_time() - began) / 60
    state = {name: stored(value, arguments.half) for name, value in net.state_dict().items()}
    save_file(state, arguments.to)
    net.load_state_dict(state)
    top1 = accuracy(net.eval(), data)
    print(f"top-1 on {len(data.validation[1])} validation images: {top1:.2f} %; {minutes:.1f} min; {arguments.to}")


if __name__ == "__main__":
    main()
