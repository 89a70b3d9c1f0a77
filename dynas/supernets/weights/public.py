"""The public Once-for-All checkpoints (Cai et al. 2020, arXiv:1908.09791; trained on ImageNet, MIT licence).

Addresses: repository mit-han-lab/once-for-all, ``ofa/model_zoo.py``, which reads them from han-cai/files; its earlier
versions read them from hanlab.mit.edu, which users have found closed since 2021 (mikelzc1990/nsganetv2, issues 11
and 17).
"""

from __future__ import annotations

from collections.abc import Sequence

from dynas.supernets.weights.download import Checkpoint

GITHUB = "https://raw.githubusercontent.com/han-cai/files/master/ofa/ofa_nets/"
GITHUB_LARGE = "https://media.githubusercontent.com/media/han-cai/files/master/ofa/ofa_nets/"
MIT = "https://hanlab.mit.edu/files/OnceForAll/ofa_nets/"


def _same_name(file: str, sha256: str | None = None) -> Checkpoint:
    return Checkpoint(file, (GITHUB + file, MIT + file), sha256)


INVERTED_RESIDUALS = {  # by supernet and width
    # The digest is the one that users who downloaded it have written down, with 31,011,816 bytes and 475 tensors,
    # which are those of this network in single precision.
    ("mbv3", 1.0): _same_name(
        "ofa_mbv3_d234_e346_k357_w1.0", "a7def36bb4e4c688c16d37eb60d5d34b2e6dcf6438c05bc86dea918fda04c6c7"
    ),
    ("mbv3", 1.2): _same_name("ofa_mbv3_d234_e346_k357_w1.2"),
    ("proxyless", 1.3): _same_name("ofa_proxyless_d234_e346_k357_w1.3"),
}
STRIDES = (2, 2, 2, 1, 2, 1)  # of the stages, of which MobileNetV3 has five
RESNET50 = Checkpoint(
    "ofa_resnet50_d0-1-2_e0.2-0.25-0.35_w0.65-0.8-1.0",
    (
        GITHUB_LARGE + "ofa_resnet50_d0-1-2_e0.2-0.25-0.35_w0.65-0.8-1.0",
        MIT + "ofa_resnet50_d=0+1+2_e=0.2+0.25+0.35_w=0.65+0.8+1.0",
    ),
    # from the Git LFS pointer of han-cai/files at 6538301 (192,773,235 bytes)
    "3406a4c852f4573a58e9a01f35406baa4ad3787044ffadc6ea45571ad2b9123a",
)


def inverted_residuals(
    name: str, width: float, channels: int, classes: int, stem_stride: int, strides: Sequence[int]
) -> Checkpoint | None:
    """Return the checkpoint of a MobileNetV3 or ProxylessNAS of any resolution; None where none is published."""
    published = (channels, classes, stem_stride, *strides) == (3, 1000, 2, *STRIDES[: len(strides)])
    return INVERTED_RESIDUALS.get((name, width)) if published else None


def resnet50(
    width: float, channels: int, classes: int, stem_stride: int, strides: Sequence[int], divisor: int
) -> Checkpoint | None:
    """Return the checkpoint of a ResNet50 of any resolution; None where none is published."""
    published = (width, channels, classes, stem_stride, *strides, divisor) == (1.0, 3, 1000, 2, 1, 2, 2, 2, 8)
    return RESNET50 if published else None
