"""Qualities in the user's cache folder, so that what was measured once is not measured again.

A file for each way of measuring, and in it a line for each sub-network: a checksum and what was measured. Lines are
only ever appended, each by one write, so that several processes may share a file. A line that is damaged, or torn by a
full disk, is passed over: what it said is measured again.
"""

from __future__ import annotations

import json
import math
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path

from dynas.core.metric import Reading
from dynas.errors import DynasWarning
from dynas.system.files import from_json, open_appending
from dynas.system.folders import cache_folder

FOLDER = "qualities"
LARGEST = 64 * 2**20  # bytes of a file, some 500,000 sub-networks: no more is read or written


class QualityCache:
    """What is kept of one objective.

    Args:
        identity: SHA-256 of everything that its values depend on.

    Attributes:
        readings: by the sub-network's key, what was kept when the run began.
    """

    def __init__(self, identity: str) -> None:
        self.readings: dict[str, Reading] = {}
        self._path, self._usable = Path(), True
        try:
            self._path = cache_folder() / FOLDER / f"{identity}.txt"
            self.readings = read(self._path)
        except (OSError, RuntimeError) as error:  # the latter where nobody knows where the user's home is
            self._give_up(error)

    def keep(self, key: str, reading: Reading) -> None:
        """Keep what was measured of a sub-network, where that is possible."""
        if not self._usable or key in self.readings:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open_appending(self._path) as file:
                if file.tell() < LARGEST:
                    file.write(line(key, reading))
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._usable = False
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        warnings.warn(
            f"qualities cannot be kept in '{self._path.parent}' ({why}) and will "
            "be measured again: let the environment variable DYNAS_CACHE name a folder that can be written",
            DynasWarning,
            stacklevel=3,
        )


def read(path: Path) -> dict[str, Reading]:
    """Return the whole lines of a file, of several about a sub-network the first; nothing where there is no file."""
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        content = file.read(LARGEST)
    found: dict[str, Reading] = {}
    for text in content.split(b"\n"):
        if (entry := parsed(text)) is not None:
            found.setdefault(*entry)
    return found


def line(key: str, reading: Reading) -> str:
    """Return what is kept of a sub-network; it begins with the end of a line, as the one before may be torn."""
    text = json.dumps([key, reading.value, dict(reading.extras)])
    return f"\n{zlib.crc32(text.encode()):08x} {text}"


def parsed(text: bytes) -> tuple[str, Reading] | None:
    """Return what a line says; None where it is damaged."""
    checksum, _, body = text.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(body):
        return None
    try:
        key, value, extras = from_json(body)
    except (ValueError, TypeError):
        return None
    sound = isinstance(key, str) and isinstance(value, int | float) and math.isfinite(value)
    return (key, Reading(float(value), extras)) if sound and isinstance(extras, Mapping) else None
