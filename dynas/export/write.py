"""Writing a network in several formats, each of them loaded again and compared with the network."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynas.errors import DynasError, reason
from dynas.export.formats import FORMATS
from dynas.export.network import Network
from dynas.system.files import PARTIAL, from_json, write_atomic

RECORD = "export.json"


@dataclass(frozen=True)
class Written:
    """One format of a network on disk.

    Attributes:
        name: of the format.
        files: its files, those in folders among them.
        difference: largest difference from the network's outputs, as a share of the largest of them; infinite where
            the files do not run or give outputs of other shapes.
        error: why they do not run, else empty.
    """

    name: str
    files: tuple[Path, ...]
    difference: float
    error: str = ""

    @property
    def matches(self) -> bool:
        """Whether the files compute what the network computes."""
        return self.difference <= FORMATS[self.name].TOLERANCE

    @property
    def bytes(self) -> int:
        """Size of its files."""
        return sum(path.stat().st_size for path in self.files)


def write(network: Network, names: Sequence[str], folder: Path, facts: dict[str, Any]) -> list[Written]:
    """Write a network in every format, and export.json with ``facts`` and how well the files agree with it.

    What an export left that did not come to its end is written anew.

    Raises:
        DynasError: the folder holds anything else or cannot be written, or the network cannot be written in a format;
            the formats before it stay.
    """
    written: list[Written] = []

    def note() -> None:
        formats = {one.name: _record(one, network, folder) for one in written}
        record = {**facts, "formats": formats, "finished": len(written) == len(names)}
        write_atomic(folder / RECORD, json.dumps(record, indent=2) + "\n")

    try:
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        note()
        for name in names:
            _save(network, name, folder)
            written.append(_try(network, name, folder))
            note()
    except OSError as error:
        raise DynasError(f"cannot write to '{folder}': {error.strerror or error}") from error
    return written


def _clear(folder: Path) -> None:
    """Remove the files of an export that did not come to its end; raise DynasError where there is anything else."""
    files = {file for form in FORMATS.values() for file in form.FILES} if _is_unfinished(folder / RECORD) else set()
    left = [path for path in folder.iterdir() if path.name not in (*files, RECORD) and path.suffix != PARTIAL]
    if left or ((folder / RECORD).exists() and not files):
        raise DynasError(f"'{folder}' is not empty: choose another folder by --to, or remove it")
    for path in (folder / file for file in files):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)  # a link, too: what it points to is not ours


def _is_unfinished(path: Path) -> bool:
    """Return whether a record says that its export did not come to its end."""
    try:
        record = from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and record.get("finished") is False


def _save(network: Network, name: str, folder: Path) -> None:
    try:
        FORMATS[name].save(network, folder)
    except (DynasError, OSError):
        raise
    except Exception as error:  # torch raises a different type for everything that a format cannot express
        raise DynasError(f"{name} cannot express this network: {reason(error)}") from error


def _try(network: Network, name: str, folder: Path) -> Written:
    files = tuple(file for given in FORMATS[name].FILES for file in _files(folder / given))
    try:
        return Written(name, files, FORMATS[name].difference(network, folder))
    except Exception as error:  # a foreign runtime may raise anything; what does not run does not match
        return Written(name, files, math.inf, reason(error))


def _files(path: Path) -> list[Path]:
    """Return a file, or those of a folder."""
    return sorted(path.iterdir()) if path.is_dir() else [path]


def _record(written: Written, network: Network, folder: Path) -> dict[str, Any]:
    digests = {path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in written.files}
    record: dict[str, Any] = {
        "files": {path.as_posix(): digest for path, digest in digests.items()},
        "load": FORMATS[written.name].USE,
        "matches": written.matches,
        "max_relative_difference": written.difference if math.isfinite(written.difference) else None,
        "tolerance": FORMATS[written.name].TOLERANCE,
        "batch_sizes": list(network.sizes),
    }
    return record | ({"error": written.error} if written.error else {})
