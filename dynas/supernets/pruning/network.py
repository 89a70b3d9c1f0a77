"""A trained network and all sub-networks that its structure allows, in one set of weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from dynas.core.space import Architecture
from dynas.errors import DynasError, reason
from dynas.supernets.pruning.blocks import Block, find_blocks
from dynas.supernets.pruning.costs import Costs
from dynas.supernets.pruning.cut import Cut, make_cut
from dynas.supernets.pruning.graphs import cut_graph
from dynas.supernets.pruning.importance import l1_norms, ranks
from dynas.supernets.pruning.memory import Activations
from dynas.supernets.pruning.modules import cut_module, stand_in
from dynas.supernets.pruning.space import Elastic, make_elastic
from dynas.supernets.pruning.structure import Structure, find_structure
from dynas.supernets.pruning.trace import Inputs, shape_of, trace

RANKS = "ranks_"  # how the names of the orders in which channels are kept start
KEPT_SKELETONS = 16
TOLERANCE = 1e-3  # of the largest output: more than rounding makes in a deep network, far less than a wrong channel
Take = Callable[[str], Tensor]


class PrunableNetwork(nn.Module):
    """Cuts out or runs any sub-network.

    Attributes:
        original: the network.
        structure: what can be cut out of it.
        choices: what sub-networks choose.
        costs: what they cost.
        activations: what memory they take.

    Args:
        original: a network in eval mode.
        inputs: of two samples.
        shares, divisor: see `dynas.supernets.pruning.space.make_elastic`.
        skip: whether blocks may be skipped.

    Raises:
        DynasError: it cannot be traced, there is nothing to prune, or a sub-network does not compute what the original
            computes without the same channels.
    """

    structure: Structure
    choices: Elastic

    def __init__(self, original: nn.Module, inputs: Inputs, shares: Sequence[float], divisor: int, skip: bool) -> None:
        super().__init__()
        self.original = original
        self._trace = trace(original, inputs)
        self.structure = find_structure(self._trace)
        blocks = find_blocks(self._trace) if skip else []
        self.choices = make_elastic(self._trace, self.structure, blocks, shares, divisor)
        self.costs = Costs(self._trace, self.structure, self.choices)
        self.activations = Activations(self._trace, self.structure, self.costs)
        tensors = self._tensors()
        for number, group in enumerate(self.structure.groups):
            order = ranks(l1_norms(group, self.structure.places, tensors))
            self.register_buffer(f"{RANKS}{number}", torch.from_numpy(order).float())  # so that weights keep them
        self._stand_ins = {block: found for block in blocks if (found := stand_in(block, self._trace)) is not None}
        self._skeletons: dict[object, nn.Module] = {}
        self._by_modules = self._fits_modules(inputs)

    def __deepcopy__(self, memo: dict[int, Any]) -> PrunableNetwork:
        """Return a network with its own weights, but of the same structure."""
        copy = PrunableNetwork.__new__(PrunableNetwork)
        memo[id(self)] = copy
        shared = ("_modules", "_buffers", "_skeletons")
        copy.__dict__ |= {name: value for name, value in self.__dict__.items() if name not in shared}
        copy._modules, copy._buffers = deepcopy((self._modules, self._buffers), memo)
        copy._skeletons = {}
        return copy

    @property
    def unused(self) -> int:
        """Parameters that sub-networks have although nothing is computed with them."""
        return self._idle if self._by_modules else 0

    @property
    def _idle(self) -> int:
        """Parameters that nothing is computed with."""
        known = {name for node, name in self._trace.names.items() if node.users}
        return sum(value.numel() for name, value in self.original.named_parameters() if name not in known)

    @property
    def classes(self) -> int:
        """Number of classes that the original tells apart."""
        return shape_of(self._trace.logits)[1]

    def keep_order(self, state: Mapping[str, Tensor], origin: str) -> None:
        """Keep channels in the order in which they were trained.

        Args:
            state: the entries of a file of weights that say the order.
            origin: of the file, for errors.

        Raises:
            DynasError: it is of a network with other groups.
        """
        own = dict(self.named_buffers(recurse=False))
        if {name: len(value) for name, value in own.items()} != {name: len(value) for name, value in state.items()}:
            raise DynasError(
                f"the weights of '{origin}' were trained with other groups of channels than this network has"
            )
        for name, value in state.items():
            own[name].copy_(value)

    def static(self, architecture: Architecture) -> nn.Module:
        """Return a stand-alone sub-network with its own copy of the weights, in eval mode."""
        cut = self._cut(architecture)
        tensors = self._tensors()
        own_code = cut.whole and self._idle == self.unused  # which may round otherwise than its graph, and be faster
        make = self._as_modules if own_code else self._made
        return make(cut, lambda name: cut.sliced(name, tensors[name]).detach().clone()).eval()

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        """Run a sub-network on shared weights."""
        cut = self._cut(architecture)
        skeleton, tensors = self._skeleton(architecture), self._tensors()
        wanted = [name for name, _ in (*skeleton.named_parameters(), *skeleton.named_buffers())]
        active = {name: cut.sliced(name, tensors[name]) for name in wanted if name in tensors}
        outputs: Tensor = functional_call(skeleton.train(self.training), active, (x,))
        return outputs

    def _cut(self, architecture: Architecture) -> Cut:
        return self._cut_of(self.choices.units(architecture), self.choices.skipped(architecture))

    def _cut_of(self, units: Sequence[int], skipped: Sequence[Block]) -> Cut:
        numbers = {group.name: number for number, group in enumerate(self.structure.groups)}
        orders = [
            ranks(-self.get_buffer(f"{RANKS}{numbers[group.name]}").cpu().numpy()) for group in self.choices.groups
        ]
        return make_cut(self.structure, self.choices.groups, orders, units, skipped)

    def _tensors(self) -> Mapping[str, Tensor]:
        """Return all parameters, buffers and constants as they are now."""
        own = {**dict(self.original.named_parameters()), **dict(self.original.named_buffers())}
        return {**self._trace.tensors, **own}

    def _skeleton(self, architecture: Architecture) -> nn.Module:
        """Return a sub-network without weights, kept for the next time."""
        key = str(sorted(architecture.items()))
        if key not in self._skeletons:
            if len(self._skeletons) >= KEPT_SKELETONS:
                self._skeletons.pop(next(iter(self._skeletons)))
            cut, tensors = self._cut(architecture), self._tensors()
            self._skeletons[key] = self._made(
                cut, lambda name: cut.sliced(name, torch.empty_like(tensors[name], device="meta"))
            )
        return self._skeletons[key]

    def _made(self, cut: Cut, take: Take) -> nn.Module:
        return self._as_modules(cut, take) if self._by_modules else self._as_graph(cut, take)

    def _as_modules(self, cut: Cut, take: Take) -> nn.Module:
        return cut_module(self.original, cut, take, self._stand_ins)

    def _as_graph(self, cut: Cut, take: Take) -> nn.Module:
        return cut_graph(self._trace, cut, take)

    def _fits_modules(self, inputs: Inputs) -> bool:
        """Return whether sub-networks can be made of the original's modules; else they are made of its graph.

        Raises:
            DynasError: neither computes what the original computes with the dropped channels' weights at zero.
        """
        cuts = [self._cut(architecture) for architecture in trials(self.choices)]
        if not any(self.fault(self._as_modules, cut, inputs) for cut in cuts):
            return True
        if failed := next(filter(None, (self.fault(self._as_graph, cut, inputs) for cut in cuts)), ""):
            unknown = f"; unknown operators: {', '.join(self.structure.unknown)}" if self.structure.unknown else ""
            raise DynasError(f"the network cannot be pruned: {failed}{unknown}")
        if not self._trace.any_batch:
            raise DynasError(
                "the network cannot be pruned: its code takes the number of samples for a constant, as len(x) and "
                "x.view(2, -1) do: write x.shape[0]"
            )
        return False

    def fault(self, make: Callable[[Cut, Take], nn.Module], cut: Cut, inputs: Inputs) -> str:
        """Return what is wrong with a sub-network, empty where it computes what it should."""
        tensors = self._tensors()
        whole = Cut(self.structure, np.ones(self.structure.unit_count, dtype=bool), cut.skipped)
        with torch.inference_mode():
            try:
                expected = cut_graph(self._trace, whole, lambda name: cut.zeroed(name, tensors[name]))(*inputs)
                outputs = make(cut, lambda name: cut.sliced(name, tensors[name])).eval()(*inputs)
            except Exception as error:  # a user's network may raise anything
                return f"a sub-network of it fails: {reason(error)}"
        if outputs.shape != expected.shape:
            return f"a sub-network of it gives {tuple(outputs.shape)} instead of {tuple(expected.shape)}"
        largest = float(expected.abs().max())
        apart = float((outputs - expected).abs().max())
        if apart > TOLERANCE * largest:
            return f"a sub-network of it differs from the original without the same channels by {apart / largest:.1e}"
        return ""


def trials(choices: Elastic) -> Iterator[Architecture]:
    """Yield sub-networks that show whether sizes fit: the smallest, with and without blocks, and uneven ones."""
    genotype = choices.space.smallest()
    yield choices.space.decode(genotype)
    genotype[: len(choices.blocks)] = 1
    yield choices.space.decode(genotype)
    for first in (0, 1):
        uneven = genotype.copy()
        uneven[len(choices.blocks) + first :: 2] = len(choices.shares) - 1
        yield choices.space.decode(uneven)
