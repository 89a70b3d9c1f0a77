"""The space of ResNet50: what is the same sub-network, and how many there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dynas import DynasError, SearchSpace
from dynas.supernets.resnet50 import ResNet50Supernet, search_space
from dynas.supernets.resnets.ofa_shape import Shape, cost_tables

PUBLIC = Shape()
NARROW = Shape(0.125, (28, 56), 1, 100, divisor=1)
# 3 ** least blocks * (1 + 3 + 9) ways in which a stage's ratios can be set, for each of its three depths together
RATIOS_AND_DEPTHS = 13**4 * 3 ** (2 + 2 + 4 + 2)


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return search_space(NARROW)


def test_the_size_counts_two_stems_and_all_widths(space: SearchSpace) -> None:
    assert space.size == RATIOS_AND_DEPTHS * 2 * 3**6 == 2_458_914_796_962
    assert (space.n_genes, len(space.variables)) == (29, 3)


def test_widths_that_round_to_the_same_channels_are_one_in_the_public_network() -> None:
    assert PUBLIC.stem_middle == (24, 24, 32)
    public = search_space(PUBLIC)
    assert public.size == RATIOS_AND_DEPTHS * 2 * (2 * 3**5)
    smallest, second = public.decode(public.smallest()), public.decode(public.smallest())
    second["w"][0] = 1
    assert public.key(public.encode(smallest)) == public.key(public.encode(second))
    second["w"][1] = 1
    assert public.key(public.encode(smallest)) != public.key(public.encode(second))


@given(seed=st.integers(0, 2**32), e=st.sampled_from([0.2, 0.25, 0.35]))
def test_a_stem_of_depth_one_and_ratios_of_skipped_blocks_change_nothing(seed: int, e: float) -> None:
    space = search_space(NARROW)
    architecture = space.decode(space.sample(1, np.random.default_rng(seed))[0])
    kept_blocks = [2 + d for d in architecture["d"][1:3]] + [4 + architecture["d"][3], 2 + architecture["d"][4]]
    ratios, start = list(architecture["e"]), 0
    for kept, blocks in zip(kept_blocks, (4, 4, 6, 4), strict=True):
        ratios[start + kept : start + blocks] = [e] * (blocks - kept)
        start += blocks
    depths = [1 if architecture["d"][0] == 0 else 2, *architecture["d"][1:]]
    other = {"d": depths, "e": ratios, "w": architecture["w"]}
    np.testing.assert_array_equal(space.encode(other), space.encode(architecture))


@pytest.mark.parametrize("change", [("d", 0, 2), ("d", 1, 1), ("e", 0, 0.25), ("w", 0, 1), ("w", 1, 1), ("w", 5, 1)])
def test_every_other_choice_makes_another_sub_network(space: SearchSpace, change: tuple[str, int, Any]) -> None:
    name, place, value = change
    architecture = space.decode(space.smallest())
    architecture[name][place] = value
    assert space.key(space.encode(architecture)) != space.key(space.smallest())


def test_costs_of_the_ends_are_those_of_the_full_size_network() -> None:
    ends = np.stack([search_space(PUBLIC).smallest(), search_space(PUBLIC).largest()])
    macs, params = cost_tables(PUBLIC)
    assert macs.total(ends).tolist() == [962_192_128, 7_491_643_904]
    assert params.total(ends).tolist() == [6_539_280, 48_105_992]


def test_a_shape_whose_options_are_the_same_is_refused() -> None:
    with pytest.raises(DynasError, match=r"width=0\.125 and divisor=8: give a larger width or a smaller divisor"):
        ResNet50Supernet("random", 0.125, (28, 56), 1, 100, 2, (1, 2, 2, 2), 8)


def test_extraction_draws_no_random_numbers() -> None:
    supernet = ResNet50Supernet("random", 0.125, (28, 56), 1, 100, 2, (1, 2, 2, 2), 1)
    state = torch.get_rng_state()
    supernet.subnet(supernet.space.decode(supernet.space.largest()))
    assert torch.equal(torch.get_rng_state(), state)
