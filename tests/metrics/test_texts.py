"""Accuracy of texts: its standard error, and in which numbers it is computed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from dynas.core.bench import Bench
from dynas.data.sentiment import sentiment
from dynas.hardware.latency import CpuMeter
from dynas.metrics.texts import STANDARD_ERROR, Accuracy
from dynas.system.machine import multiplies_bfloat16
from tests.helpers.supernets import narrow_bert


class Watching(nn.Module):
    """Says bad of every text, and keeps the type of its products."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.types = nn.Linear(1, 2), set[torch.dtype]()

    def forward(self, pieces: Tensor, mask: Tensor) -> Tensor:
        product = self.linear(torch.ones(len(pieces), 1))
        self.types.add(product.dtype)
        return torch.tensor([[1.0, 0.0]]).repeat(len(pieces), 1)


@pytest.mark.parametrize("bfloat16", [True, False, None])
def test_accuracy_says_in_which_numbers_it_is_computed(bfloat16: bool | None) -> None:
    data, network, metric = sentiment(200, "embedded", 20, 0), Watching(), Accuracy(bfloat16)
    bench = Bench(narrow_bert(vocabulary=data.vocabulary, classes=2), data, CpuMeter(1, 1, 0, 2, 2, 0.1))
    (reading,) = metric.measure([network], bench)
    bad = sum(int((labels == 0).sum()) for _, _, labels in data.validation_batches()) / 200
    assert reading.value == pytest.approx(100 * bad)
    assert reading.extras[STANDARD_ERROR] == pytest.approx(100 * (bad * (1 - bad) / 200) ** 0.5)
    fast = multiplies_bfloat16() if bfloat16 is None else bfloat16
    assert network.types == {torch.bfloat16 if fast else torch.float32}
    assert bool(metric.note) is fast
