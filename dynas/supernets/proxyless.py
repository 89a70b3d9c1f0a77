"""ProxylessNAS as a Once-for-All supernet: elastic kernel sizes, expansion ratios and depths.

Cai et al. 2019 (arXiv:1812.00332) made elastic by Cai et al. 2020 (arXiv:1908.09791): five stages of two to four
blocks and one of a single block, ReLU6 everywhere, no squeeze-and-excitation; 47 design variables.
"""

from __future__ import annotations

from dynas.supernets.mbconv.shape import Family, HeadConv, Stage
from dynas.supernets.mbconv.supernet import MBConvSupernet

PROXYLESS = Family(
    stem=32,
    stem_act="relu6",
    first=16,
    first_act="relu6",
    first_shortcut=False,
    stages=(
        *(Stage(channels, "relu6") for channels in (24, 40, 80, 96, 192)),
        Stage(320, "relu6", elastic=False),
    ),
    head=(HeadConv("feature_mix_layer", 1280),),
    eps=1e-3,
)


class ProxylessSupernet(MBConvSupernet):
    """Once-for-All's ProxylessNAS."""

    name = "proxyless"
    family = PROXYLESS
