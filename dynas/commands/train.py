"""``dynas train``: trains an elastic supernet into a run folder, epoch by epoch, and can be resumed."""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from dynas.commands.hydra_job import run_hydra
from dynas.commands.opening import check_opening
from dynas.commands.running import job_facts
from dynas.compose.overrides import plain, run_folder
from dynas.runs.names import CARD, CHECKPOINT, WEIGHTS
from dynas.system.files import replacing, write_atomic

if TYPE_CHECKING:
    import torch

    from dynas.metrics.measurer import Measurer
    from dynas.training.sandwich import Recipe, TrainingData


def main(arguments: list[str]) -> int:
    """Run ``dynas train`` with Hydra's arguments and return the exit status."""
    return run_hydra("train", train_job, arguments)


def train_job(config: DictConfig) -> int:
    """Train as the config says; returns 0, or 130 after an interrupt."""
    import torch

    from dynas.compose.build import build, build_data, build_quality, build_supernet, check_classes
    from dynas.core.supernet import Trainable
    from dynas.errors import DynasError
    from dynas.runs.record import write_run
    from dynas.supernets.weights.load import load_weights
    from dynas.supernets.weights.storage import STORAGES, save_weights
    from dynas.system.screen import screen
    from dynas.training.sandwich import TrainingData

    folder = run_folder()
    console = screen()
    config.supernet.weights = config.start
    check_opening(config, folder, CHECKPOINT)
    if config.threads:
        torch.set_num_threads(config.threads)
    if config.storage not in STORAGES:
        raise DynasError(f"storage={config.storage}: give {' or '.join(STORAGES)}")
    data, recipe, supernet = build_data(config), build(config, "recipe"), build_supernet(config)
    check_classes(config, supernet, data)
    if not isinstance(supernet, Trainable) or not isinstance(data, TrainingData):
        part = data if isinstance(supernet, Trainable) else supernet
        raise DynasError(f"{type(part).__name__} is not made for training: choose another supernet or other data")
    if recipe.teacher == "original" and config.start == "random":
        raise DynasError(
            "recipe.teacher=original needs a trained network to learn from: give start=<its weights>, or "
            "recipe.teacher=largest"
        )
    column, measurer = build_quality(config, supernet, data)
    facts = job_facts(config) | {"data_sha256": data.digest}
    write_run(folder, facts | {"status": "running"})
    try:
        train(supernet, data, recipe, config.seed, folder, console)
    except KeyboardInterrupt:
        write_run(folder, facts | {"status": "interrupted"})
        console.print(f"interrupted; go on with: dynas train resume={shlex.quote(str(folder))}", soft_wrap=True)
        return 130
    save_weights(supernet.elastic, folder / WEIGHTS, config.storage)
    load_weights(supernet.elastic, str(folder / WEIGHTS), supernet.name)  # to measure what others will load
    rows = qualities(column, measurer)
    write_atomic(folder / CARD, model_card(config, rows, facts))
    write_run(folder, facts | {"status": "finished", "qualities": rows})
    console.print(quality_table(rows))
    for name in (WEIGHTS, CARD):
        console.print(f"  {folder / name}", soft_wrap=True, highlight=False)
    use = [f"supernet={facts['choices']['supernet']}", f"supernet.weights={folder / WEIGHTS}"]
    console.print(f"use them with: dynas search {shlex.join(use)}", soft_wrap=True)
    return 0


def train(supernet: Any, data: TrainingData, recipe: Recipe, seed: int, folder: Path, console: Any) -> None:
    """Train all epochs that are missing, keeping a checkpoint after each."""
    import torch

    from dynas.commands.display import Display
    from dynas.core.activity import doing
    from dynas.errors import DynasError
    from dynas.training.sandwich import make_optimizer, train_epoch

    steps = data.training_steps(recipe.batch_size)
    if steps == 0:
        raise DynasError(f"recipe.batch_size={recipe.batch_size} is larger than the whole training set")
    net = supernet.elastic.to(memory_format=torch.channels_last)
    original = None
    if recipe.teacher == "original":
        original = supernet.subnet(supernet.space.decode(supernet.space.largest()))
        original = original.to(memory_format=torch.channels_last)
    optimizer = make_optimizer(net, recipe)
    first = load_checkpoint(folder / CHECKPOINT, net, optimizer)
    with Display(folder, console, "steps") as display, doing("training, epoch") as activity:
        display.begin(steps * (recipe.epochs - first))
        for epoch in range(first, recipe.epochs):
            activity.step(epoch + 1, recipe.epochs)
            losses = []
            for loss in train_epoch(net, supernet.space, data, recipe, optimizer, epoch, steps, seed, original):
                losses.append(loss)
                display.more["loss"] = f"{sum(losses[-50:]) / len(losses[-50:]):.3f}"
                display.count()
            save_checkpoint(folder / CHECKPOINT, net, optimizer, epoch + 1)
            if not console.is_terminal:
                display.say(f"epoch {epoch + 1} / {recipe.epochs}: mean loss {sum(losses) / steps:.3f}")


def save_checkpoint(path: Path, net: torch.nn.Module, optimizer: torch.optim.Optimizer, epochs: int) -> None:
    """Write weights, optimizer and the number of finished epochs, replacing the file as a whole."""
    import torch

    with replacing(path) as file:
        torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "epochs": epochs}, file)


def load_checkpoint(path: Path, net: torch.nn.Module, optimizer: torch.optim.Optimizer) -> int:
    """Restore a checkpoint, where there is one, and return the number of finished epochs.

    Raises:
        DynasError: the file is no checkpoint of this training.
    """
    import torch

    from dynas.errors import DynasError

    if not path.exists():
        return 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's about odd files
            state = torch.load(path, weights_only=True)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["epochs"])
    except Exception as error:  # torch raises a different type for every way in which a file can be broken
        raise DynasError(f"'{path}' is no checkpoint of this training: remove it to start from scratch") from error


def qualities(column: str, measurer: Measurer) -> list[dict[str, Any]]:
    """Return quality and costs of the smallest, five random and the largest sub-network.

    Args:
        column: name and unit of the quality.
        measurer: measures that quality.
    """
    import numpy as np

    supernet = measurer.bench.supernet
    space = supernet.space
    named = [("smallest", space.smallest())]
    named += [(f"random {index + 1}", row) for index, row in enumerate(space.sample(5, np.random.default_rng(0)))]
    named += [("largest", space.largest())]
    rows = []
    for which, genotype in named:
        (measurement,) = measurer.measure(genotype[None])
        rows.append(
            {
                "sub-network": which,
                column: round(measurement.values[0], 2),
                "macs [MAC]": int(supernet.macs(genotype[None])[0]),
                "params [parameters]": int(supernet.params(genotype[None])[0]),
            }
        )
    return rows


def quality_table(rows: list[dict[str, Any]]) -> Any:
    """Return a rich table of `qualities`."""
    from rich.table import Table

    table = Table(title="quality on the validation samples")
    for name in rows[0]:
        table.add_column(name, justify="left" if name == "sub-network" else "right")
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row.values()))
    return table


def model_card(config: DictConfig, rows: list[dict[str, Any]], facts: dict[str, Any]) -> str:
    """Return the model card: what, how, on what, how good."""
    command = " ".join(["dynas train", *facts["overrides"]])
    described = {
        part: [f"{key}: {value}" for key, value in plain(config)[part].items() if key != "_target_"]
        for part in ("supernet", "data", "recipe")
    }
    recipe = "\n".join(f"- {setting}" for setting in described["recipe"])
    header = "| " + " | ".join(rows[0]) + " |\n|" + " --- |" * len(rows[0])
    body = "\n".join("| " + " | ".join(str(cell) for cell in row.values()) + " |" for row in rows)
    return f"""# Supernet {facts["choices"]["supernet"]} trained on {facts["choices"]["data"]}

Weights ({config.storage} precision): `{WEIGHTS}`. Command:

    {command}

Network: {", ".join(described["supernet"])}.

Data: {", ".join(described["data"])}; SHA-256 `{facts["data_sha256"]}`.

Recipe (AdamW, cosine schedule; in a sandwich the {config.recipe.teacher} network teaches the smaller ones):

{recipe}
- seed: {config.seed}
- torch {facts["versions"]["torch"]}, {facts["torch_threads"]} thread(s)

Quality on the validation samples, of the stored weights and measured as in a search:

{header}
{body}
"""
