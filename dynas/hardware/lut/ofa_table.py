"""Latency tables in the YAML of Once-for-All (Cai et al. 2020, arXiv:1908.09791), one file per resolution.

A key names a block and its ``mean`` is a latency in milliseconds, as in the tables that
``ofa/tutorial/latency_table.py`` of mit-han-lab/once-for-all reads for its MobileNetV3:
``<resolution>_lookup_table.yaml`` in the folder ``ofa/note10`` of han-cai/files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from dynas.hardware.lut.blocks import Block, Image, Row, RowError
from dynas.hardware.lut.csv_table import milliseconds

KINDS = {
    "Conv": "stem",
    "expanded_conv": "inverted_residual",
    "Conv_1": "expand",
    "AvgPool2D": "pool",
    "Conv_2": "mix",
    "Logits": "classify",
}
KEY = re.compile(
    rf"({'|'.join(KINDS)})-input:(\d{{1,9}}x\d{{1,9}}x\d{{1,9}})-output:((?:\d{{1,9}}x\d{{1,9}}x)?\d{{1,9}})"
    r"(?:-expand:(\d{1,9})-kernel:(\d{1,9})-stride:(\d{1,9})-idskip:([01])-se:([01])-hs:([01]))?",
    re.ASCII,
)
EXAMPLES = (
    "expanded_conv-input:56x56x32-output:28x28x48-expand:96-kernel:3-stride:2-idskip:0-se:1-hs:0 "
    "or Logits-input:1x1x1536-output:1000"
)


def rows(text: str) -> Iterator[Row]:
    """Read the blocks of a table.

    Raises:
        RowError: it is no YAML, a key is not of this grammar, or a block has no usable mean.
    """
    try:
        # Nodes know their lines, and no object is made from them; the loader in C crashes where nesting is deep.
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or error
        raise RowError(mark.line + 1 if mark else 1, f"YAML: {problem}") from error
    except RecursionError as error:
        raise RowError(1, "YAML that is not nested so deeply") from error
    if not isinstance(root, MappingNode):
        raise RowError(1, f"keys such as {EXAMPLES} with a 'mean' each")
    for key, value in root.value:
        line = key.start_mark.line + 1
        try:
            yield line, parse_key(scalar(key)), milliseconds(mean(value), "mean")
        except ValueError as error:
            raise RowError(line, str(error)) from error


def scalar(node: Node) -> str:
    """Return the text of a scalar, an empty one for everything else."""
    return str(node.value) if isinstance(node, ScalarNode) else ""


def mean(node: Node) -> str:
    """Return the text of a block's ``mean``, an empty one where it has none."""
    entries = node.value if isinstance(node, MappingNode) else []
    return next((scalar(value) for key, value in entries if scalar(key) == "mean"), "")


def parse_key(key: str) -> Block:
    """Return the block that a key names; ValueError says what was expected instead."""
    found = KEY.fullmatch(key)
    if found is None or (found[1] == "expanded_conv") != (found[4] is not None):
        raise ValueError(f"a key of Once-for-All's MobileNetV3 such as {EXAMPLES}, got '{key}'")
    ends = image(found[2]), image(found[3])
    if found[4] is None:
        return Block(KINDS[found[1]], *ends)
    middle, kernel, stride, shortcut, se, h_swish = map(int, found.groups()[3:])
    return Block(KINDS[found[1]], *ends, middle, kernel, stride, shortcut, se, "h_swish" if h_swish else "relu")


def image(text: str) -> Image:
    """Return height, width and channels, or one pixel of as many channels as a lone number says."""
    *size, channels = map(int, text.split("x"))
    height, width = size or (1, 1)
    return height, width, channels
