"""Sub-networks as copies of the original's own modules with smaller layers: names, hooks and train mode stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from dynas.supernets.pruning.blocks import Block
from dynas.supernets.pruning.cut import Cut
from dynas.supernets.pruning.trace import Trace

Take = Callable[[str], Tensor]


def cut_module(model: nn.Module, cut: Cut, take: Take, stand_ins: Mapping[Block, tuple[str, nn.Module]]) -> nn.Module:
    """Return a copy of a network with smaller layers and without the skipped blocks.

    Args:
        model: the original, which stays as it is.
        cut: which part of it stays.
        take: from the name of a parameter or buffer, the new one.
        stand_ins: per block the path of its module, and what takes its place where it is skipped.

    Raises:
        KeyError: a skipped block has no stand-in.
    """
    memo: dict[int, Any] = {}
    for block in cut.skipped:
        path, module = stand_ins[block]
        memo[id(model.get_submodule(path))] = module
    for name, parameter in model.named_parameters():
        memo[id(parameter)] = nn.Parameter(take(name).detach(), requires_grad=parameter.requires_grad)
    for name, buffer in model.named_buffers():
        memo[id(buffer)] = take(name)
    copy: nn.Module = deepcopy(model, memo)
    for module in copy.modules():
        resize(module)
    return copy


def resize(module: nn.Module) -> None:
    """Let a layer's attributes say the sizes of its parameters."""
    if isinstance(module, _ConvNd):
        outputs, inner = module.weight.shape[:2]
        if module.transposed:
            module.in_channels, module.out_channels = outputs, inner * module.groups
        else:
            if module.groups == module.in_channels > 1 and inner == 1:
                module.groups = outputs * module.groups // module.out_channels
            module.in_channels, module.out_channels = inner * module.groups, outputs
    elif isinstance(module, nn.Linear):
        module.out_features, module.in_features = module.weight.shape
    elif isinstance(module, _NormBase):
        known = module.running_mean if module.weight is None else module.weight
        module.num_features = module.num_features if known is None else len(known)


def stand_in(block: Block, trace: Trace) -> tuple[str, nn.Module] | None:
    """Return the path of the module that is a block and no more, and what takes its place; None where none is.

    What follows the sum within the module, such as an activation, stays.
    """
    nodes = {*block.body, block.total}
    stacks = [[str(path) for path, _ in (node.meta.get("nn_module_stack") or {}).values()] for node in nodes]
    common = [path for path in stacks[0] if path and all(path in stack for stack in stacks)]
    if not common:
        return None
    path = common[-1]
    inside = [node for node in trace.graph.nodes if path in paths(node)]
    rest = [node for node in inside if node not in nodes]
    outside = {one for node in inside for one in node.all_input_nodes if one not in inside and one not in trace.names}
    last = rest[-1] if rest else block.total
    leaving = {node for node in inside if any(user not in inside for user in node.users)}
    if outside != {block.shortcut} or leaving != {last}:
        return None
    graph = fx.Graph()
    copies = {block.total: graph.placeholder("x")}
    for node in rest:
        if any(one not in copies for one in node.all_input_nodes):
            return None
        copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(copies[last])
    return path, fx.GraphModule(nn.Module(), graph).eval() if rest else nn.Identity()


def paths(node: fx.Node) -> Sequence[str]:
    """Return the paths of the modules that a node is in."""
    return [str(path) for path, _ in (node.meta.get("nn_module_stack") or {}).values()]
