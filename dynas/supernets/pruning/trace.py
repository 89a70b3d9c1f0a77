"""The graph of a network, as torch.export sees it."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind

from dynas.errors import DynasError

Inputs = tuple[Tensor, ...]
FILLED = ("new_zeros", "new_ones", "new_full", "new_empty")  # operators that take nothing but its kind from a tensor


@dataclass(frozen=True)
class Trace:
    """A network's graph of ATen operators.

    Attributes:
        module: holds the graph; every node has its value in tracing as ``meta["val"]``, without the elements.
        names: of each placeholder that is a parameter, a buffer or a constant, the name; of one that several modules
            share, the first.
        tensors: what lies under these names.
        parameters: the names of those that are parameters.
        batch: samples that the network was traced with.
    """

    module: fx.GraphModule
    names: Mapping[fx.Node, str]
    tensors: Mapping[str, Tensor]
    parameters: frozenset[str]
    batch: int

    @property
    def graph(self) -> fx.Graph:
        """The graph."""
        return self.module.graph

    @property
    def any_batch(self) -> bool:
        """Whether the graph takes any number of samples."""
        (images,) = (node for node in self.graph.nodes if node.op == "placeholder" and node not in self.names)
        samples = images.meta["val"].shape[0]
        return isinstance(samples, torch.SymInt) and samples.node.maybe_as_int() is None

    @property
    def logits(self) -> fx.Node:
        """The node whose tensor the network returns."""
        returned: Any = next(iter(reversed(self.graph.nodes))).args[0]
        node: fx.Node = returned[0]
        return node


def trace(model: nn.Module, inputs: Inputs) -> Trace:
    """Return the graph of a network in eval mode, for any number of samples where it allows that.

    Operators that change their input are read as ones that return the changed one.

    Args:
        model: the network.
        inputs: of two samples or more.

    Raises:
        DynasError: it cannot be traced, with the reason, or does not return logits ``(n, classes)`` alone.
    """
    if not hasattr(torch.export, "Dim") or not hasattr(torch.export.Dim, "AUTO"):
        raise DynasError(
            f"networks are pruned with torch 2.6 or later, this is {torch.__version__}: pip install -U torch"
        )
    dynamic = tuple({0: torch.export.Dim.AUTO} for _ in inputs)
    try:
        with plain_attention(), warnings.catch_warnings(), redirect_stderr(io.StringIO()):  # it prints the graph
            warnings.simplefilter("ignore")  # of torch about itself
            program = torch.export.export(model, inputs, dynamic_shapes=dynamic)
    except Exception as error:  # torch raises a different type for every reason
        raise DynasError(f"the network cannot be traced by torch.export: {explained(error)}") from error
    own = {**dict(model.named_parameters(remove_duplicate=False)), **dict(model.named_buffers(remove_duplicate=False))}
    first = {id(value): name for name, value in reversed(own.items())}
    names, tensors = {}, {}
    for placeholder, spec in zip(placeholders(program.graph), program.graph_signature.input_specs, strict=True):
        if spec.kind == InputKind.USER_INPUT:
            continue
        assert spec.target is not None
        value = own[spec.target] if spec.target in own else program.constants[spec.target]
        name = first.get(id(value), spec.target)
        names[placeholder], tensors[name] = name, value
    parameters = frozenset(name for name, value in tensors.items() if isinstance(value, nn.Parameter))
    functional(program.graph)
    independent(program.graph, names)
    traced = Trace(program.graph_module, names, tensors, parameters, len(inputs[0]))
    check_logits(traced, program)
    return traced


def check_logits(traced: Trace, program: ExportedProgram) -> None:
    """Raise DynasError where a network returns anything but one tensor ``(n, classes)``."""
    (returned,) = next(iter(reversed(traced.graph.nodes))).args
    values = [node.meta["val"] for node in returned if isinstance(node, fx.Node)]
    spec = program.call_spec.out_spec
    if spec is None or not spec.is_leaf() or len(values) != 1 or values[0].dim() != 2:
        shapes = [
            f"({', '.join(map(str, map(concrete, value.shape)))})" for value in values if isinstance(value, Tensor)
        ]
        many = f" in a {spec.type.__name__}" if spec is not None and spec.type is not None else ""
        raise DynasError(
            f"the network returns {' and '.join(shapes) or 'no tensor'}{many}, but logits of shape (samples, classes) "
            "are needed: give a network, or a small module around it, that returns nothing else"
        )


def placeholders(graph: fx.Graph) -> list[fx.Node]:
    """Return the inputs of a graph in order."""
    return [node for node in graph.nodes if node.op == "placeholder"]


@contextmanager
def plain_attention() -> Iterator[None]:
    """Let torch's own attention be traced as the operators that it is made of, instead of as one."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def functional(graph: fx.Graph) -> None:
    """Let what comes after an operator that changes its input use its output instead."""
    order = {node: place for place, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if changes_its_input(node):
            node.args[0].replace_all_uses_with(
                node, delete_user_cb=lambda user, node=node: user is not node and order[user] > order[node]
            )


def independent(graph: fx.Graph, names: Mapping[fx.Node, str]) -> None:
    """Let what is filled with a constant, such as a mask, take its kind from the images, and not from what is computed.

    torch.export takes equal constants of several blocks for one: then a block could not be left out on its own.
    """
    (images,) = (node for node in placeholders(graph) if node not in names)
    for node in graph.nodes:
        if operator(node) in FILLED:
            node.args = (images, *node.args[1:])
            node.kwargs = {**node.kwargs, "dtype": node.meta["val"].dtype, "device": None}


def changes_its_input(node: fx.Node) -> bool:
    """Return whether a node is an operator such as ``relu_``."""
    return operator(node).endswith("_") and not operator(node).endswith("__") and isinstance(node.args[0], fx.Node)


def operator(node: fx.Node) -> str:
    """Return the name of a node's operator, such as ``conv2d``; empty for what is none."""
    target = node.target
    if isinstance(target, torch._ops.OpOverload):
        return target._schema.name.rpartition("::")[2]
    return getattr(target, "__name__", str(target)) if node.op == "call_function" else ""


def place(node: fx.Node) -> str:
    """Return the path of the module that a node is in; empty for the network itself."""
    stack = node.meta.get("nn_module_stack") or {}
    return next((str(path) for path, _ in reversed(stack.values())), "")


def explained(error: BaseException) -> str:
    """Return in a sentence why a network cannot be traced, with the line of its code where that is told."""
    text = str(error)
    lines = re.findall(r'File "([^"]+)", line (\d+), in (\w+)', text)
    own = [line for line in lines if "/torch/" not in line[0]]
    where = f" (line {own[-1][1]} of {own[-1][0]}, in {own[-1][2]})" if own else ""
    if type(error).__name__ in ("GuardOnDataDependentSymNode", "UserError") or "data-dependent" in text:
        return (
            f"its forward branches on the values of tensors{where}: write that line without Python's if, for "
            "example by torch.where"
        )
    first = next(iter(text.strip().splitlines()), type(error).__name__)
    return f"{first}{where}"


def shape_of(node: fx.Node) -> tuple[int, ...]:
    """Return the shape of a node's tensor as it was in tracing."""
    return tuple(concrete(size) for size in node.meta["val"].shape)


def is_tensors(value: Any) -> bool:
    """Return whether a node's value is a tensor or holds some."""
    return isinstance(value, Tensor) or (
        isinstance(value, list | tuple) and any(isinstance(one, Tensor) for one in value)
    )


def concrete(value: Any) -> Any:
    """Return a number as it was in tracing, where it depends on the number of samples; anything else as it is."""
    return value.node.hint if isinstance(value, torch.SymInt | torch.SymFloat | torch.SymBool) else value
