"""``dynas train``: trains an elastic supernet into a run folder, epoch by epoch, and can be resumed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from dynas.commands.hydra_job import run_hydra
from dynas.commands.opening import check_opening
from dynas.commands.running import job_facts
from dynas.compose.next_command import PARTS, next_command, resume_command
from dynas.compose.overrides import choices, plain, run_folder
from dynas.runs.names import CARD, CHECKPOINT, TRAINING, TRAINING_PICTURE, WEIGHTS
from dynas.runs.origin import check_same_origin
from dynas.runs.record import read_run, write_run
from dynas.system.files import number, replacing, write_atomic, write_csv

if TYPE_CHECKING:
    from rich.console import Console

    from dynas.commands.train_display import TrainingDisplay
    from dynas.core.objectives import Objective
    from dynas.core.supernet import Supernet
    from dynas.training.judge import Judge
    from dynas.training.ranking import Validation
    from dynas.training.sandwich import Recipe
    from dynas.training.steps import TrainingData
    from dynas.training.training import Training

DEVICES = ("cpu", "cuda")
MADE = ("supernet", "supernet.weights", "supernet.new_classes")  # what the trained weights say themselves


def main(arguments: list[str]) -> int:
    """Run ``dynas train`` with Hydra's arguments and return the exit status."""
    return run_hydra("train", train_job, arguments)


def train_job(config: DictConfig) -> int:
    """Train as the config says; returns 0, or 130 after an interrupt."""
    import torch

    from dynas.compose.build import build
    from dynas.compose.check import check_recipe
    from dynas.compose.parts import build_parts
    from dynas.compose.problem import build_quality
    from dynas.core.data import ClassificationData
    from dynas.core.supernet import Trainable
    from dynas.errors import DynasError
    from dynas.supernets.weights.load import load_weights
    from dynas.supernets.weights.storage import STORAGES, save_weights
    from dynas.system.screen import screen
    from dynas.training.judge import Judge
    from dynas.training.steps import TrainingData
    from dynas.training.tuning import check_trainable

    folder = run_folder()
    console = screen()
    config.supernet.weights = config.start
    check_opening(config, folder, CHECKPOINT)
    check_recipe(choices()["recipe"], choices()["supernet"])
    if config.threads:
        torch.set_num_threads(config.threads)
    if config.storage not in STORAGES:
        raise DynasError(f"storage={config.storage}: give {' or '.join(STORAGES)}")
    recipe, (data, supernet) = build(config, "recipe"), build_parts(config)
    check_trainable(supernet, data)
    if isinstance(data, ClassificationData) and not data.labelled:
        raise DynasError("these images have no labels to train by: give others, or dynas compress, which needs none")
    assert isinstance(supernet, Trainable)
    assert isinstance(data, TrainingData)
    if recipe.teacher == "original" and not supernet.trained:
        raise DynasError(
            "recipe.teacher=original needs a trained network to learn from, with its classifier: give start=<its "
            "weights>, or recipe.teacher=largest"
        )
    judge = Judge(*build_quality(config, supernet, data))
    validation = build(config, "validation")
    facts = job_facts(config) | {"data_sha256": data.digest, "weights_sha256": supernet.weights_digest}
    if config.resume:
        check_same_origin(folder, read_run(folder), facts)
    write_run(folder, facts | {"status": "running"})
    training = make_training(config, supernet, data, recipe)
    try:
        train(training, validation, judge, folder, console)
    except KeyboardInterrupt:
        write_run(folder, facts | {"status": "interrupted"})
        console.print(f"interrupted; go on with: {resume_command('train', folder)}", soft_wrap=True)
        return 130
    supernet.elastic.to("cpu")
    for name, content in supernet.companions().items():
        with replacing(folder / name) as file:
            file.write(content)
    save_weights(supernet.elastic, folder / WEIGHTS, config.storage, supernet.inferred)
    load_weights(supernet.elastic, str(folder / WEIGHTS), supernet.name)  # to measure what others will load
    rows = qualities(judge)
    write_atomic(folder / CARD, model_card(config, rows, training, facts))
    write_run(folder, facts | {"status": "finished", "epochs": training.epochs, "qualities": rows})
    console.print(quality_table(rows))
    for path in (folder / name for name in (WEIGHTS, CARD, TRAINING, TRAINING_PICTURE)):
        if path.exists():  # without measurements on the way there is no picture
            console.print(f"  {path}", soft_wrap=True, highlight=False)
    use = (f"supernet={facts['choices']['supernet']}", f"supernet.weights={folder / WEIGHTS}")
    search = next_command("search", *use, only=PARTS, without=MADE)
    console.print(f"use them with: {search}", soft_wrap=True)
    return 0


def make_training(config: DictConfig, supernet: Supernet, data: TrainingData, recipe: Recipe) -> Training:
    """Return what is trained, on its device."""
    import torch

    from dynas.core.supernet import Trainable
    from dynas.errors import DynasError
    from dynas.training.steps import placed
    from dynas.training.training import Training

    if config.device not in DEVICES:
        raise DynasError(f"device={config.device}: give {' or '.join(DEVICES)}")
    if config.device == "cuda" and not torch.cuda.is_available():
        raise DynasError("device=cuda needs an NVIDIA GPU and a torch built for it: give device=cpu")
    original = None
    if recipe.teacher == "original":
        original = placed(supernet.subnet(supernet.space.decode(supernet.space.largest())), config.device)
    assert isinstance(supernet, Trainable)
    net = placed(supernet.elastic, config.device)
    return Training(net, supernet.space, data, recipe, config.seed, config.mixed_precision, original)


def train(training: Training, validation: Validation, judge: Judge, folder: Path, console: Console) -> None:
    """Train all epochs that are missing, keeping a checkpoint and the curve after each."""
    from dynas.commands.train_display import TrainingDisplay
    from dynas.core.activity import doing
    from dynas.training.plan import make_plan

    recipe = training.recipe
    training.restore(folder / CHECKPOINT)
    with TrainingDisplay(folder, training, validation, console) as display:
        with doing("timing some steps"):
            plan = make_plan(training)
        display.show(plan)
        with doing("training, epoch") as activity:
            while training.epochs < recipe.epochs:
                if validation.exhausted(training.curve, judge.objective, since=plan[-1].first + 1):
                    display.say(f"the median has not risen in {validation.patience} measurements: training ends early")
                    break
                activity.step(training.epochs + 1, recipe.epochs)
                row = train_epoch(training, display)
                looked = time.perf_counter()
                if validation.due(training.epochs, recipe.epochs):
                    with doing("measuring sub-networks"):
                        row |= judge.look(training, validation)
                training.curve.append(row)
                training.save(folder / CHECKPOINT)
                write_curve(training.curve, judge.objective, folder)
                display.finished(row, time.perf_counter() - looked)


def train_epoch(training: Training, display: TrainingDisplay) -> dict[str, float]:
    """Train one more epoch; return its number, its wall time and its mean loss."""
    started, losses = time.perf_counter(), []
    for loss in training.train_epoch():
        losses.append(loss)
        display.stepped(losses)
    seconds = time.perf_counter() - started
    return {"epoch": training.epochs, "seconds": round(seconds, 2), "loss": sum(losses) / len(losses)}


def write_curve(curve: list[dict[str, float]], objective: Objective, folder: Path) -> None:
    """Write what was seen after each epoch, as a table and, once something was measured, as a picture."""
    from dynas.report.plots.training import plot_training

    columns = {
        "epoch": "epoch", "seconds": "seconds [s]", "loss": "loss", "smallest": f"smallest {objective.column}",
        "median": f"median {objective.column}", "largest": f"largest {objective.column}",
        "worse": "worse than the smallest [%]", "tau": "Kendall tau with MACs",
    }  # fmt: skip
    rows = [[number(row.get(key, float("nan"))) for key in columns] for row in curve]
    write_csv(folder / TRAINING, list(columns.values()), rows)
    if any("largest" in row for row in curve):
        plot_training(curve, objective, folder / TRAINING_PICTURE)


def qualities(judge: Judge) -> list[dict[str, Any]]:
    """Return quality and costs of the smallest, five random and the largest sub-network."""
    import numpy as np

    supernet = judge.measurer.bench.supernet
    space = supernet.space
    named = [("smallest", space.smallest())]
    named += [(f"random {index + 1}", row) for index, row in enumerate(space.sample(5, np.random.default_rng(0)))]
    named += [("largest", space.largest())]
    genotypes = np.stack([genotype for _, genotype in named])
    found = zip(judge.qualities(genotypes), supernet.macs(genotypes), supernet.params(genotypes), strict=True)
    return [
        {
            "sub-network": which,
            judge.objective.column: float(f"{quality:.4g}"),
            "macs [MAC]": int(macs),
            "params [parameters]": int(params),
        }
        for (which, _), (quality, macs, params) in zip(named, found, strict=True)
    ]


def quality_table(rows: list[dict[str, Any]]) -> Any:
    """Return a rich table of `qualities`."""
    from rich.table import Table

    table = Table(title="quality on the validation samples")
    for name in rows[0]:
        table.add_column(name, justify="left" if name == "sub-network" else "right")
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row.values()))
    return table


def model_card(config: DictConfig, rows: list[dict[str, Any]], training: Training, facts: dict[str, Any]) -> str:
    """Return the model card: what, how, on what, how good."""
    from dynas.display.display import duration_text

    command = " ".join(["dynas train", *facts["overrides"]])
    described = {
        part: [f"{key}: {value}" for key, value in plain(config)[part].items() if key != "_target_"]
        for part in ("supernet", "data", "recipe")
    }
    recipe = "\n".join(f"- {setting}" for setting in described["recipe"])
    header = "| " + " | ".join(rows[0]) + " |\n|" + " --- |" * len(rows[0])
    body = "\n".join("| " + " | ".join(str(cell) for cell in row.values()) + " |" for row in rows)
    products = "bfloat16 products" if config.mixed_precision else "single precision"
    how = f"cosine schedule; in a sandwich the {config.recipe.teacher} network teaches the smaller ones"
    ended = f" Ended early, after epoch {training.epochs}." if training.epochs < training.recipe.epochs else ""
    return f"""# Supernet {facts["choices"]["supernet"]} trained on {facts["choices"]["data"]}

Weights ({config.storage} precision): `{WEIGHTS}`. Command:

    {command}

Network: {", ".join(described["supernet"])}.

Data: {", ".join(described["data"])}; SHA-256 `{facts["data_sha256"]}`.

Recipe ({how}):

{recipe}
- seed: {config.seed}
- torch {facts["versions"]["torch"]}, {facts["torch_threads"]} thread(s), {config.device}, {products}

Training took {duration_text(sum(row["seconds"] for row in training.curve))}.{ended}

Quality on the validation samples, of the stored weights and measured as in a search:

{header}
{body}
"""
