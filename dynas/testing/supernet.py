"""What every supernet promises (see `dynas.core.supernet`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from dynas.core.space import Architecture, Genotypes
from dynas.core.supernet import ChoosesPrecision, Supernet, TakesImages, Trainable, precision_of

OUTPUTS = 12  # sub-networks whose outputs are compared


class SupernetSuite:
    """Checks a supernet; subclass it in a test module and say how the supernet is made.

    Attributes:
        make: returns the supernet, the same one every time.
        samples: random sub-networks that are tried besides the smallest and the largest.
    """

    make: Callable[[], Supernet]
    samples: int = 12

    @pytest.fixture
    def supernet(self) -> Supernet:
        """Return the supernet that most checks share."""
        return _made(self.make)

    @pytest.fixture
    def genotypes(self, supernet: Supernet) -> Genotypes:
        """Return the smallest, the largest and random sub-networks."""
        return _ends_and_samples(supernet, self.samples)

    @pytest.fixture
    def subnets(self) -> list[nn.Module]:
        """Return the modules of ``genotypes``, which no check changes."""
        return _made_subnets(self.make, self.samples)

    def test_it_says_what_it_is(self, supernet: Supernet) -> None:
        """Check the attributes that run.json and messages show."""
        for word in (supernet.name, supernet.task, supernet.weights_digest):
            assert isinstance(word, str)
            assert word
        assert supernet.latency_batch is None or supernet.latency_batch >= 1
        assert supernet.classes is None or supernet.classes >= 1

    def test_made_again_it_is_the_same(self, supernet: Supernet) -> None:
        """Check that weights depend on the settings only."""
        again = self.make()
        assert (again.name, again.task) == (supernet.name, supernet.task)
        assert again.weights_digest == supernet.weights_digest
        assert again.space.cardinality.tolist() == supernet.space.cardinality.tolist()
        largest = supernet.space.largest()
        assert _equal(_outputs(again, largest), _outputs(supernet, largest))

    def test_sub_networks_are_in_eval_mode(self, subnets: list[nn.Module]) -> None:
        """Check every part of every sub-network."""
        for subnet in subnets:
            assert not any(module.training for module in subnet.modules())

    def test_sub_networks_compute_finite_numbers_that_differ(
        self, supernet: Supernet, subnets: list[nn.Module]
    ) -> None:
        """Check that there is an output for each sample, and that it is not a constant."""
        for subnet in subnets:
            outputs = _run(supernet, subnet, samples=2)
            assert outputs
            for output in outputs:
                assert len(output) == 2
                assert output.isfinite().all()
            assert any(output.std() > 0 for output in outputs)

    def test_counted_costs_are_those_of_the_sub_network(
        self, supernet: Supernet, genotypes: Genotypes, subnets: list[nn.Module]
    ) -> None:
        """Check multiply-accumulates against torch's counter and parameters against the module, exactly."""
        for genotype, subnet in zip(genotypes, subnets, strict=True):
            macs, params = supernet.macs(genotype[None]), supernet.params(genotype[None])
            assert macs.dtype == params.dtype == np.int64
            assert params.tolist() == [sum(parameter.numel() for parameter in subnet.parameters())]
            # fused attention would not be counted
            with torch.inference_mode(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
                subnet(*supernet.example_inputs(1, subnet))
            assert 2 * macs.tolist()[0] == counter.get_total_flops()

    def test_costs_of_many_are_those_of_each(self, supernet: Supernet) -> None:
        """Check that a cost does not depend on what other sub-networks it is counted beside."""
        rows = supernet.space.sample(20, np.random.default_rng(0))
        for count in (supernet.macs, supernet.params, supernet.params_without_embeddings):
            assert count(rows).shape == (20,)
            assert count(rows).tolist() == [count(row[None])[0] for row in rows]

    def test_embeddings_are_a_part_of_the_parameters(self, supernet: Supernet, genotypes: Genotypes) -> None:
        """Check that leaving them out adds none."""
        without = supernet.params_without_embeddings(genotypes)
        assert without.dtype == np.int64
        assert (without > 0).all()
        assert (without <= supernet.params(genotypes)).all()

    def test_no_sub_network_costs_more_than_the_largest(self, supernet: Supernet, genotypes: Genotypes) -> None:
        """Check that the ends of the space are the ends of the costs."""
        for count in (supernet.macs, supernet.params):
            costs = count(genotypes)
            assert (costs[0] <= costs).all()
            assert (costs <= costs[1]).all()

    def test_a_larger_option_never_costs_less(self, supernet: Supernet) -> None:
        """Check that every step down from the largest sub-network saves something or nothing."""
        largest = supernet.space.largest()
        genes = np.flatnonzero(largest > 0)
        rows = np.repeat(largest[None], len(genes), axis=0)
        rows[np.arange(len(rows)), genes] -= 1
        rows = supernet.space.canonical(rows)
        for count in (supernet.macs, supernet.params):
            assert (count(rows) <= count(largest[None])).all()

    def test_genes_that_are_switched_off_change_nothing(self, supernet: Supernet) -> None:
        """Check that genotypes which the space takes for the same are the same network."""
        space, rng = supernet.space, np.random.default_rng(0)
        for genotype in space.sample(4, rng):
            other = np.where(space.active(genotype[None])[0], genotype, space.random_genes(1, rng)[0])
            subnet = supernet.subnet(_uncorrected(supernet, other))
            assert _equal(_run(supernet, subnet), _outputs(supernet, genotype))

    def test_different_sub_networks_compute_different_things(self, supernet: Supernet) -> None:
        """Check that no two sub-networks are secretly the same."""
        rows = supernet.space.sample_distinct(OUTPUTS, np.random.default_rng(0))
        found = set()
        for row in rows:
            subnet = _subnet(supernet, row)
            outputs = tuple(tuple(one.flatten().tolist()) for one in _run(supernet, subnet))
            found.add((precision_of(subnet, ""), outputs))
        assert len(found) == len(rows)

    def test_the_global_random_state_decides_nothing(self, supernet: Supernet) -> None:
        """Check that weights and inputs are the same whatever was drawn before."""
        genotype = supernet.space.largest()
        outputs = []
        with torch.random.fork_rng(devices=[]):
            for seed in (123, 321):
                torch.manual_seed(seed)
                outputs.append(_outputs(supernet, genotype))
        assert _equal(*outputs)

    def test_changing_a_sub_network_leaves_the_supernet_alone(self, supernet: Supernet) -> None:
        """Check that a sub-network has its own copy of the weights."""
        largest = supernet.space.largest()
        expected, before = _outputs(supernet, largest), _shared_weights(supernet)
        subnet = _subnet(supernet, largest)
        with torch.no_grad():
            for value in subnet.state_dict().values():
                value.add_(1)
        subnet.train()
        subnet(*supernet.example_inputs(2))
        assert _equal(_outputs(supernet, largest), expected)
        for name, value in _shared_weights(supernet).items():
            assert torch.equal(value, before[name]), name
        if isinstance(supernet, Trainable):
            assert not supernet.elastic.training

    def test_example_inputs_are_the_same_every_time(self, supernet: Supernet) -> None:
        """Check that inputs are fixed, and as many as were asked for."""
        for first, second, more in zip(*(supernet.example_inputs(n) for n in (3, 3, 4)), strict=True):
            assert torch.equal(first, second)
            assert (len(first), len(more)) == (3, 4)

    def test_example_inputs_without_a_sub_network_are_the_largest(self, supernet: Supernet) -> None:
        """Check that the largest sub-network takes them."""
        own = supernet.example_inputs(2, _subnet(supernet, supernet.space.largest()))
        assert _equal(supernet.example_inputs(2), own)

    def test_sub_networks_tell_the_size_of_their_images(self, supernet: Supernet, subnets: list[nn.Module]) -> None:
        """Check that each one tells a size where they differ, and gets inputs of that size."""
        for subnet in subnets:
            size = subnet.resolution if isinstance(subnet, TakesImages) else None
            if supernet.resolutions:
                assert size in supernet.resolutions
            if size is not None:
                assert tuple(supernet.example_inputs(1, subnet)[0].shape[-2:]) == size

    def test_sub_networks_tell_their_precision(self, supernet: Supernet, subnets: list[nn.Module]) -> None:
        """Check that each one tells a precision where they may choose."""
        if supernet.precision_choices is None:
            return
        for subnet in subnets:
            assert isinstance(subnet, ChoosesPrecision)
            assert subnet.precision in supernet.precision_choices

    def test_what_a_latency_times_runs_on_the_example_inputs(
        self, supernet: Supernet, subnets: list[nn.Module]
    ) -> None:
        """Check both ends of the space."""
        for subnet in subnets[:2]:
            timed = supernet.timed(subnet)
            assert timed is subnet or not supernet.single_pass
            with torch.inference_mode():
                timed(*supernet.example_inputs(2, subnet))
            assert not any(module.training for module in subnet.modules())


@lru_cache(maxsize=1)
def _made(make: Callable[[], Supernet]) -> Supernet:
    return make()


@lru_cache(maxsize=1)
def _made_subnets(make: Callable[[], Supernet], samples: int) -> list[nn.Module]:
    supernet = _made(make)
    return [_subnet(supernet, genotype) for genotype in _ends_and_samples(supernet, samples)]


def _ends_and_samples(supernet: Supernet, samples: int) -> Genotypes:
    space = supernet.space
    rows = space.sample(samples, np.random.default_rng(0))
    return np.concatenate([space.smallest()[None], space.largest()[None], rows])


def _subnet(supernet: Supernet, genotype: NDArray[np.int64]) -> nn.Module:
    return supernet.subnet(supernet.space.decode(genotype))


def _outputs(supernet: Supernet, genotype: NDArray[np.int64]) -> tuple[Tensor, ...]:
    return _run(supernet, _subnet(supernet, genotype))


def _run(supernet: Supernet, subnet: nn.Module, samples: int = 1) -> tuple[Tensor, ...]:
    with torch.inference_mode():
        return _flat(subnet(*supernet.example_inputs(samples, subnet)))


def _flat(output: Any) -> tuple[Tensor, ...]:
    return (output,) if isinstance(output, Tensor) else tuple(tensor for item in output for tensor in _flat(item))


def _equal(some: tuple[Tensor, ...], others: tuple[Tensor, ...]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


def _uncorrected(supernet: Supernet, genotype: NDArray[np.int64]) -> Architecture:
    """Return the architecture of a genotype as it is, with what inactive genes say."""
    architecture: Architecture = {}
    genes = iter(genotype.tolist())
    for variable in supernet.space.variables:
        values = [variable.choices[next(genes)] for _ in range(variable.length)] + list(variable.constants)
        architecture[variable.name] = values if len(values) > 1 else values[0]
    return architecture


def _shared_weights(supernet: Supernet) -> dict[str, Tensor]:
    if not isinstance(supernet, Trainable):
        return {}
    return {name: value.clone() for name, value in supernet.elastic.state_dict().items()}
