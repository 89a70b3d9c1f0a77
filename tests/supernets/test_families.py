"""What our own families promise besides what every supernet does (see `dynas.testing.supernet`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.supernets import OF_IMAGES, SUPERNETS, moved

pytestmark = pytest.mark.slow

HEADS = {"encoder_heads", "decoder_self_heads", "decoder_cross_heads"}
FREE = {  # the design variables whose options all cost the same
    ("mbv3", "macs"): {"p"},
    ("mbv3", "params"): {"r", "p"},
    ("proxyless", "params"): {"r"},
    ("resnet50", "macs"): {"p"},
    ("resnet50", "params"): {"r", "p"},
    ("bootstrap_resnet50", "macs"): {"p"},
    ("bootstrap_resnet50", "params"): {"r", "p"},
    ("vit", "macs"): {"p"},
    ("vit", "params"): {"p"},
    ("transformer", "macs"): HEADS,
    ("transformer", "params"): HEADS | {"decoder_attend"},
}


@pytest.fixture(scope="module", params=SUPERNETS)
def supernet(request: pytest.FixtureRequest) -> Any:
    return moved(request.param)


def check_against_the_elastic_path(supernet: Any, genotype: np.ndarray) -> None:
    architecture = supernet.space.decode(genotype)
    subnet = supernet.subnet(architecture)
    inputs = supernet.example_inputs(2, subnet)
    assert not any(module.training for module in subnet.modules())
    with torch.inference_mode():
        alone, within = subnet(*inputs), supernet.elastic(*inputs, architecture)
    assert alone.std() > 0
    torch.testing.assert_close(alone, within, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("which", ["smallest", "largest"])
def test_the_ends_of_the_space_compute_what_the_supernet_computes(supernet: Any, which: str) -> None:
    check_against_the_elastic_path(supernet, getattr(supernet.space, which)())


@given(seed=st.integers(0, 2**32))
@settings(max_examples=12)
def test_an_extracted_sub_network_computes_what_the_supernet_computes(supernet: Any, seed: int) -> None:
    check_against_the_elastic_path(supernet, supernet.space.sample(1, np.random.default_rng(seed))[0])


def test_a_larger_option_costs_more_unless_it_is_free(supernet: Any) -> None:
    largest = supernet.space.largest()
    genes = np.flatnonzero(supernet.space.cardinality > 1)
    rows = np.repeat(largest[None], len(genes), axis=0)
    rows[np.arange(len(rows)), genes] -= 1
    rows = supernet.space.canonical(rows)
    names = np.array([variable.name for variable in supernet.space.variables for _ in range(variable.length)])[genes]
    for cost in ("macs", "params"):
        count = getattr(supernet, cost)
        free = np.isin(names, sorted(FREE.get((supernet.name, cost), ())))
        assert (count(rows[~free]) < count(largest[None])).all()
        assert (count(rows[free]) == count(largest[None])).all()


@pytest.mark.parametrize("kind", [kind for kind in SUPERNETS if kind.startswith("joint")])
def test_sub_networks_that_choose_a_precision_differ_in_more_than_that(kind: str) -> None:
    supernet = moved(kind)
    rows = supernet.space.sample_distinct(12, np.random.default_rng(0))
    logits = set()
    for row in rows:
        subnet = supernet.subnet(supernet.space.decode(row))
        with torch.inference_mode():
            logits.add(tuple(subnet(*supernet.example_inputs(1, subnet)).flatten().tolist()))
    assert len(logits) == 12


@pytest.mark.parametrize("kind", OF_IMAGES)
def test_example_inputs_have_the_size_that_a_sub_network_takes(kind: str) -> None:
    supernet = SUPERNETS[kind]()
    n = 20 if len(supernet.resolutions) > 1 else 3
    met = set()
    for genotype in supernet.space.sample_distinct(n, np.random.default_rng(0)):
        subnet = supernet.subnet(supernet.space.decode(genotype))
        (images,) = supernet.example_inputs(1, subnet)
        assert tuple(images.shape[1:]) == (supernet.shape.channels, *subnet.resolution)
        met.add(subnet.resolution)
    assert met == set(supernet.resolutions)


@pytest.mark.parametrize("make", SUPERNETS.values(), ids=SUPERNETS)
def test_untrained_weights_are_decided_by_their_seed_alone(make: Callable[..., Any]) -> None:
    torch.manual_seed(123)
    state = torch.get_rng_state()
    first = make(seed=4).elastic.state_dict()
    assert torch.equal(torch.get_rng_state(), state), "the global random state is left alone"
    torch.manual_seed(321)
    same, other = make(seed=4).elastic.state_dict(), make(seed=5).elastic.state_dict()
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
