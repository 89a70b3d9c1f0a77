"""The contract of supernets, and what their sub-networks may say of themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from dynas.core.space import Architecture, Genotypes, SearchSpace

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn


class Supernet(ABC):
    """A trained weight-sharing network and the space of its sub-networks.

    Attributes:
        name: name of its family.
        task: what its networks do, such as ``classification``; metrics and data name the same word.
        space: what is elastic.
        weights_digest: SHA-256 of the weights' file.
        precision_choices: what sub-networks may choose to be computed in, such as fp32 and int8; every one then tells
            its own (`ChoosesPrecision`). None: no choice.
        single_pass: whether one forward pass is what its networks are used for; else see `timed`.
        latency_batch: samples that a latency is usually stated for; None: the hardware's choice.
        lengths: least and most tokens of a text, where all inputs are ``(n, T)`` and may have any number of them; None:
            the inputs of a sub-network have one shape.
        classes: number of classes, where the shape comes from the weights.
        inferred: the settings that an untrained supernet of the same shape needs, where the weights tell it.
    """

    name: str
    task: str
    space: SearchSpace
    weights_digest: str
    precision_choices: Sequence[str] | None = None
    single_pass: bool = True
    latency_batch: int | None = None
    lengths: tuple[int, int] | None = None
    classes: int | None = None
    inferred: Mapping[str, Any] = MappingProxyType({})

    @property
    def trained(self) -> bool:
        """Whether its weights know the task, so that others can learn from them."""
        return self.weights_digest != "random"

    @property
    def resolutions(self) -> Sequence[tuple[int, int]]:
        """Heights and widths of images, where every sub-network tells its own (`TakesImages`)."""
        return ()

    @property
    def original(self) -> Architecture | None:
        """The trained network that all sub-networks are made from, itself one of them; None where there is none."""
        return None

    @abstractmethod
    def subnet(self, architecture: Architecture) -> nn.Module:
        """Return a stand-alone module in eval mode with its own copy of the sliced weights."""

    @abstractmethod
    def example_inputs(self, batch_size: int, subnet: nn.Module | None = None) -> tuple[Tensor, ...]:
        """Return inputs of one forward pass of ``batch_size`` samples through ``subnet``; None: the largest inputs."""

    @abstractmethod
    def macs(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the multiply-accumulates ``(n,)`` for one input of canonical genotypes ``(n, G)``."""

    @abstractmethod
    def params(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the parameters ``(n,)`` of the sub-networks of canonical genotypes ``(n, G)``."""

    def params_without_embeddings(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return `params` without embedding tables; all of them where there are no such tables."""
        return self.params(genotypes)

    def companions(self) -> Mapping[str, bytes]:
        """Return the files that must lie beside its weights for these to be read, by their names."""
        return {}

    def timed(self, subnet: nn.Module) -> nn.Module:
        """Return the module that a latency times of a sub-network: itself, where one forward pass is its use."""
        return subnet


@runtime_checkable
class TakesImages(Protocol):
    """A sub-network that says how large its images are: height and width in pixels, or None."""

    resolution: tuple[int, int] | None


@runtime_checkable
class ChoosesPrecision(Protocol):
    """A sub-network that says what it is to be computed in, such as int8."""

    precision: str


@runtime_checkable
class Trainable(Protocol):
    """A supernet that can be trained: its network runs any sub-network on shared weights."""

    elastic: nn.Module


@runtime_checkable
class CountsActivations(Protocol):
    """A supernet that knows the order in which its sub-networks compute."""

    def peak_activations(self, genotypes: Genotypes) -> NDArray[np.int64]:
        """Return the most elements of activations that are alive at a time, for one input: ``(n,)``."""
        ...


@runtime_checkable
class SizesImages(Protocol):
    """A network in training that says how large the images of its sub-networks are."""

    def image_size(self, architecture: Architecture) -> tuple[int, int]:
        """Return height and width in pixels."""
        ...


@runtime_checkable
class ShowsStates(Protocol):
    """A network in training that tells its hidden states beside its outputs."""

    def with_states(self, *inputs: Any) -> tuple[Tensor, Tensor]:
        """Return what calling it returns, and the hidden states ``(..., width)`` before the last layers."""
        ...


def resolution_of(subnet: nn.Module) -> tuple[int, int] | None:
    """Return height and width of a sub-network's images; None where it does not say."""
    return subnet.resolution if isinstance(subnet, TakesImages) else None


def precision_of(subnet: nn.Module, common: str) -> str:
    """Return what a sub-network is to be computed in: its own choice, or else the common one."""
    return subnet.precision if isinstance(subnet, ChoosesPrecision) else common


@runtime_checkable
class StoresWeights(Protocol):
    """A network that runs outside torch and says how many bytes its weights take."""

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constants."""
        ...
