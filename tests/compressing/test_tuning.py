"""What was tuned is on disk, whatever the network, and is read instead of being tuned again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import dynas
from dynas.compressing.candidates import Candidate
from dynas.compressing.timing import Clock
from dynas.compressing.tuning import tune
from dynas.training.tuning import Tuner
from tests.helpers.training import OneBatch, recipe


class Tied(nn.Module):
    """Uses one kernel in two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3)
        self.first, self.second = nn.Conv2d(8, 8, 3, bias=False), nn.Conv2d(8, 8, 3, bias=False)
        self.second.weight = self.first.weight
        self.wide, self.classify = nn.Conv2d(8, 16, 3), nn.Linear(16, 4)

    def forward(self, images: Tensor) -> Tensor:
        found = self.wide(self.second(self.first(self.stem(images).relu()).relu()).relu()).relu()
        logits: Tensor = self.classify(found.mean((2, 3)))
        return logits


@pytest.mark.parametrize("share", ["smallest", "largest"])
def test_a_network_whose_layers_share_a_kernel_is_tuned_once_and_read(share: str, tmp_path: Path) -> None:
    supernet = dynas.elastic(Tied(), torch.zeros(1, 1, 12, 12), divisor=4)
    architecture = supernet.space.decode(getattr(supernet.space, share)())
    candidate = Candidate("limit1_1", "macs<=0.5x", ("uniform",), architecture, {})
    tuner, said = Tuner(supernet, OneBatch(supernet), recipe(learning_rate=0.05), 2), list[str]()
    arguments = [candidate], tuner, Clock(None), tmp_path, said.append
    (tuned,), (read,) = tune(*arguments), tune(*arguments)
    images = torch.ones(2, 1, 12, 12)
    torch.testing.assert_close(read(images), tuned(images), rtol=0, atol=0)
    assert not torch.equal(tuned(images), supernet.subnet(architecture)(images)), "it has learned"
    assert said == ["tuning limit1_1 (uniform; macs<=0.5x) for 2 steps"]
