"""Small networks of our own to be pruned, one per way in which layers depend on each other."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dynas.supernets.prune import PruneSupernet


def conv(inputs: int, outputs: int, kernel: int = 3, groups: int = 1, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Basic(nn.Module):
    """Two convolutions and a shortcut, as in a ResNet18."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = conv(inputs, outputs, stride=stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        plain = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if plain else nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class Residual(nn.Sequential):
    """Basic blocks, two of which can be skipped."""

    def __init__(self, channels: int = 1, classes: int = 100, width: int = 8) -> None:
        super().__init__(
            conv(channels, width, stride=2),
            Basic(width, width),
            Basic(width, 2 * width, stride=2),
            Basic(2 * width, 2 * width),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(2 * width, classes),
        )


class Inverted(nn.Module):
    """An inverted residual with a depthwise convolution and squeeze-and-excitation."""

    def __init__(self, channels: int, middle: int) -> None:
        super().__init__()
        self.expand, self.depthwise = conv(channels, middle, 1), conv(middle, middle, 5, groups=middle)
        self.squeeze = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(middle, 8, 1), nn.ReLU(), nn.Conv2d(8, middle, 1), nn.Hardsigmoid()
        )
        self.project = nn.Sequential(nn.Conv2d(middle, channels, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = self.depthwise(self.expand(x))
        return x + self.project(y * self.squeeze(y))


class Mobile(nn.Sequential):
    """Inverted residuals."""

    def __init__(self, channels: int = 1, classes: int = 100) -> None:
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, classes)]
        super().__init__(conv(channels, 16, stride=2), Inverted(16, 24), Inverted(16, 32), *head)


class Joined(nn.Module):
    """Concatenation, grouped convolutions, a map of one channel, chunks, and a flattened image."""

    def __init__(self, channels: int = 1, classes: int = 100, side: tuple[int, int] = (28, 56)) -> None:
        super().__init__()
        self.stem = conv(channels, 16, stride=4)
        self.left, self.right = conv(16, 8), conv(16, 12)
        self.grouped = conv(20, 24, groups=4)
        self.gate = nn.Conv2d(24, 1, 1)
        self.scale = nn.Parameter(torch.rand(24, 1, 1))
        self.last = conv(12, 8)
        self.head = nn.Linear(8 * (side[0] // 4) * (side[1] // 4), classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.grouped(torch.cat([self.left(x), self.right(x)], 1))
        x = self.scale * x * self.gate(x).sigmoid()
        some, others = x.chunk(2, 1)
        return self.head(self.last(some - others).flatten(1))


class Shuffled(nn.Module):
    """A channel shuffle between halves."""

    def __init__(self, channels: int = 1, classes: int = 100) -> None:
        super().__init__()
        self.stem, self.branch = conv(channels, 32, stride=4), conv(16, 16)
        self.last, self.head = conv(32, 16), nn.Linear(16, classes)

    def forward(self, x: Tensor) -> Tensor:
        kept, changed = self.stem(x).chunk(2, 1)
        x = torch.cat([kept, self.branch(changed)], 1)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return self.head(self.last(x).mean((2, 3)))


class Attending(nn.Module):
    """Two layers of a vision transformer; its code has the number of heads in it."""

    def __init__(self, channels: int = 1, classes: int = 100, width: int = 24, heads: int = 3) -> None:
        super().__init__()
        self.heads = heads
        self.patches = nn.Conv2d(channels, width, 14, 14)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, 9, width))
        self.qkv = nn.ModuleList([nn.Linear(width, 3 * width) for _ in range(2)])
        self.joint = nn.ModuleList([nn.Linear(width, width) for _ in range(2)])
        self.feed = nn.ModuleList(
            [nn.Sequential(nn.Linear(width, 48), nn.GELU(), nn.Linear(48, width)) for _ in range(2)]
        )
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(5)])
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        n, t, c = x.shape
        for layer in range(2):
            q, k, v = (
                self.qkv[layer](self.norms[2 * layer](x)).view(n, t, 3, self.heads, 8).permute(2, 0, 3, 1, 4).unbind(0)
            )
            y = ((q @ k.transpose(-2, -1)) * 8**-0.5).softmax(-1) @ v
            x = x + self.joint[layer](y.transpose(1, 2).reshape(n, t, c))
            x = x + self.feed[layer](self.norms[2 * layer + 1](x))
        return self.head(self.norms[4](x)[:, 0])


NETWORKS = {"residual": Residual, "mobile": Mobile, "joined": Joined, "shuffled": Shuffled, "attending": Attending}


def network(kind: str) -> nn.Module:
    """One of the above with seeded weights and moved norms."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = NETWORKS[kind]()
        with torch.no_grad():
            for name, value in model.state_dict().items():
                if name.endswith("running_var"):
                    value.uniform_(0.5, 1.5)
                elif name.endswith("running_mean"):
                    value.normal_(0, 0.3)
    return model.eval()


def pruned(kind: str, **changes: Any) -> PruneSupernet:
    """One of the above as a supernet for the images of the default data."""
    settings: dict[str, Any] = {"resolution": (28, 56), "channels": 1, "shares": (0.25, 0.5, 1.0), "divisor": 4}
    return PruneSupernet(network(kind), **(settings | changes))
