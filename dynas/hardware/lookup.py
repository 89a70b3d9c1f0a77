"""Latency summed from a table of block latencies, as in Once-for-All (Cai et al. 2020, arXiv:1908.09791)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import Tensor, nn

from dynas.core.bench import Meter
from dynas.core.meter import Timing
from dynas.core.metric import CountedMetric
from dynas.core.objectives import Values
from dynas.core.space import Genotypes
from dynas.core.supernet import Supernet
from dynas.errors import DynasError
from dynas.hardware.lut.blocks import Block
from dynas.hardware.lut.contracts import LookupSupernet
from dynas.hardware.lut.files import load, merged


class LookupTable(Meter):
    """Latencies of blocks on one device. It stands in for the objective latency, and times no modules.

    Files of several resolutions may be given together. Each of Once-for-All's files times the blocks that all
    resolutions share anew, so a network is looked up in the file that holds its stem, and in those without any stem.

    Args:
        table: ``note10``, the path of a CSV with the columns ``dynas.hardware.lut.csv_table.COLUMNS``, of a YAML file
            of Once-for-All or of a folder of such files; or a list of these.
        width: width multiplier of the network whose blocks are looked up; None: the supernet's own. With a number,
            a sub-network has the latency of the same architecture at that width.
        scale, offset: a sub-network's latency is ``scale`` times the sum of its blocks, and ``offset`` milliseconds; as
            ``dynas lut check`` finds them.

    Attributes:
        replaces: the latency that is summed from the table.
        digest: SHA-256 of the table's files, one after the other.

    Raises:
        DynasError: the table cannot be used (see `dynas.hardware.lut.files.load`), or a number makes no sense.
    """

    batch_size = 1

    def __init__(
        self, table: str | Sequence[str], width: float | None = None, scale: float = 1.0, offset: float = 0.0
    ) -> None:
        if width is not None and width <= 0:
            raise DynasError(f"hardware.width={width}: give a positive number, or null for the supernet's own width")
        if not 0 < scale < math.inf or not math.isfinite(offset):
            raise DynasError(
                f"hardware.scale={scale} hardware.offset={offset}: give a positive scale and an offset in milliseconds"
            )
        self.scale, self.offset = scale, offset
        names = [table] if isinstance(table, str) else list(table)
        self.name, self.width = ", ".join(names), width
        self._files = load(names)
        self.digest = hashlib.sha256(b"".join(file.content for file in self._files)).hexdigest()
        self.replaces = {"latency": TableLatency(self)}

    def network(self, stem: Block) -> NetworkTable:
        """Return the table of the networks that begin with ``stem``.

        Raises:
            DynasError: the table does not hold it.
        """
        own = [file for file in self._files if stem in file.latencies or not file.stems]
        if not any(file.stems for file in own):  # no file is for this network: tell which ones they are for
            NetworkTable(self.name, merged(self._files))[stem]
        return NetworkTable(self.name, merged(own))

    def __call__(self, modules: Sequence[nn.Module], inputs: Sequence[tuple[Tensor, ...]]) -> list[Timing]:
        """Raise DynasError: a table times nothing."""
        raise DynasError(f"the latency table '{self.name}' times no modules: choose hardware=cpu to measure latency")


@dataclass(frozen=True)
class NetworkTable:
    """Latencies of blocks at one input resolution.

    Attributes:
        name: name of the whole table.
        latencies: in milliseconds.
    """

    name: str
    latencies: Mapping[Block, float]

    def __getitem__(self, block: Block) -> float:
        """Return the latency of a block in milliseconds.

        Raises:
            DynasError: the table does not hold it.
        """
        if block not in self.latencies:
            raise DynasError(
                f"the latency table '{self.name}' lacks the block {block}: it has {self._nearest(block)}; "
                "give hardware.width, another table, or a supernet of these blocks"
            )
        return self.latencies[block]

    def _nearest(self, block: Block) -> str:
        """Return the blocks that are most like one that is missing, in words."""
        kind = [one for one in self.latencies if one.block == block.block]
        ends = [one for one in kind if (one.input, one.output) == (block.input, block.output)]
        near = ends or kind or list(self.latencies)
        more = f" and {len(near) - 2} more such blocks" if len(near) > 2 else ""
        return f"{' and '.join(map(str, near[:2]))}{more}"


@lru_cache(maxsize=1)
def summed(supernet: LookupSupernet, table: LookupTable) -> Callable[[Genotypes], Values]:
    """Return ``supernet.lookup(table)``, made once per search."""
    return supernet.lookup(table)


class TableLatency(CountedMetric):
    """Latency of a sub-network as the sum of its blocks' latencies in a table, in milliseconds."""

    unit = "ms, table"

    def __init__(self, table: LookupTable) -> None:
        self._table = table
        at = "" if table.width is None else f" for the same architectures at width {table.width:g}"
        plain = (table.scale, table.offset) == (1, 0)
        corrected = "" if plain else f", times {table.scale:g} plus {table.offset:g} ms"
        self.note = (
            f"latency is summed from the block latencies of table '{table.name}'{at}{corrected}; nothing was timed"
        )

    def count(self, supernet: Supernet, genotypes: Genotypes) -> Values:
        """Return the latencies ``(n,)`` of canonical genotypes ``(n, G)``.

        Raises:
            DynasError: the supernet describes no blocks, the table lacks one, or the offset leaves no time at all.
        """
        if not isinstance(supernet, LookupSupernet):
            raise DynasError(
                f"supernet '{supernet.name}' does not describe its blocks to a latency table: give hardware=cpu"
            )
        table = self._table
        sums = summed(supernet, table)(genotypes)
        if (table.scale, table.offset) == (1, 0):
            return sums
        corrected = np.round(table.scale * sums + table.offset, 9)
        if (corrected <= 0).any():
            raise DynasError(
                f"hardware.offset={table.offset} makes a latency of {corrected.min():g} ms out of a sum of "
                f"{sums.min():g} ms: give the numbers that dynas lut check found for this supernet"
            )
        return corrected
