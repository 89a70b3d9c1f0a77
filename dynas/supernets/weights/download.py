"""Files from public addresses: resumed where they broke off, checked, and kept in one cache folder."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from dynas.errors import DynasError
from dynas.system.folders import cache_folder

CHUNK = 1 << 18
TIMEOUT_S = 30.0
BUSY = {408, 425, 429, 500, 502, 503, 504}  # HTTP statuses after which the same request may succeed
Report = Callable[[int, int | None], None]  # bytes that are there, bytes of the whole file


@dataclass(frozen=True)
class Checkpoint:
    """A file that others have published.

    Attributes:
        file: its name in the cache folder.
        addresses: where it can be had, tried in turn.
        sha256: its digest; None where none is known, so that only its length is checked.
    """

    file: str
    addresses: tuple[str, ...]
    sha256: str | None = None


class BrokenError(Exception):
    """An attempt that failed in a way that may pass."""


class RefusedError(Exception):
    """An address that does not serve the file."""


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(
    checkpoint: Checkpoint, folder: Path | None = None, console: Console | None = None, pause_s: float = 1.0
) -> Path:
    """Return where the cache keeps a checkpoint, after downloading it where it is not there yet.

    Args:
        checkpoint: what to get.
        folder: the cache folder; None: `cache_folder`.
        console: where progress is shown; standard error by default.
        pause_s: seconds before the first repetition of a broken attempt; doubled before the next.

    Raises:
        DynasError: no address serves it, or the cache cannot be written.
    """
    path = (folder or cache_folder()) / checkpoint.file
    console = console or Console(stderr=True)
    if path.is_file() and fault(path, checkpoint) is None:
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with alone(path, console):
            held = fault(path, checkpoint) if path.is_file() else None
            if held is None and path.is_file():  # another process was faster
                return path
            why = f": '{path}' {held}" if held else ""
            console.print(f"downloading {checkpoint.file} to '{path}'{why}", soft_wrap=True, highlight=False)
            with progress(console, checkpoint.file) as report:
                download(checkpoint, path, pause_s, report)
    except OSError as error:
        raise DynasError(
            f"cannot keep '{checkpoint.file}' in '{path.parent}' ({error.strerror or error}): "
            "let the environment variable DYNAS_CACHE name a folder that can be written"
        ) from error
    return path


def fault(path: Path, checkpoint: Checkpoint) -> str | None:
    """Return in what a file differs from the published one, in words; None: in nothing that is known."""
    if checkpoint.sha256 is None or (found := sha256(path)) == checkpoint.sha256:
        return None
    return f"has the SHA-256 {found[:12]}... instead of {checkpoint.sha256[:12]}..."


def download(checkpoint: Checkpoint, path: Path, pause_s: float, report: Report) -> None:
    """Put a checkpoint at ``path``, complete and checked.

    Raises:
        DynasError: no address serves it; what has arrived so far is kept beside ``path``.
    """
    reasons = []
    for address in checkpoint.addresses:
        for wait in (0.0, pause_s, 2 * pause_s):
            time.sleep(wait)
            try:
                attempt(address, checkpoint, path, report)
                return
            except BrokenError as error:
                reason = str(error)
            except RefusedError as error:
                reason = str(error)
                break
        reasons.append(f"{address}: {reason}")
    raise DynasError(
        f"cannot download '{checkpoint.file}' ({'; '.join(reasons)}): get {checkpoint.addresses[0]} by hand and "
        f"save it as '{path}', or give supernet.weights=<path of the file>"
    )


def attempt(address: str, checkpoint: Checkpoint, path: Path, report: Report) -> None:
    """Put a checkpoint at ``path`` from one address, beginning where an earlier attempt broke off.

    Raises:
        BrokenError, RefusedError: it is not there.
    """
    partial = Partial(path)
    wanted = partial.missing(address, checkpoint.sha256 is not None)
    with opened(Request(address, headers={"User-Agent": "dynas"} | wanted), partial) as response:
        if response.headers.get_content_type() == "text/html":
            raise RefusedError("it answers with a web page")
        resumed = response.status == 206
        length = response.headers.get("Content-Length")
        if length is None and checkpoint.sha256 is None:
            raise RefusedError("it does not say how long the file is")
        if not resumed:
            partial.begin(address, response)
        total = None if length is None else int(length) + partial.size
        with partial.path.open("ab") as file:
            while chunk := received(response):
                file.write(chunk)
                report(file.tell(), total)
    if total is not None and partial.size != total:
        raise BrokenError(f"the connection ended after {partial.size:,} of {total:,} bytes")
    if wrong := fault(partial.path, checkpoint):
        partial.discard()
        raise (BrokenError if resumed else RefusedError)(f"what it serves {wrong}")
    partial.finish()


class Partial:
    """What has arrived of a file, and where from.

    Args:
        path: where the whole file will be.
    """

    def __init__(self, path: Path) -> None:
        self._whole = path
        self.path = path.with_name(f"{path.name}.partial")
        self._origin = path.with_name(f"{path.name}.partial.json")

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def missing(self, address: str, pinned: bool) -> dict[str, str]:
        """Return the headers that ask for what is missing; none where everything has to come again.

        A part is only continued from the address that it came from, and only where something (a validator of the
        server, RFC 9110 section 13.1.5, or the ``pinned`` digest) tells whether the file has changed in between.
        """
        try:
            origin = json.loads(self._origin.read_text())
        except (OSError, ValueError):
            return {}
        validator = origin.get("validator")
        if not self.size or origin.get("address") != address or not (validator or pinned):
            return {}
        return {"Range": f"bytes={self.size}-"} | ({"If-Range": validator} if validator else {})

    def begin(self, address: str, response: HTTPResponse) -> None:
        """Start again from nothing, with a response that brings the whole file."""
        tag = response.headers.get("ETag", "")
        validator = tag if tag.startswith('"') else response.headers.get("Last-Modified")
        self.path.write_bytes(b"")
        self._origin.write_text(json.dumps({"address": address, "validator": validator}))

    def discard(self) -> None:
        """Forget what has arrived."""
        self.path.unlink(missing_ok=True)
        self._origin.unlink(missing_ok=True)

    def finish(self) -> None:
        """Make it the whole file."""
        self.path.replace(self._whole)
        self._origin.unlink(missing_ok=True)


@contextmanager
def opened(request: Request, partial: Partial) -> Iterator[HTTPResponse]:
    """Open an address; raise BrokenError or RefusedError where that fails."""
    try:
        response = urlopen(request, timeout=TIMEOUT_S)
    except HTTPError as error:
        error.close()
        if error.code == 416:  # nothing is missing, or the file has become shorter
            partial.discard()
        kind = BrokenError if error.code in BUSY | {416} else RefusedError
        raise kind(f"HTTP {error.code} {error.reason}") from error
    except URLError as error:
        raise BrokenError(str(error.reason)) from error
    except (OSError, HTTPException) as error:
        raise BrokenError(str(error) or type(error).__name__) from error
    with response:
        yield response


def received(response: HTTPResponse) -> bytes:
    """Return the next bytes, none at the end; raise BrokenError where the connection broke."""
    try:
        return response.read(CHUNK)
    except IncompleteRead as error:
        return error.partial
    except (OSError, HTTPException) as error:
        raise BrokenError(f"the connection broke: {error or type(error).__name__}") from error


@contextmanager
def alone(path: Path, console: Console) -> Iterator[None]:
    """Keep other processes from downloading the same file."""
    lock = FileLock(f"{path}.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        console.print(f"waiting for another process that downloads '{path}'", soft_wrap=True, highlight=False)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def progress(console: Console, file: str) -> Iterator[Report]:
    """Show a bar on a terminal and nothing elsewhere."""
    if not console.is_terminal:
        yield lambda done, total: None
        return
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(TextColumn(file), *columns, console=console, transient=True) as bar:
        task = bar.add_task(file, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
