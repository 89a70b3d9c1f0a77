"""Folded batch norm: the same logits, and the network as it was afterwards."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from dynas.metrics.folding import folded
from tests.helpers.supernets import OF_IMAGES, SUPERNETS


def fresh(channels: int) -> nn.BatchNorm2d:
    """Return batch norm that changes what it is given."""
    norm = nn.BatchNorm2d(channels).eval()
    with torch.no_grad():
        for value in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            assert value is not None
            value.uniform_(0.5, 2)
    return norm


class Reversed(nn.Sequential):
    """Calls its modules from the last to the first."""

    def forward(self, x: Tensor) -> Tensor:
        for module in reversed(self):
            x = module(x)
        return x


def hooked() -> nn.Sequential:
    conv = nn.Conv2d(3, 3, 1)
    conv.register_forward_hook(lambda module, inputs, output: output.relu())
    return nn.Sequential(conv, fresh(3))


CHAINS = {
    "plain": nn.Sequential(nn.Conv2d(3, 5, 3, bias=False), fresh(5), nn.ReLU()),
    "with bias, in groups": nn.Sequential(nn.Conv2d(3, 6, 3, groups=3), fresh(6)),
    "no convolution": nn.Sequential(fresh(3), nn.ReLU()),
    "no statistics": nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5, track_running_stats=False)),
    "another order": Reversed(nn.Conv2d(3, 3, 1), fresh(3)),
    "a hook": hooked(),
    "weight norm": nn.Sequential(weight_norm(nn.Conv2d(3, 5, 3)), fresh(5)),
    "twice": nn.Sequential(shared := nn.Conv2d(3, 3, 1), nn.ReLU(), shared, fresh(3)),
}


@pytest.mark.parametrize("kind", CHAINS)
def test_logits_and_network_stay(kind: str) -> None:
    network, images = CHAINS[kind].eval(), torch.randn(4, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    modules, state = list(network), {name: value.clone() for name, value in network.state_dict().items()}
    with torch.inference_mode():
        wanted = network(images)
        with folded(network):
            torch.testing.assert_close(network(images), wanted)
    assert all(one is other for one, other in zip(network, modules, strict=True))
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


def test_what_fails_inside_leaves_the_network_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(3, 5, 3), fresh(5)).eval()
    with pytest.raises(ValueError, match="inside"), folded(network):
        raise ValueError("inside")
    assert isinstance(network[1], nn.BatchNorm2d)


APART = ("narrow bootstrapped",)  # its convolutions and norms are attributes, as in the network that it came from


@pytest.mark.parametrize("kind", [kind for kind in OF_IMAGES if kind.startswith("narrow")])
def test_families_have_the_same_logits(kind: str) -> None:
    supernet = SUPERNETS[kind]()
    subnet = supernet.subnet(supernet.space.decode(supernet.space.largest())).eval()
    inputs = supernet.example_inputs(2, subnet)
    with torch.inference_mode():
        wanted = subnet(*inputs)
        with folded(subnet):
            left = sum(isinstance(module, nn.BatchNorm2d) for module in subnet.modules())
            assert (subnet(*inputs) - wanted).norm() <= 1e-5 * wanted.norm()
    assert (left == 0) == (kind not in APART)
