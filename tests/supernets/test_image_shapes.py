"""Shapes and resolutions of image networks that make no sense."""

from __future__ import annotations

from typing import Any

import pytest

from dynas import DynasError
from tests.helpers.supernets import OF_WIDTHS, SUPERNETS, narrow


@pytest.mark.parametrize(
    "change",
    [
        {"resolution": (28,)},
        {"strides": (2, 2)},
        {"resolution": (0, 56)},
        {"resolution": (-28, 56)},
        {"width": 0.0},
        {"width": -1.0},
        {"channels": 0},
        {"classes": 0},
        {"stem_stride": 0},
        {"strides": (2, 1, 0, 1, 2)},
        {"strides": (1, 0, 2, 2)},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", OF_WIDTHS)
def test_a_shape_of_images_that_makes_no_sense_is_refused(kind: str, change: dict[str, Any]) -> None:
    with pytest.raises(DynasError, match=f"supernet {kind.split()[-1]} needs"):
        SUPERNETS[kind](**change)


def test_image_widths_follow_the_aspect() -> None:
    assert narrow(resolutions=[20, 24, 28]).resolutions == ((20, 40), (24, 48), (28, 56))
    assert narrow(resolution=(37, 23), resolutions=[7, 40]).resolutions == ((7, 4), (40, 25))
    assert narrow().resolutions == ((28, 56),)


@pytest.mark.parametrize(
    "resolutions",
    [[], [28], [28, 24], [24, 24, 28], [0, 28], [-4, 28], [20.5, 28], ["20", 28], 28, "28", {"start": 28}],
)
def test_resolutions_that_make_no_sense_are_refused(resolutions: Any) -> None:
    message = r"supernet\.resolutions=.*give two or more image heights in ascending order, such as \[128,"
    with pytest.raises(DynasError, match=message):
        narrow(resolutions=resolutions)
