"""Batch norm of a sub-network, re-calibrated on images of its own size."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from dynas.core.data import ClassificationData, Data, Resizable
from dynas.core.space import Architecture
from dynas.core.supernet import Supernet, resolution_of
from dynas.errors import DynasError


def recalibrate(subnet: nn.Module, batches: Iterable[Tensor]) -> None:
    """Recompute the batch-norm statistics of ``subnet`` on batches of images ``(N, C, H, W)``, in place.

    Weight sharing leaves a sub-network with the statistics of others. As in Once-for-All (arXiv:1908.09791),
    every batch is normalised by its own mean and variance, and their averages over all images are kept.
    """
    norms = [module for module in subnet.modules() if isinstance(module, nn.BatchNorm2d)]
    if not norms:
        return
    device = device_of(subnet)
    sums = [
        (torch.zeros(norm.num_features, device=device), torch.zeros(norm.num_features, device=device)) for norm in norms
    ]

    def collect(norm: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        images, values = len(inputs[0]), inputs[0][:, 0].numel()
        mean, variance = sums[norms.index(norm)]
        mean += images * norm.running_mean
        variance += images * norm.running_var * (values - 1) / values  # torch keeps the unbiased one

    hooks = [norm.register_forward_hook(collect) for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = 1.0  # the running statistics are those of the last batch
        norm.train()
    total = 0
    with torch.inference_mode():
        for batch in batches:
            subnet(batch.to(device))
            total += len(batch)
    for hook in hooks:
        hook.remove()
    subnet.eval()
    for norm, (mean, variance) in zip(norms, sums, strict=True):
        norm.running_mean = mean / total
        norm.running_var = variance / total


def recalibrated(subnet: nn.Module, data: Data) -> nn.Module:
    """Re-calibrate ``subnet`` on the calibration samples, in place and in the format that is fastest; return it.

    Raises:
        DynasError: the data hold no images.
    """
    if not isinstance(data, ClassificationData):
        raise DynasError(
            f"{type(data).__name__} holds no images: measure the sub-network on data that do, by dynas evaluate "
            "architectures=<run folder> data=<such data>, and go on from that run"
        )
    subnet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    recalibrate(subnet, sized(data, subnet).calibration_batches())
    return subnet.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload, no-any-return]


def measured_network(supernet: Supernet, data: Data, architecture: Architecture) -> nn.Module:
    """Return a sub-network just as its accuracy is measured: with batch norm re-calibrated on the data.

    Raises:
        DynasError: the data hold nothing to re-calibrate on.
    """
    return as_measured(supernet.subnet(architecture), data)


def as_measured(subnet: nn.Module, data: Data) -> nn.Module:
    """Return ``subnet`` in eval mode, its batch norm re-calibrated in place; raise DynasError as `measured_network`."""
    if any(isinstance(module, nn.BatchNorm2d) for module in subnet.modules()):
        try:
            recalibrated(subnet, data)
        except DynasError as error:
            raise DynasError(f"the network cannot be re-calibrated as for a measurement: {error}") from error
    return subnet.eval()


def check_sizes(supernet: Supernet, data: Data) -> None:
    """Raise DynasError where sub-networks differ in the size of their images and the data has but one."""
    sizes = supernet.resolutions
    if len(sizes) > 1 and not isinstance(data, Resizable):
        raise DynasError(
            f"supernet.resolutions asks for images of {len(sizes)} sizes, but {type(data).__name__} has no method 'at' "
            "to give them: leave out supernet.resolutions, or give other data such as data=fashion_mnist"
        )


def sized(data: ClassificationData, subnet: nn.Module) -> ClassificationData:
    """Return the data with images of the size that ``subnet`` takes, as they are where either does not say."""
    resolution = resolution_of(subnet)
    return data if resolution is None or not isinstance(data, Resizable) else data.at(resolution)


def device_of(module: nn.Module) -> torch.device:
    """Return where a module computes: where its first parameter is, the CPU for one without any."""
    return next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
