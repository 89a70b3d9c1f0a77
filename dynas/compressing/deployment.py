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
from dynas.errors import DynasError
from dynas.export.formats import chosen
from dynas.export.network import Network
from dynas.export.write import RECORD, Written, write
from dynas.system.files import from_json
from dynas.system.machine import package_versions

FOLDER = "deployed"


def deploy(job: Job, candidate: Candidate, module: nn.Module, compared: Compared, original: Compared) -> list[Path]:
    """Write a tuned network in all formats and return its files; nothing is written where that was done before.

    Raises:
        DynasError: it cannot be written in a format, or a file does not compute what the network computes.
    """
    if job.formats is not None and not job.formats:
        return []
    folder = folder_of(job, candidate)
    if (done := finished(folder)) is not None:
        return done
    config = {part: value for part, value in plain(job.config).items() if part in ("supernet", "data")}
    network = Network(module, job.supernet, candidate.architecture, config)
    names = chosen(job.formats, network) if job.formats else usable(job, network)
    written = write(network, names, folder, facts(job, candidate, network, compared, original))
    if failed := [one for one in written if not one.matches]:
        raise DynasError(
            f"{failed[0].name} in '{folder}' must not be used: {failed[0].error or 'outputs differ'}, see {RECORD}"
        )
    return paths(written, folder)


def usable(job: Job, network: Network) -> list[str]:
    """Return all formats that can be written here; one that makes the network anew needs to know its code."""
    anew = "_target_" in job.config.supernet
    return [name for name in chosen(None, network) if anew or name != "pytorch"]


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
