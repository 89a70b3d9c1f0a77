"""MobileNetV3 as a Once-for-All supernet: elastic kernel sizes, expansion ratios and depths.

Howard et al. 2019 (arXiv:1905.02244) made elastic by Cai et al. 2020 (arXiv:1908.09791); the search space
is that of Cummings et al. 2022, Appendix D.2: 45 design variables and 7371^5 distinct sub-networks.
"""

from __future__ import annotations

from dynas.core.space import SearchSpace
from dynas.supernets.mbconv import shape as mbconv_shape
from dynas.supernets.mbconv.shape import Family, HeadConv, Stage
from dynas.supernets.mbconv.supernet import MBConvSupernet

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
    """Once-for-All's MobileNetV3."""

    name = "mbv3"
    family = MBV3
