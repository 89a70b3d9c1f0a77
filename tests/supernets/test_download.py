"""Downloads from real local servers: whole, broken off, refused, wrong, missing; alone and two at once."""

from __future__ import annotations

import hashlib
import io
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console

from dynas.errors import DynasError
from dynas.supernets.weights.download import Checkpoint, fetch, sha256
from dynas.supernets.weights.public import INVERTED_RESIDUALS, RESNET50
from tests.helpers.cli import ROOT

CONTENT = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Page:
    """How one path of the server answers."""

    content: bytes = CONTENT
    breaks: int = 0  # requests after half of whose bytes the connection is dropped
    busy: int = 0  # requests that get status 503
    status: int = 200
    ranges: bool = True
    tag: str | None = '"one"'
    kind: str = "application/octet-stream"
    says_length: bool = True
    gate: threading.Event | None = None  # the second half waits for it
    asked: list[str | None] = field(default_factory=list)  # the Range of every request


class Host:
    """A server on this machine."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = pages.get(self.path, Page(status=404))
                page.asked.append(self.headers["Range"])
                if page.busy:
                    page.busy -= 1
                    self.send_error(503)
                elif page.status != 200:
                    self.send_error(page.status)
                else:
                    with suppress(ConnectionError):  # a client that has seen enough
                        self.send(page)

            def send(self, page: Page) -> None:
                wanted = self.headers["Range"] if page.ranges else None
                if wanted and self.headers["If-Range"] not in (None, page.tag):
                    wanted = None
                start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
                if start >= len(page.content) > 0:
                    self.send_error(416)
                    return
                body = page.content[start:]
                self.send_response(206 if wanted else 200)
                self.send_header("Content-Type", page.kind)
                if page.says_length:
                    self.send_header("Content-Length", str(len(body)))
                if wanted:
                    self.send_header("Content-Range", f"bytes {start}-{len(page.content) - 1}/{len(page.content)}")
                if page.tag:
                    self.send_header("ETag", page.tag)
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
                if page.gate:
                    page.gate.wait(30)
                if page.breaks:
                    page.breaks -= 1
                    return
                self.wfile.write(body[len(body) // 2 :])

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def page(self, path: str, **behaviour: object) -> tuple[str, Page]:
        """Return the address of a new page, and the page."""
        page = self.pages[path] = Page(**behaviour)  # type: ignore[arg-type]
        return f"http://127.0.0.1:{self._server.server_port}{path}", page

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


@pytest.fixture
def dead() -> str:
    """An address where nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/net"


def get(folder: Path, *addresses: str, sha256: str | None = DIGEST, console: Console | None = None) -> Path:
    return fetch(Checkpoint("net", addresses, sha256), folder, console or Console(file=io.StringIO()), pause_s=0)


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"net.lock"}


@pytest.mark.parametrize("pin", [DIGEST, None], ids=["pinned", "unpinned"])
def test_a_file_is_downloaded_once(host: Host, tmp_path: Path, pin: str | None) -> None:
    address, page = host.page("/net")
    for _ in range(2):
        path = get(tmp_path / "new" / "cache", address, sha256=pin)
        assert path == tmp_path / "new" / "cache" / "net"
        assert path.read_bytes() == CONTENT
    assert page.asked == [None]
    assert left(path.parent) == {"net"}


def test_a_broken_download_goes_on_where_it_broke(host: Host, tmp_path: Path) -> None:
    address, page = host.page("/net", breaks=2)
    assert get(tmp_path, address, sha256=None).read_bytes() == CONTENT
    half, rest = len(CONTENT) // 2, len(CONTENT) - len(CONTENT) // 2
    assert page.asked == [None, f"bytes={half}-", f"bytes={half + rest // 2}-"]
    assert left(tmp_path) == {"net"}


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(host: Host, tmp_path: Path) -> None:
    address, page = host.page("/net", breaks=3)
    with pytest.raises(DynasError, match=r"the connection ended after 896,000 of 1,024,000 bytes"):
        get(tmp_path, address)
    assert left(tmp_path) == {"net.partial", "net.partial.json"}
    assert get(tmp_path, address).read_bytes() == CONTENT
    assert page.asked[-1] == "bytes=896000-"


def test_a_server_without_ranges_is_asked_for_everything_again(host: Host, tmp_path: Path) -> None:
    address, page = host.page("/net", breaks=1, ranges=False)
    assert get(tmp_path, address).read_bytes() == CONTENT
    assert len(page.asked) == 2


def test_a_part_is_not_continued_with_what_may_be_another_file(host: Host, tmp_path: Path) -> None:
    changed, page = host.page("/changed", breaks=3)
    with pytest.raises(DynasError):
        get(tmp_path, changed, sha256=None)
    page.content, page.tag = CONTENT[::-1], '"two"'
    assert get(tmp_path, changed, sha256=None).read_bytes() == CONTENT[::-1]

    unmarked, page = host.page("/unmarked", breaks=1, tag=None)
    assert get(tmp_path / "unmarked", unmarked, sha256=None).read_bytes() == CONTENT
    assert page.asked == [None, None]

    broken, _ = host.page("/broken", breaks=3)
    other, page = host.page("/other")
    assert get(tmp_path / "other", broken, other).read_bytes() == CONTENT
    assert page.asked == [None]


def test_a_resumed_file_with_a_wrong_digest_is_downloaded_anew(host: Host, tmp_path: Path) -> None:
    address, page = host.page("/net", breaks=1)
    (tmp_path / "net.partial").write_bytes(b"x" * 10)
    (tmp_path / "net.partial.json").write_text(f'{{"address": "{address}", "validator": "\\"one\\""}}')
    page.breaks = 0
    assert get(tmp_path, address).read_bytes() == CONTENT
    assert page.asked == ["bytes=10-", None]


def test_a_part_that_is_too_long_is_downloaded_anew(host: Host, tmp_path: Path) -> None:
    address, _ = host.page("/net")
    (tmp_path / "net.partial").write_bytes(CONTENT + b"x")
    (tmp_path / "net.partial.json").write_text(f'{{"address": "{address}", "validator": "\\"one\\""}}')
    assert get(tmp_path, address).read_bytes() == CONTENT


def test_a_busy_server_is_asked_again_and_a_missing_page_is_not(host: Host, tmp_path: Path) -> None:
    missing, gone = host.page("/gone", status=404)
    busy, page = host.page("/busy", busy=2)
    assert get(tmp_path, missing, busy).read_bytes() == CONTENT
    assert (len(gone.asked), len(page.asked)) == (1, 3)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ({"status": 404}, "HTTP 404 Not Found"),
        ({"status": 403}, "HTTP 403 Forbidden"),
        ({"busy": 9}, "HTTP 503 Service Unavailable"),
        ({"kind": "text/html; charset=utf-8"}, "it answers with a web page"),
        ({"content": CONTENT[:-1]}, rf"what it serves has the SHA-256 \w{{12}}\.\.\. instead of {DIGEST[:12]}"),
        ({"says_length": False, "breaks": 1}, r"what it serves has the SHA-256"),
    ],
    ids=["missing", "forbidden", "busy", "web page", "wrong digest", "torn without a length"],
)
def test_what_is_not_the_file_is_refused_with_a_way_out(
    host: Host, tmp_path: Path, behaviour: dict[str, object], reason: str
) -> None:
    address, _ = host.page("/net", **behaviour)
    wanted = rf"^cannot download 'net' \({address}: {reason}.*\): get {address} by hand and save it as '{tmp_path}/net'"
    with pytest.raises(DynasError, match=wanted) as caught:
        get(tmp_path, address)
    assert "supernet.weights=" in str(caught.value)
    assert left(tmp_path) == set()


def test_an_unpinned_file_of_unknown_length_is_refused(host: Host, tmp_path: Path) -> None:
    address, _ = host.page("/net", says_length=False)
    with pytest.raises(DynasError, match="does not say how long"):
        get(tmp_path, address, sha256=None)
    assert get(tmp_path, address).read_bytes() == CONTENT  # its digest tells that it is whole


def test_no_server_is_told_in_one_sentence(dead: str, tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=rf"^cannot download 'net' \({dead}: .*refused\): get {dead} by hand"):
        get(tmp_path, dead)


def test_no_network_leaves_the_public_files_to_be_fetched_by_hand(
    dead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", dead.removesuffix("/net"))
    monkeypatch.setenv("DYNAS_CACHE", str(tmp_path))
    for public in (*INVERTED_RESIDUALS.values(), RESNET50):
        with pytest.raises(DynasError) as caught:
            fetch(public, pause_s=0)
        assert f"get {public.addresses[0]} by hand and save it as '{tmp_path / public.file}'" in str(caught.value)


def test_a_cached_file_that_is_another_one_is_replaced_and_said_so(host: Host, tmp_path: Path, dead: str) -> None:
    (tmp_path / "net").write_bytes(b"another")
    said = io.StringIO()
    with pytest.raises(DynasError):
        get(tmp_path, dead, console=Console(file=said))
    assert (tmp_path / "net").read_bytes() == b"another"  # kept until there is something better
    assert f"'{tmp_path / 'net'}' has the SHA-256 {hashlib.sha256(b'another').hexdigest()[:12]}" in said.getvalue()
    address, _ = host.page("/net")
    assert get(tmp_path, address).read_bytes() == CONTENT


def test_a_file_put_there_by_hand_is_taken(dead: str, tmp_path: Path) -> None:
    (tmp_path / "net").write_bytes(CONTENT)
    assert get(tmp_path, dead) == tmp_path / "net"
    assert left(tmp_path) == {"net"}


def test_a_cache_that_cannot_be_written_is_told(host: Host, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    address, _ = host.page("/net")
    with pytest.raises(DynasError, match=r"cannot keep 'net' in .*: let the environment variable DYNAS_CACHE"):
        get(tmp_path / "file" / "cache", address)


def test_progress_is_a_bar_on_a_terminal_and_a_line_elsewhere(host: Host, tmp_path: Path) -> None:
    address, _ = host.page("/net")
    plain, terminal = io.StringIO(), io.StringIO()
    get(tmp_path / "plain", address, console=Console(file=plain))
    assert plain.getvalue() == f"downloading net to '{tmp_path / 'plain' / 'net'}'\n"
    get(tmp_path / "terminal", address, console=Console(file=terminal, force_terminal=True, width=200))
    assert "1.0/1.0 MB" in terminal.getvalue()


def test_two_processes_download_once(host: Host, tmp_path: Path) -> None:
    gate = threading.Event()
    address, page = host.page("/net", gate=gate)
    code = "import sys; from dynas.supernets.weights.download import *; print(fetch(Checkpoint('net', (sys.argv[1],))))"
    environment = {"PYTHONPATH": str(ROOT), "DYNAS_CACHE": str(tmp_path)}

    def start() -> subprocess.Popen[str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([sys.executable, "-c", code, address], env=environment, text=True, **pipes)  # type: ignore[call-overload]

    first = start()
    assert "downloading net" in first.stderr.readline()  # type: ignore[union-attr]
    second = start()
    assert "waiting for another process" in second.stderr.readline()  # type: ignore[union-attr]
    gate.set()
    for process in (first, second):
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, f"{tmp_path / 'net'}\n"), err
    assert len(page.asked) == 1
    assert sha256(tmp_path / "net") == DIGEST
