"""FastNAS of NVIDIA's Model Optimizer, as compress.py asks for it."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dynas.core.data import ClassificationData
from dynas.metrics.accuracy import top1

DIVISOR, SHARES = 8, tuple(eighth / 8 for eighth in range(1, 9))  # as fine as dynas cuts, and with smaller shares


class NotReachable(Exception):  # noqa: N818
    """No network is as small as asked for."""


def fastnas(network: nn.Module, data: ClassificationData, share: float, checkpoint: Path) -> nn.Module:
    """Return a network within a share of the flops; what each layer costs is measured once and kept.

    Raises:
        NotReachable: there is none.
    """
    declare_operators()
    import modelopt.torch.prune as mtp
    from modelopt.torch.prune.fastnas import FastNASConfig

    config = {
        layer: {"*": {key: setting(key, value) for key, value in entry["*"].items()}}
        for layer, entry in FastNASConfig().model_dump().items()
    }
    images = next(iter(data.calibration_batches()))[:1]
    settings = {
        "data_loader": list(data.calibration_batches()),
        "collect_func": lambda batch: (batch,),
        "score_func": lambda one: top1(one, data.validation_batches()),
        "checkpoint": str(checkpoint),
        "verbose": False,
    }
    try:
        found, _ = mtp.prune(
            network, mode=[("fastnas", config)], constraints={"flops": f"{100 * share}%"}, dummy_input=images,
            config=settings,
        )  # fmt: skip
    except (ValueError, RuntimeError, AssertionError) as error:
        if "constraint" not in str(error).lower():
            raise
        raise NotReachable from error
    plain: nn.Module = found
    return plain


def setting(key: str, value: Any) -> Any:
    """Return a setting of FastNAS as it fits small networks; those of large ones leave them nearly whole."""
    return DIVISOR if key.endswith("divisor") else SHARES if key.endswith("ratio") else value


@lru_cache
def declare_operators() -> Any:
    """Let a torchvision for GPUs be imported beside a torch for CPUs: what counts flops imports it."""
    if torch.version.cuda is not None or version("torchvision").endswith("+cpu"):
        return None
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        schema = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(schema)  # type: ignore[no-untyped-call]
    return library  # kept, as its operators go with it
