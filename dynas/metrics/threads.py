"""Work of one thread each, done at the same time: small layers gain little from several threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import torch
from torch import nn

from dynas.core.activity import each
from dynas.core.data import Data
from dynas.metrics.calibration import device_of
from dynas.system.allocator import give_back

Item = TypeVar("Item")


@contextmanager
def single_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Yield a pool of ``count`` threads, on each of which torch computes alone."""
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(count, initializer=partial(torch.set_num_threads, 1)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)  # the workers' number is also that of threads to come


def side_by_side(measure: Callable[[nn.Module], Item], subnets: Sequence[nn.Module], data: Data) -> list[Item]:
    """Return what ``measure`` says of each network, in order; on the CPU, as many at a time as torch has threads.

    Where a network would be alone, or several threads may not read the data, each gets all threads.
    """
    threads = torch.get_num_threads()
    on_cpu = all(device_of(one).type == "cpu" for one in subnets)
    if min(len(subnets), threads) < 2 or not (data.concurrent and on_cpu):
        return [measure(one) for one in each(subnets)]
    try:
        with single_threads(min(len(subnets), threads)) as pool:
            return [found.result() for found in each([pool.submit(measure, one) for one in subnets])]
    finally:
        give_back()
