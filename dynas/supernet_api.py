"""The Python API on networks: make a supernet or load one, search it, take a sub-network home; no Hydra is needed.

Parts are named as on the command line, with the settings of their YAML files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, open_dict
from torch import Tensor, nn
from torch.utils.data import Dataset

from dynas.compose.build import contents
from dynas.compose.fit import introduce
from dynas.compose.frames import register
from dynas.compose.overrides import one_sentence, quoted
from dynas.compose.parts import build_data, build_supernet, with_image_size
from dynas.compose.problem import problem_of
from dynas.core.data import Data
from dynas.core.space import Architecture
from dynas.core.supernet import Supernet
from dynas.data.torch_dataset import TorchDataset
from dynas.described import Part
from dynas.errors import DynasError, one_of
from dynas.metrics.calibration import measured_network
from dynas.metrics.measurer import Measurer
from dynas.result import SearchResult
from dynas.runs.origin import origin_facts
from dynas.searching import Settings, Subject, check_budget, check_ending, run_search
from dynas.supernets.prune import PruneSupernet
from dynas.system.folders import CONFIGS

if TYPE_CHECKING:
    from dynas.core.algorithm import AlgorithmFactory
    from dynas.core.callback import Callback
    from dynas.core.executor import ExecutorFactory
    from dynas.core.mode import SearchMode
    from dynas.core.predictor import PredictorFactory
    from dynas.predictors.features import Featurizer

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


@dataclass(frozen=True, eq=False, kw_only=True)
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
    with composed({"supernet": (name, settings)}) as (config, _):
        return build_supernet(config)


def search_supernet(
    supernet: Named | Supernet,
    objectives: Sequence[str] = ("top1", "latency"),
    data: Named | Data | Dataset[Any] = "fashion_mnist",
    *,
    hardware: Named = "cpu",
    bounds: Mapping[str, float | str] | None = None,
    precision: str = "fp32",
    together: int = 5,
    budget: int = 250,
    mode: str | SearchMode = "linas",
    algo: str | AlgorithmFactory = "pareto_local_search",
    predictor: str | PredictorFactory | Mapping[str, str | PredictorFactory] = "gp",
    features: str | Featurizer | None = None,
    seed: int = 0,
    start: Sequence[Architecture] | SearchResult | str | Path = (),
    executor: str | ExecutorFactory = "serial",
    callbacks: Sequence[Callback] = (),
    on_callback_error: str = "stop",
    progress: bool = False,
    folder: str | Path | None = None,
    resume: bool = False,
    max_minutes: float | None = None,
    patience: int | None = None,
    max_failures: int | None = 20,
) -> SupernetResult:
    """Search a supernet for the best trade-offs, as ``dynas search`` does.

    Args:
        supernet: what `elastic` or `load_supernet` gave, or a name, also with settings.
        objectives: their names, such as ``top1``, ``macs``, ``params``, ``size`` or ``latency``.
        data: what quality is measured on: a name, a name with settings, ``("imagenet", {"path": ...})``, data, or a
            Dataset of torch with items (image, label), of which a share is held out (see
            `dynas.data.torch_dataset.TorchDataset`).
        hardware: what latency is measured on: a name, or a name with settings such as ``("cpu", {"batch_size": 1})``.
        bounds: by the objectives' names, the worst value that is allowed, such as 20 or ``"0.6x"`` of the original's.
        precision: what sub-networks are computed in, where they do not choose.
        together: sub-networks that are measured together, in interleaved rounds.
        folder: see `dynas.search`; where supernet and data are names, ``dynas export`` reads it, too.
        budget, mode, algo, predictor, features, seed, start, executor, callbacks: see `dynas.search`.
        on_callback_error, progress, resume, max_minutes, patience, max_failures: see `dynas.search`.

    Raises:
        DynasError: the parts do not fit together, a run in ``folder`` is another one, or every evaluation failed.
        SearchInterrupted: Ctrl-C came; its ``result`` is what was measured until then, and ``folder`` holds it too.
    """
    check_budget(budget)
    if isinstance(objectives, str) or not objectives:
        raise DynasError(f"objectives={objectives!r}: give a list of names such as ['top1', 'latency']")
    data = as_data(data)
    named: dict[str, Named] = {"hardware": hardware}
    named |= {} if isinstance(data, Data) else {"data": data}
    named |= {} if isinstance(supernet, Supernet) else {"supernet": supernet}
    with composed(named, objectives) as (config, overrides), open_dict(config):
        if isinstance(supernet, Supernet):
            resolutions = supernet.resolutions or ((1, 1),)
            config.supernet = {"resolution": list(resolutions[-1]), "weights": "those given", "classes": None}
        config.precision, config.together = precision, together
        for name, bound in (bounds or {}).items():
            if name not in config.objectives:
                raise one_of("objective", name, config.objectives)
            config.objectives[name].bound = bound
        own_data = data if isinstance(data, Data) else build_data(config)
        own_supernet = supernet if isinstance(supernet, Supernet) else build_supernet(with_image_size(config, own_data))
        introduce(config, own_data, own_supernet)
        problem, measurer = problem_of(config, own_data, own_supernet)
        parts: dict[str, Part] = {
            group: (type(given).__name__, {}) for group, given in (("supernet", own_supernet), ("data", own_data))
        }
        parts |= {group: (name_of(one), contents(config, group)) for group, one in named.items()}
        parts["precision"] = (precision, {})
    settings = Settings(
        budget, mode, algo, predictor, features, seed, start, executor, callbacks, on_callback_error, progress,
        None if folder is None else Path(folder), resume, max_minutes, patience, max_failures,
    )  # fmt: skip
    known = {"overrides": overrides} if {"supernet", "data"} <= set(named) else {}
    facts = partial(facts_of, measurer, known)
    subject = Subject(
        problem, measurer.measure, measurer.at_once, measurer.extras, parts, facts, "dynas.search_supernet"
    )  # fmt: skip
    result = SupernetResult(**vars(run_search(subject, settings)), supernet=own_supernet, data=own_data)
    check_ending(result)
    return result


def facts_of(measurer: Measurer, known: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Return what run.json says of a supernet's search besides; the reference of latencies is timed meanwhile.

    Args:
        measurer: measures it.
        known: further facts.
        earlier: what run.json says of the run that goes on; empty for a new one.
    """
    return {"reference_ms": measurer.watch_reference(earlier.get("reference_ms")), **origin_facts(measurer), **known}


@contextmanager
def composed(
    parts: Mapping[str, Named], objectives: Sequence[str] = (), command: str = "search"
) -> Iterator[tuple[DictConfig, list[str]]]:
    """Give the config of a command with other parts and the overrides that make it; Hydra runs in the block.

    Raises:
        DynasError: there is no such option, or it has no such setting.
    """
    options = {group: [name_of(one)] for group, one in parts.items()} | {"objectives": objectives}
    for group, names in options.items():
        known = [path.stem for path in (CONFIGS / group).glob("*.yaml")]
        for name in names:
            if name not in known:
                raise one_of(group, name, known)
    overrides = [f"{group}={name_of(one)}" for group, one in parts.items()]
    overrides += [f"objectives=[{','.join(objectives)}]"] if objectives else []
    settings = {group: one[1] for group, one in parts.items() if not isinstance(one, str)}
    register()
    try:
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            config = compose(command, overrides=overrides) if settings else {}
            for group, given in settings.items():
                allowed = [str(key) for key in config[group] if key != "_target_"]
                if unknown := [key for key in given if key not in allowed]:
                    raise one_of(f"setting of {group}={name_of(parts[group])}", unknown[0], allowed)
                overrides += [f"{group}.{key}={value_text(value)}" for key, value in given.items()]
            yield compose(command, overrides=overrides), overrides
    except HydraException as error:
        raise DynasError(one_sentence(error)) from error


def as_data(given: Named | Data | Dataset[Any]) -> Named | Data:
    """Return data as they are, and a Dataset of torch as data; raise DynasError where its items are none of these."""
    return TorchDataset(given) if isinstance(given, Dataset) else given


def name_of(given: Named) -> str:
    """Return the name of an option that may have settings."""
    return given if isinstance(given, str) else given[0]


def value_text(value: object) -> str:
    """Return a setting as a value of Hydra's override grammar."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{value_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, tuple | list):
        return f"[{','.join(map(value_text, value))}]"
    return quoted(str(value)) if isinstance(value, str | Path) else json.dumps(value)
