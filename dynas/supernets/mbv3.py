"""MobileNetV3 as a Once-for-All supernet: elastic kernel sizes, expansion ratios and depths.

Howard et al. 2019 (arXiv:1905.02244) made elastic by Cai et al. 2020 (arXiv:1908.09791); the search space
is that of Cummings et al. 2022, Appendix D.2: 45 design variables and 7371^5 distinct sub-networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dynas.hardware.lookup import LookupTable
from dynas.objectives import Values
from dynas.space import Genotypes, SearchSpace
from dynas.supernets import mbconv_shape
from dynas.supernets.layers import Classifier as Classifier
from dynas.supernets.mbconv_shape import Family, HeadConv, Stage
from dynas.supernets.mbconv_supernet import MBConvSupernet
from dynas.supernets.mbv3_lookup import block_latencies

MBV3 = Family(
    stem=16,
    stem_act="h_swish",
    first=16,
    first_act="relu",
    first_shortcut=True,
    stages=(
        Stage(24, "relu"),
        Stage(40, "relu", se=True),
        Stage(80, "h_swish"),
        Stage(112, "h_swish", se=True),
        Stage(160, "h_swish", se=True),
    ),
    head=(HeadConv("final_expand_layer", 960), HeadConv("feature_mix_layer", 1280, pooled=True)),
    eps=1e-5,
)


def search_space() -> SearchSpace:
    """Return the 20 kernel sizes, 20 expansion ratios and 5 depths; blocks beyond the depth are inactive."""
    return mbconv_shape.search_space(MBV3)


class MobileNetV3Supernet(MBConvSupernet):
    """Once-for-All's MobileNetV3, which latency tables know the blocks of."""

    name = "mbv3"
    family = MBV3

    def lookup(self, table: LookupTable) -> Callable[[Genotypes], Values]:
        """Return the function from canonical genotypes ``(n, G)`` to summed latencies ``(n,)`` in milliseconds.

        Raises:
            DynasError: the table lacks a block of this network, at the table's width where it has one.
        """
        wide = replace(self.shape, width=table.width or self.shape.width)
        tables = [block_latencies(replace(wide, resolution=one), table) for one in self.resolutions]
        latencies, fixed = (np.stack(column) for column in zip(*tables, strict=True))
        # rounded to what is more than the noise of adding up
        return lambda genotypes: np.round(self.cost.total(latencies, fixed, genotypes), 9)
