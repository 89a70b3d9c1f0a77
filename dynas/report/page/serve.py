"""A page of runs that is read from this machine's browser, and that is made anew as they go on.

It only ever answers with the page and with what tells whether there is a newer one: nothing can be asked of it by name,
and nothing is changed.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

from dynas.errors import DynasError
from dynas.report.page.page import waiting
from dynas.runs.load import find_runs
from dynas.runs.names import CONFIRMED, PREDICTORS, RESULTS, RUN

LOCAL = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Pages:
    """The page of some runs, made anew where their files have changed.

    Args:
        paths: run folders, or folders of runs; more may appear beneath them.
        render: makes the page, given what tells it from others.
    """

    def __init__(self, paths: Iterable[Path], render: Callable[[str], str]) -> None:
        self._paths, self._render = list(paths), render
        self._lock = Lock()
        self._made = ("", "")  # version, page

    def version(self) -> str:
        """Return what tells the present state of the runs from any other."""
        told = hashlib.sha256()
        for folder in self._folders():
            for name in (RESULTS, CONFIRMED, PREDICTORS, RUN):
                try:
                    facts = (folder / name).stat()
                except OSError:  # not written yet, or gone
                    continue
                told.update(f"{folder} {name} {facts.st_mtime_ns} {facts.st_size}\n".encode("utf-8", "replace"))
        return told.hexdigest()

    def page(self) -> str:
        """Return the page, or one that says why there is none yet."""
        with self._lock:
            version = self.version()
            if self._made[0] != version:
                try:
                    made = self._render(version)
                except DynasError as error:
                    made = waiting(str(error), version)
                self._made = version, made
            return self._made[1]

    def _folders(self) -> list[Path]:
        try:
            return find_runs(self._paths)
        except DynasError:  # no run yet
            return []


class Server(ThreadingHTTPServer):
    """Serves a page.

    Args:
        pages: what it serves.
        host: address to listen at; by default only this machine reaches it.
        port: 0 for a free one.

    Attributes:
        url: where the page is.

    Raises:
        DynasError: the port is in use, or the address is not one of this machine.
    """

    daemon_threads = True

    def __init__(self, pages: Pages, host: str = LOCAL[0], port: int = 0) -> None:
        self.pages = pages
        self.local = host in LOCAL
        try:
            super().__init__((host, port), Handler)
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                raise DynasError(f"--port {port} is in use: give another one, or none for a free one") from error
            raise DynasError(f"cannot serve at {host}:{port}: {error}") from error
        self.url = f"http://{host}:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    """Answers one request; there is nothing but to read."""

    server: Server

    def do_GET(self) -> None:
        """Answer with the page, or with its version."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        if self.server.local and host not in LOCAL:  # a name that somebody else's page made point here
            self._answer(403, "text/plain", "this page is for this machine only")
        elif self.path == "/":
            self._answer(200, "text/html", self.server.pages.page())
        elif self.path == "/version":
            self._answer(200, "text/plain", self.server.pages.version())
        else:
            self._answer(404, "text/plain", "there is only /")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, kind: str, text: str) -> None:
        content = text.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
