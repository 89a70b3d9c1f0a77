"""The best network of each limit as files to deploy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from dynas.compose.overrides import plain
from dynas.compressing.candidates import Candidate
from dynas.compressing.comparing import Compared
from dynas.compressing.job import Job
from dynas.compressing.tuning import Say
from dynas.core.space import Architecture
from dynas.errors import DynasError
from dynas.export.formats import ALL, INT8, chosen
from dynas.export.network import Network, Quantisation
from dynas.export.write import RECORD, Written, write
from dynas.system.files import from_json
from dynas.system.machine import package_versions

FOLDER = "deployed"


def deploy(
    job: Job, candidate: Candidate, module: nn.Module, compared: Compared, original: Compared, say: Say
) -> list[Path]:
    """Write a tuned network in all formats and return its files; nothing is written where that was done before.

    Files in INT8 that are not as good are told of at the end (`dynas.compressing.conclusion`).

    Raises:
        DynasError: it cannot be written in a format that is named, or a file in FP32 does not compute what the
            network computes.
    """
    if job.formats is not None and not job.formats:
        return []
    folder = folder_of(job, candidate)
    if (done := finished(folder)) is not None:
        return done
    network = to_write(job, candidate.architecture, module, compared.quality)
    names, left_out = chosen(job.formats, network, precision(job, candidate.architecture))
    tolerant = job.formats is None or list(job.formats) == [ALL]
    written = write(
        network, names, folder, facts(job, candidate, network, compared, original),
        left_out.__setitem__ if tolerant else None,
    )  # fmt: skip
    for why in left_out.values():
        say(f"left out: {why}")
    if failed := [one for one in written if not one.matches and not one.lossy]:
        raise DynasError(f"{failed[0].name} in '{folder}' must not be used: {failed[0].complaint}, see {RECORD}")
    return paths(written, folder)


def to_write(job: Job, architecture: Architecture, module: nn.Module, quality: float | None = None) -> Network:
    """Return a network as files are written from it.

    Args:
        job: what is done.
        architecture: which one it is.
        module: its layers.
        quality: how good it was measured to be, in its own precision.
    """
    config = {part: value for part, value in plain(job.config).items() if part in ("supernet", "data")}
    hardware = job.config.hardware
    quantisation = Quantisation(
        hardware.get("calibration_images", Quantisation.samples),
        hardware.get("bias_correction", Quantisation.bias_correction),
        quality if precision(job, architecture) == INT8 else None,
    )
    return Network(module, job.supernet, architecture, config, None, job.data, quantisation)


def precision(job: Job, architecture: Architecture) -> str:
    """Return what a sub-network is measured in."""
    return str(architecture.get("p") or job.config.precision)


def check_formats(job: Job) -> None:
    """Raise DynasError where a format that is named cannot take such networks, before anything is measured."""
    original = job.supernet.original
    if job.formats and original is not None:
        chosen(job.formats, to_write(job, original, job.supernet.subnet(original)))


def folder_of(job: Job, candidate: Candidate) -> Path:
    """Return where a network's files go: one folder, or one for each limit."""
    if len(job.limits) == 1:
        return job.folder / FOLDER
    place = [one.text for one in job.limits].index(candidate.limit) + 1
    return job.folder / FOLDER / f"limit{place}"


def facts(job: Job, candidate: Candidate, network: Network, compared: Compared, original: Compared) -> dict[str, Any]:
    """Return what export.json says besides."""
    normalisation: Mapping[str, object] | None = job.data.normalisation
    return {
        "limit": candidate.limit,
        "architecture": candidate.architecture,
        "measured": asdict(compared),
        "original": asdict(original),
        "inputs": network.signature,
        "precision": {"measured": precision(job, candidate.architecture)},
        "normalisation": None if normalisation is None else dict(normalisation),
        "versions": package_versions("dynas torch safetensors onnx onnxscript onnxruntime openvino nncf".split()),
    }


def paths(written: list[Written], folder: Path) -> list[Path]:
    """Return the files of an export, the record last."""
    return [*(path for one in written for path in one.files), folder / RECORD]


def finished(folder: Path) -> list[Path] | None:
    """Return the files of an export that came to its end; None where there is none."""
    try:
        record = from_json((folder / RECORD).read_text(encoding="utf-8"))
        if not record["finished"]:
            return None
        return [*(folder / file for form in record["formats"].values() for file in form["files"]), folder / RECORD]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
