"""Muon (Jordan 2024, https://kellerjordan.github.io/posts/muon): momentum whose singular values are made alike.

PyTorch's own computes in bfloat16, which processors that are not made for it take many times as long for; this one
computes in single precision.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

MOMENTUM, STEPS, TINY = 0.95, 5, 1e-7
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of Jordan's iteration
SCALE = 0.2  # root mean square of AdamW's steps, which these are given (Liu et al. 2025, arXiv:2502.16982, eq. 4)


class Muon(torch.optim.Optimizer):
    """Moves matrices.

    Args:
        matrices: what is moved.
        lr: as for AdamW.
        weight_decay: decoupled decay.
    """

    def __init__(self, matrices: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                momentum = self.state[matrix].setdefault("momentum", torch.zeros_like(matrix))
                momentum.lerp_(matrix.grad, 1 - MOMENTUM)
                ahead = matrix.grad.lerp(momentum, MOMENTUM)  # Nesterov's
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(alike(ahead), alpha=-group["lr"] * SCALE * max(matrix.shape) ** 0.5)


def alike(matrix: Tensor) -> Tensor:
    """Return a matrix with the same singular vectors, and singular values between about 0.7 and 1.2."""
    first, second, third = COEFFICIENTS
    x: Tensor = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = x / (x.norm() + TINY)
    for _ in range(STEPS):
        square = x @ x.T
        x = first * x + (second * square + third * square @ square) @ x
    return x if matrix.shape[0] <= matrix.shape[1] else x.T
