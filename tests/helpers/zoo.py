"""Networks that others wrote, with random weights: those of timm and torchvision."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from torch import nn

STATISTICS = {"running_var": (0.5, 1.5), "running_mean": (-0.1, 0.1)}


@lru_cache
def declare_operators() -> Any:
    """Let torchvision for GPUs be imported beside a torch for CPUs: its own operators are missing, and not used.

    transformers imports it, too, where it is installed.
    """
    if find_spec("torchvision") is None or torch.version.cuda is not None or version("torchvision").endswith("+cpu"):
        return None
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library  # kept, as its operators go with it


def from_zoo(name: str, side: int) -> nn.Module:
    """Return a network such as ``torchvision resnet18`` or ``timm resnet50`` of 10 classes, in eval mode."""
    package, _, kind = name.partition(" ")
    if missing := [one for one in ("timm", "torchvision") if find_spec(one) is None]:
        pytest.skip(f"{missing[0]} is not installed")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = made(package, kind, side).eval()
        for key, value in model.named_buffers():
            if (last := key.rpartition(".")[2]) in STATISTICS:
                value.uniform_(*STATISTICS[last])
        with torch.no_grad():
            for weight in model.parameters():
                if not weight.any():  # a head of zeros would hide every fault
                    weight.normal_(0, 0.02)
    return model


def made(package: str, kind: str, side: int) -> nn.Module:
    """Return the network as its package makes it."""
    if package == "timm":
        import timm

        sized = {"img_size": side} if kind.startswith(("vit", "swin")) else {}
        model: nn.Module = timm.create_model(kind, num_classes=10, **sized)
        return model
    import torchvision

    settings: dict[str, Any] = {"image_size": side} if kind.startswith("vit") else {}
    if kind == "googlenet":
        settings |= {"aux_logits": False, "init_weights": False}
    model = getattr(torchvision.models, kind)(num_classes=10, **settings)
    return model
