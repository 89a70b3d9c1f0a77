"""Writing a network in several formats, each of them loaded again and compared with the network."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dynas.core.activity import doing
from dynas.errors import DynasError, reason
from dynas.export.formats import FORMATS, INT8
from dynas.export.network import Network
from dynas.export.quality import ERRORS, LEAST, Examination, Quality, examine
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
        quality: how good it is on validation samples; None where one forward pass does not tell.
        error: why they do not run, else empty.
    """

    name: str
    files: tuple[Path, ...]
    difference: float
    quality: Quality | None = None
    error: str = ""

    @property
    def int8(self) -> bool:
        """Whether it computes in INT8."""
        return FORMATS[self.name].PRECISION == INT8

    @property
    def matches(self) -> bool:
        """Whether the files compute what the network computes; in INT8, whether they are as good."""
        tolerance = FORMATS[self.name].TOLERANCE
        if tolerance is not None:
            return self.difference <= tolerance
        return math.isfinite(self.difference) and (self.quality is None or self.quality.kept)

    @property
    def lossy(self) -> bool:
        """Whether the files run in INT8, and are not as good as the network."""
        return self.int8 and not self.error and self.quality is not None and not self.quality.kept

    @property
    def complaint(self) -> str:
        """Why the files do not match."""
        if self.error:
            return self.error
        tolerance = FORMATS[self.name].TOLERANCE
        if self.lossy and self.quality is not None:
            return f"{self.quality.text}, more than {ERRORS} standard errors and than {LEAST:.0%} of it"
        return f"outputs differ by {self.difference:.1e} of the largest, more than {tolerance or 1:g}"

    @property
    def bytes(self) -> int:
        """Size of its files."""
        return sum(path.stat().st_size for path in self.files)


def write(
    network: Network,
    names: Sequence[str],
    folder: Path,
    facts: dict[str, Any],
    left_out: Callable[[str, str], None] | None = None,
) -> list[Written]:
    """Write a network in every format, and export.json with ``facts`` and how well the files agree with it.

    What an export left that did not come to its end is written anew.

    Args:
        network: what is written.
        names: of formats.
        folder: where to; it may be missing.
        facts: what export.json says besides.
        left_out: told of a format that turns out not to express the network, and why; None: that is an error.

    Raises:
        DynasError: the folder holds anything else or cannot be written, or the network cannot be written in a format,
            where that is an error, or in any; the formats before it stay.
    """
    written: list[Written] = []

    def note(finished: bool = False) -> None:
        formats = {one.name: _record(one, network, folder) for one in written}
        record = {**facts, "formats": formats, "finished": finished}
        write_atomic(folder / RECORD, json.dumps(record, indent=2) + "\n")

    try:
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder)
        note()
        examination = examine(network)
        for name in names:
            try:
                with doing(f"writing {name}"):
                    _save(network, name, folder)
            except DynasError as error:
                _remove(folder, FORMATS[name].FILES)
                if left_out is None or (name == names[-1] and not written):
                    raise
                left_out(name, str(error))
                continue
            with doing(f"trying {name}"):
                written.append(_try(examination, name, folder))
            note()
        note(finished=True)
    except OSError as error:
        raise DynasError(f"cannot write to '{folder}': {error.strerror or error}") from error
    return written


def read_int8(path: Path) -> dict[str, Quality]:
    """Return how good the files in INT8 are of which an export.json of this process's own tells."""
    formats = from_json(path.read_text(encoding="utf-8"))["formats"]
    return {
        name: Quality(**one["quality"], difference=one["max_relative_difference"])
        for name, one in formats.items()
        if one["precision"] == INT8 and "quality" in one
    }


def _clear(folder: Path) -> None:
    """Remove the files of an export that did not come to its end; raise DynasError where there is anything else."""
    files = {file for form in FORMATS.values() for file in form.FILES} if _is_unfinished(folder / RECORD) else set()
    left = [path for path in folder.iterdir() if path.name not in (*files, RECORD) and path.suffix != PARTIAL]
    if left or ((folder / RECORD).exists() and not files):
        raise DynasError(f"'{folder}' is not empty: choose another folder by --to, or remove it")
    _remove(folder, files)


def _remove(folder: Path, files: Iterable[str]) -> None:
    """Remove files and folders, where there are any."""
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


def _try(examination: Examination, name: str, folder: Path) -> Written:
    form, network = FORMATS[name], examination.network
    files = tuple(file for given in form.FILES for file in _files(folder / given))
    try:
        difference = form.difference(network, folder)
        quality = examination.quality(form.load(folder), form.PRECISION == INT8) if examination.scores else None
    except Exception as error:  # a foreign runtime may raise anything; what does not run does not match
        return Written(name, files, math.inf, error=reason(error))
    return Written(name, files, max(difference, quality.difference if quality else 0.0), quality)


def _files(path: Path) -> list[Path]:
    """Return a file, or those of a folder."""
    return sorted(path.iterdir()) if path.is_dir() else [path]


def _record(written: Written, network: Network, folder: Path) -> dict[str, Any]:
    digests = {path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest() for path in written.files}
    form = FORMATS[written.name]
    record: dict[str, Any] = {
        "files": {path.as_posix(): digest for path, digest in digests.items()},
        "precision": form.PRECISION,
        "load": form.USE,
        "matches": written.matches,
        "max_relative_difference": written.difference if math.isfinite(written.difference) else None,
        "tolerance": form.TOLERANCE,
        "batch_sizes": list(network.sizes),
    }
    if written.quality is not None:
        record["quality"] = {key: value for key, value in asdict(written.quality).items() if key != "difference"}
    if written.int8:
        record["calibration_samples"] = sum(len(batch[0]) for batch in network.calibration)
    return record | ({"error": written.error} if written.error else {})
