"""``dynas.compress``: what the command ``dynas compress`` does, in Python code and without config files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, open_dict
from torch import Tensor, nn
from torch.utils.data import Dataset

from dynas.compose.build import contents
from dynas.compose.fit import introduce
from dynas.compose.parts import build_data
from dynas.compressing.job import Job, make_job
from dynas.compressing.stages import Stage
from dynas.compressing.steps import Outcome
from dynas.compressing.steps import compress as all_steps
from dynas.core.data import ClassificationData, Data
from dynas.core.supernet import Supernet
from dynas.described import Part
from dynas.errors import DynasError, one_of
from dynas.runs.names import RUN
from dynas.searching import Settings, Subject, check_ending, run_search
from dynas.supernet_api import Named, as_data, composed, elastic, facts_of, name_of

if TYPE_CHECKING:
    from dynas.core.algorithm import AlgorithmFactory
    from dynas.core.mode import SearchMode
    from dynas.core.predictor import PredictorFactory

SAME = (
    "precision", "together", "judge", "band", "budget", "trial", "finalists", "tune", "seed", "max_minutes",
    "max_failures",
)  # fmt: skip


def compress(
    model: str | nn.Module | Supernet,
    data: Named | Data | Dataset[Any] = "fashion_mnist",
    limit: str | Sequence[str] = "latency<=0.5x",
    *,
    example_inputs: Tensor | None = None,
    folder: str | Path = "outputs/compressed",
    resume: bool = False,
    hardware: Named = "cpu",
    formats: str | Sequence[str] | None = (),
    recipe: Mapping[str, Any] | None = None,
    mode: str | SearchMode = "linas",
    algo: str | AlgorithmFactory = "pareto_local_search",
    predictor: str | PredictorFactory | Mapping[str, str | PredictorFactory] = "gp",
    progress: bool = False,
    **settings: Any,
) -> Outcome:
    """Make a trained classifier of images smaller or faster within a limit.

    Args:
        model: the network, what ``supernet.model`` takes, or what `dynas.elastic` gave.
        data: what it is tuned and judged on: a name, a name with settings such as ``("image_folder", {"path": ...})``,
            data, or a Dataset of torch with items (image, label), of which a share is held out (see
            `dynas.data.torch_dataset.TorchDataset`).
        limit: such as ``latency<=0.6x`` of the original's or ``size<=1.5`` in megabytes; a list for several networks.
        example_inputs: images ``(n, channels, height, width)``, only their shape counts; None: as those of the data.
        folder: where everything goes.
        resume: go on with what the folder holds.
        hardware: what latency is measured on, as in `dynas.search_supernet`.
        formats: of ``dynas export``, as a list, or ``all``; None: those that it writes by default.
        recipe: settings of the fine-tuning that differ from those of ``dynas compress``.
        mode, algo, predictor: how the search goes, as in `dynas.search_supernet`.
        progress: show what is going on.
        settings: ``precision``, ``together``, ``judge``, ``band``, ``budget``, ``trial``, ``finalists``, ``tune``,
            ``seed``, ``max_minutes`` and ``max_failures`` of ``dynas compress``.

    Raises:
        DynasError: the network cannot be compressed, the parts do not fit together, or a setting makes no sense.
        SearchInterrupted: Ctrl-C came; ``resume=True`` goes on.
    """
    if unknown := [name for name in settings if name not in SAME]:
        raise one_of("setting", unknown[0], SAME)
    place, data = Path(folder), as_data(data)
    if (place / RUN).exists() and not resume:
        raise DynasError(f"'{place}' already holds a run: go on with it by resume=True, or give another folder")
    named: dict[str, Named] = {"hardware": hardware} | ({} if isinstance(data, Data) else {"data": data})
    with composed(named, command="compress") as (config, _), open_dict(config):
        config.update(settings)
        config.limit = limit if isinstance(limit, str) else list(limit)
        config.formats = formats if formats is None or isinstance(formats, str) else list(formats)
        config.recipe.update(recipe or {})
        supernet = model if isinstance(model, Supernet) else made(model, example_inputs, config, data)
        config.supernet = {"resolution": list(supernet.resolutions[-1]), "weights": "those given", "classes": None}
        own_data = data if isinstance(data, Data) else build_data(config)
        introduce(config, own_data, supernet)
        job = make_job(config, own_data, supernet, place)
        parts: dict[str, Part] = {
            group: (type(given).__name__, {}) for group, given in (("supernet", supernet), ("data", own_data))
        }
        parts |= {group: (name_of(one), contents(config, group)) for group, one in named.items()}
        usual = Settings(
            1, mode, algo, predictor, None, config.seed, (), "serial", (), "stop", progress, None, True, None, None,
            config.max_failures,
        )  # fmt: skip
        return all_steps(job, partial(measured, job, usual, parts), print if progress else ignored)


def made(model: str | nn.Module, example_inputs: Tensor | None, config: DictConfig, data: Named | Data) -> Supernet:
    """Return the sub-networks of a network; raise DynasError where the data show no images."""
    if example_inputs is None:
        source = data if isinstance(data, Data) else build_data(config)
        if not isinstance(source, ClassificationData) or source.modelled:
            raise DynasError(f"{type(source).__name__} holds no images: give data that do")
        example_inputs = next(iter(source.calibration_batches()))
    return elastic(model, example_inputs)


def measured(job: Job, usual: Settings, parts: Mapping[str, Part], stage: Stage) -> None:
    """Measure into the folder of a stage, as `dynas.search_supernet` does."""
    start = [] if stage.start is None else list(map(stage.problem.space.decode, stage.start))
    mode = stage.mode or usual.mode
    settings = replace(
        usual, budget=stage.budget, mode=mode, start=start, folder=stage.folder, max_minutes=stage.minutes
    )
    subject = Subject(
        stage.problem, stage.measurer.measure, stage.measurer.at_once, stage.measurer.extras, parts,
        partial(facts_of, stage.measurer, {}), "dynas.compress",
    )  # fmt: skip
    stage.folder.mkdir(parents=True, exist_ok=True)
    check_ending(run_search(subject, settings))


def ignored(sentence: str) -> None:
    """Say nothing."""
