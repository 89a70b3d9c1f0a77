"""The Python API on networks: make a supernet or load one, search it, take a sub-network home; no Hydra is needed.

Parts are named as on the command line, with the settings of their YAML files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from torch import Tensor, nn

from dynas.api import SearchResult, check_budget, check_failures, run
from dynas.compose.build import build_data, build_supernet, joined, problem_of
from dynas.compose.frames import register
from dynas.compose.overrides import one_sentence
from dynas.core.data import Data
from dynas.core.space import Architecture
from dynas.core.stopping import Stopping
from dynas.core.supernet import Supernet
from dynas.errors import DynasError, one_of
from dynas.export.network import measured_network
from dynas.supernets.prune import PruneSupernet
from dynas.system.folders import CONFIGS

if TYPE_CHECKING:
    from dynas.core.algorithm import AlgorithmFactory
    from dynas.core.mode import SearchMode
    from dynas.core.predictor import PredictorFactory

Named = str | tuple[str, Mapping[str, Any]]  # an option of a config group, also with settings of its own


@dataclass(frozen=True)
class Pick:
    """A sub-network that a search measured.

    Attributes:
        architecture: which one it is.
        values: what was measured, by the objectives' names.
        supernet: where it comes from.
        data: what its batch norm is re-calibrated on.
    """

    architecture: Architecture
    values: Mapping[str, float]
    supernet: Supernet
    data: Data

    def module(self) -> nn.Module:
        """Return it as it was measured: in eval mode, with its own weights and re-calibrated batch norm."""
        return measured_network(self.supernet, self.data, self.architecture)


@dataclass(frozen=True)
class SupernetResult(SearchResult):
    """What a search of a supernet measured.

    Attributes:
        supernet: what was searched.
        data: what quality was measured on.
    """

    supernet: Supernet
    data: Data

    def best(self, objective: str) -> Pick:
        """Return the sub-network within all bounds that is best at an objective; of equals, at the others in order.

        Raises:
            DynasError: there is no such objective, or nothing within the bounds was measured.
        """
        names = [one.name for one in self.problem.objectives]
        if objective not in names:
            raise one_of("objective", objective, names)
        front = self.front
        if front.empty:
            raise DynasError("nothing within the bounds was measured: search longer, or widen the bounds")
        chosen = self.problem.objectives[names.index(objective)]
        row = front.sort_values(chosen.column, ascending=chosen.sign > 0, kind="stable").iloc[0]
        values = {one.name: float(row[one.column]) for one in self.problem.objectives}
        return Pick(row["architecture"], values, self.supernet, self.data)


def elastic(model: str | nn.Module, example_inputs: Tensor | Sequence[Tensor], **settings: Any) -> PruneSupernet:
    """Return any trained classifier of images as a supernet: fewer channels, heads and blocks of its own.

    Args:
        model: the network, or what ``supernet.model`` takes.
        example_inputs: images ``(n, channels, height, width)``; only their shape counts.
        settings: those of ``supernet=prune``, such as ``shares=(0.5, 1.0)``.

    Raises:
        DynasError: as `dynas.supernets.prune.PruneSupernet` says.
    """
    inputs = (example_inputs,) if isinstance(example_inputs, Tensor) else tuple(example_inputs)
    if len(inputs) != 1 or not isinstance(inputs[0], Tensor) or inputs[0].dim() != 4:
        raise DynasError("example_inputs are images in one tensor of shape (n, channels, height, width)")
    channels, height, width = inputs[0].shape[1:]
    return PruneSupernet(model, resolution=(height, width), channels=channels, **settings)


def load_supernet(name: str, **settings: Any) -> Supernet:
    """Return a supernet by its name on the command line.

    Args:
        name: such as ``mbv3``.
        settings: those of its YAML file, such as ``weights="mine.safetensors"``.

    Raises:
        DynasError: there is no such supernet, or it refuses its settings.
    """
    with composed({"supernet": (name, settings)}) as config:
        return build_supernet(config)


def search_supernet(
    supernet: str | Supernet,
    objectives: Sequence[str] = ("top1", "latency"),
    data: Named | Data = "fashion_mnist",
    *,
    hardware: Named = "cpu",
    bounds: Mapping[str, float] | None = None,
    budget: int = 250,
    mode: str | SearchMode = "linas",
    algo: str | AlgorithmFactory = "pareto_local_search",
    predictor: str | PredictorFactory | Mapping[str, str | PredictorFactory] = "gp",
    precision: str = "fp32",
    seed: int = 0,
    start: Sequence[Architecture] = (),
    together: int = 5,
    max_minutes: float | None = None,
    patience: int | None = None,
    max_failures: int | None = 20,
) -> SupernetResult:
    """Search a supernet for the best trade-offs, as ``dynas search`` does, without a run folder.

    Args:
        supernet: what `elastic` or `load_supernet` gave, or a name.
        objectives: their names, such as ``top1``, ``macs``, ``params``, ``size`` or ``latency``.
        data: what quality is measured on: a name, a name with settings, ``("imagenet", {"path": ...})``, or data.
        hardware: what latency is measured on: a name, or a name with settings such as ``("cpu", {"batch_size": 1})``.
        bounds: by the objectives' names, the worst value that is still allowed.
        precision: what sub-networks are computed in, where they do not choose.
        together: sub-networks that are measured together, in interleaved rounds.
        budget, mode, algo, predictor, seed, start, max_minutes, patience, max_failures: see `dynas.search`.

    Raises:
        DynasError: the parts do not fit together, or every evaluation failed.
    """
    check_budget(budget)
    if isinstance(objectives, str) or not objectives:
        raise DynasError(f"objectives={objectives!r}: give a list of names such as ['top1', 'latency']")
    supernet = load_supernet(supernet) if isinstance(supernet, str) else supernet
    parts: dict[str, Named] = {"hardware": hardware}
    if not isinstance(data, Data):
        parts["data"] = data
    with composed(parts, objectives) as config, open_dict(config):
        resolutions = supernet.resolutions or ((1, 1),)
        config.supernet = {"resolution": list(resolutions[-1]), "weights": "those given", "classes": None}
        config.precision, config.together = precision, together
        for name, bound in (bounds or {}).items():
            if name not in config.objectives:
                raise one_of("objective", name, config.objectives)
            config.objectives[name].bound = bound
        found = joined(config, data if isinstance(data, Data) else build_data(config), supernet)
        problem, measurer = problem_of(config, *found)
    stopping = Stopping(max_minutes, patience, max_failures)
    measured = run(
        problem, measurer.measure, measurer.at_once, budget, mode, algo, predictor, seed, start, stopping
    )  # fmt: skip
    check_failures(measured)
    return SupernetResult(measured.problem, measured.history, measured.stopped, found[1], found[0])


@contextmanager
def composed(parts: Mapping[str, Named], objectives: Sequence[str] = ()) -> Iterator[DictConfig]:
    """Give the config of ``dynas search`` with other parts; Hydra is started in the block.

    Raises:
        DynasError: there is no such option.
    """
    named = {group: (given, {}) if isinstance(given, str) else given for group, given in parts.items()}
    for group, names in ({group: [name] for group, (name, _) in named.items()} | {"objectives": objectives}).items():
        known = [path.stem for path in (CONFIGS / group).glob("*.yaml")]
        for name in names:
            if name not in known:
                raise one_of(group, name, known)
    overrides = [f"{group}={name}" for group, (name, _) in named.items()]
    overrides += [f"objectives=[{','.join(objectives)}]"] if objectives else []
    register()
    try:
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            config = compose("search", overrides=overrides)
            with open_dict(config):
                for group, (_, settings) in named.items():
                    config[group] = OmegaConf.merge(config[group], {name: plain(one) for name, one in settings.items()})
            yield config
    except HydraException as error:
        raise DynasError(one_sentence(error)) from error


def plain(value: Any) -> Any:
    """Return a setting as a YAML file has it."""
    return [plain(one) for one in value] if isinstance(value, tuple | list) else value
