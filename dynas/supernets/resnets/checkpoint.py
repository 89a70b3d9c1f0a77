"""Reading an ordinary ResNet: what the shapes of its weights say, and its channels by importance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from dynas.errors import DynasError
from dynas.supernets.resnets.plain import Layout, ResNet

WANTED = "give the state dict of a torch or timm ResNet with bottleneck blocks, such as their resnet50"
BLOCK = re.compile(r"layer(\d+)\.(\d+)\.conv1\.weight")


def layout_of(state: Mapping[str, Tensor], origin: object) -> Layout:
    """Return the layout of the ResNet whose weights have the names of torchvision and timm.

    Only what decides the layout is looked at; whether all weights are there is for who copies them.

    Raises:
        DynasError: it is no ResNet with bottleneck blocks.
    """
    found = {(int(match[1]), int(match[2])) for key in state if (match := BLOCK.fullmatch(key))}
    if lacking := [key for key in ("conv1.weight", "layer1.0.conv1.weight", "fc.weight") if key not in state]:
        raise DynasError(f"'{origin}' is no ResNet, it lacks '{lacking[0]}': {WANTED}")
    stages = sorted({stage for stage, _ in found})
    blocks = [[f"layer{stage}.{position}" for s, position in sorted(found) if s == stage] for stage in stages]
    for block in (block for stage in blocks for block in stage):
        _check_bottleneck(state, block, origin)
    stem, head = state["conv1.weight"], state["fc.weight"]
    if stem.ndim != 4 or head.ndim != 2 or stem.shape[2] != stem.shape[3] or stem.shape[2] % 2 == 0:
        shapes = f"'conv1.weight' as {tuple(stem.shape)} and 'fc.weight' as {tuple(head.shape)}"
        raise DynasError(f"'{origin}' is no ResNet, it has {shapes}: {WANTED}")
    return Layout(
        channels=stem.shape[1],
        classes=head.shape[0],
        kernel=stem.shape[2],
        stem=stem.shape[0],
        outputs=tuple(state[f"{stage[0]}.conv3.weight"].shape[0] for stage in blocks),
        middles=tuple(tuple(state[f"{block}.conv1.weight"].shape[0] for block in stage) for stage in blocks),
    )


def _check_bottleneck(state: Mapping[str, Tensor], block: str, origin: object) -> None:
    if f"{block}.conv3.weight" not in state:
        raise DynasError(
            f"'{origin}' has no bottlenecks, '{block}' lacks a third convolution as in ResNet18 and ResNet34: {WANTED}"
        )
    convs = [state.get(f"{block}.conv{index}.weight") for index in (1, 2, 3)]
    if any(conv is None or conv.ndim != 4 for conv in convs):
        raise DynasError(f"'{origin}' is no ResNet, '{block}' has not three convolutions: {WANTED}")
    reduce, spatial = convs[0], convs[1]
    assert reduce is not None
    assert spatial is not None
    if spatial.shape[1] < reduce.shape[0]:
        raise DynasError(f"'{origin}' has grouped convolutions in '{block}', as in ResNeXt: {WANTED}")


Group = tuple[Sequence[tuple[str, str]], Sequence[str]]


def channel_groups(layout: Layout) -> Iterator[Group]:
    """Yield the layers that share an order of channels: the convolutions and norms that make them, their readers.

    All blocks of a stage add to the same channels, so that they and the shortcut are one group.
    """
    stages = [
        [f"layer{number}.{position}" for position in range(len(middles))]
        for number, middles in enumerate(layout.middles, start=1)
    ]
    entries = [[f"{blocks[0]}.conv1", f"{blocks[0]}.downsample.0"] for blocks in stages]
    yield [("conv1", "bn1")], entries[0]
    for blocks, following in zip(stages, [*entries[1:], ["fc"]], strict=True):
        makers = [(f"{blocks[0]}.downsample.0", f"{blocks[0]}.downsample.1")]
        makers += [(f"{block}.conv3", f"{block}.bn3") for block in blocks]
        yield makers, [*(f"{block}.conv1" for block in blocks[1:]), *following]
        for block in blocks:
            yield [(f"{block}.conv1", f"{block}.bn1")], [f"{block}.conv2"]
            yield [(f"{block}.conv2", f"{block}.bn2")], [f"{block}.conv3"]


def order_channels(net: ResNet, layout: Layout) -> None:
    """Put the most important channels first, in all layers that share them; the network computes the same.

    The importance of a channel is the L1 norm of the filters that make it (Li et al. 2017, arXiv:1608.08710), added
    up over the layers of its group, as in BootstrapNAS (Munoz et al. 2021, arXiv:2112.10878).
    """
    state = net.state_dict()
    for makers, readers in channel_groups(layout):
        norms = torch.stack([state[f"{conv}.weight"].abs().flatten(1).sum(1) for conv, _ in makers])
        order = norms.sum(0).argsort(descending=True, stable=True)
        for conv, norm in makers:
            for name in (f"{conv}.weight", *(f"{norm}.{part}" for part in NORM)):
                state[name] = state[name][order]
        for reader in readers:
            state[f"{reader}.weight"] = state[f"{reader}.weight"][:, order]
    net.load_state_dict(state)


NORM = ("weight", "bias", "running_mean", "running_var")
