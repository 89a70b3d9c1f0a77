"""A served page follows its runs, says nothing to strangers, and changes nothing."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dynas.commands.report import compared, make_parser
from dynas.commands.report import main as report
from dynas.errors import DynasError
from dynas.report.page.page import page
from dynas.report.page.serve import Pages, Server
from tests.helpers.cli import ROOT
from tests.helpers.run_folders import FIVE, write_search

EVIL = '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture
def serving() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def serve(*arguments: str) -> Server:
        given = make_parser().parse_args(arguments)

        def render(version: str) -> str:
            comparison, chosen, _ = compared(given)
            return page(comparison, chosen, version)

        servers.append(Server(Pages(given.paths, render)))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return servers[-1]

    yield serve
    for one in servers:
        one.shutdown()
        one.server_close()


def asked(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer, answer.read().decode()


def test_only_the_page_is_there_and_only_for_this_machine(serving: Callable[..., Server], tmp_path: Path) -> None:
    folder = write_search(tmp_path / "run", FIVE)
    before = sorted(folder.iterdir())
    server = serving(str(folder))
    assert server.server_address[0] == "127.0.0.1"
    answer, text = asked(server, "/")
    assert (answer.status, answer.headers["X-Frame-Options"], answer.headers["Cache-Control"]) == (
        200, "DENY", "no-store",
    )  # fmt: skip
    assert "<h2>Measured sub-networks" in text
    for path in ("/results.csv", "/run.json", "/../../etc/passwd", "//etc/passwd", "/%2e%2e/run.json", "/?x=1"):
        assert asked(server, path)[0].status == 404
    for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        assert asked(server, "/", method)[0].status == 501
    answer, text = asked(server, "/", Host="evil.example:80")
    assert (answer.status, text) == (403, "this page is for this machine only")
    assert asked(server, "/", Host=f"localhost:{server.server_port}")[0].status == 200
    assert sorted(folder.iterdir()) == before


def test_its_policy_lets_nothing_else_load_and_texts_stay_texts(serving: Callable[..., Server], tmp_path: Path) -> None:
    write_search(tmp_path / EVIL.replace("/", ":"), FIVE, notes=[EVIL], choices={"algo": EVIL})
    text = asked(serving(str(tmp_path)), "/")[1]
    policy = re.findall(r'Content-Security-Policy" content="(.*?)"', text)[0]
    assert "default-src &#x27;none&#x27;" in policy
    assert "connect-src &#x27;self&#x27;" in policy
    assert "unsafe" not in policy
    assert "<script>window.hacked" not in text
    assert "<img" not in text


def test_it_waits_for_a_first_measurement_and_follows(serving: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    server = serving(str(tmp_path / "runs"))
    version, waiting = asked(server, "/version")[1], asked(server, "/")[1]
    assert "no run in" in waiting
    assert version in waiting
    folder = write_search(tmp_path / "runs" / "a<b>", FIVE, status="running")
    assert (later := asked(server, "/version")[1]) != version
    text = asked(server, "/")[1]
    assert "is running, with 5 evaluations" in text
    assert "a&lt;b&gt;" in text
    assert later in text
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(facts | {"status": "finished"}))
    assert asked(server, "/version")[1] != later
    assert "is running" not in asked(server, "/")[1]
    (folder / "run.json").write_text("{")
    assert "cannot read" in asked(server, "/")[1]


def test_a_port_in_use_and_a_folder_that_is_not_there_are_told(serving: Callable[..., Server], tmp_path: Path) -> None:
    server = serving(str(write_search(tmp_path / "run", FIVE)))
    with pytest.raises(DynasError, match=f"--port {server.server_port} is in use"):
        report([str(tmp_path / "run"), "--serve", "--port", str(server.server_port)])
    with pytest.raises(DynasError, match=r"cannot serve at .*:70000"):
        report([str(tmp_path / "run"), "--serve", "--port", "70000"])
    with pytest.raises(DynasError, match=r"gone' does not exist"):
        report([str(tmp_path / "gone"), "--serve"])


SEARCH = """
import sys, time
from dynas import DesignVariable, Objective, SearchSpace, search
def measure(one):
    time.sleep(float(sys.argv[2]))
    return sum(one["w"]), 100 - 50 / sum(one["w"])
search(SearchSpace([DesignVariable("w", (1, 2, 3, 4, 5), 4)]), [Objective("cost", "min", "1"),
       Objective("quality", "max", "%")], measure, budget=120, mode="validation", algo="random",
       folder=sys.argv[1], resume=True)
"""


def searching(folder: Path, pause: float) -> subprocess.Popen[bytes]:
    """Start a search of 120 evaluations, each of so many seconds, or go on with it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", SEARCH, str(folder), str(pause)], env=environment)


def until(true: Callable[[], bool], seconds: float = 120) -> None:
    """Wait for something that a browser shows, which may be loading its page anew at the moment."""
    from playwright.sync_api import Error

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(Error):
            if true():
                return
        time.sleep(0.1)
    pytest.fail("it never came")


@pytest.mark.slow
def test_a_browser_sees_a_search_go_on_die_and_go_on(serving: Callable[..., Server], tmp_path: Path) -> None:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    folder = tmp_path / "outputs" / "run"
    (tmp_path / "outputs").mkdir()
    server = serving(str(tmp_path / "outputs"))
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1200, "height": 900})
        wrong: list[Any] = []
        view.on("pageerror", lambda error: wrong.append(str(error)))
        view.goto(server.url)
        assert "no run in" in view.inner_text("body")
        child = searching(folder, 1.0)
        try:
            until(lambda: points(view) > 0)
            shown = points(view)
            until(lambda: points(view) > shown)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
        until(lambda: "is running, with" in view.inner_text("body"))
        view.locator("#legend button").first.click()
        again = searching(folder, 0.0)
        assert again.wait(timeout=180) == 0
        until(lambda: "\t120\t" in view.inner_text("#comparison"))
        until(lambda: "is running, with" not in view.inner_text("body"))
        assert view.locator("#legend button").first.get_attribute("aria-pressed") == "false", "it keeps what was chosen"
        server.shutdown()
        server.server_close()
        until(lambda: "has ended" in view.inner_text("#live"))
        assert wrong == []
        browser.close()


def points(view: Any) -> int:
    return int(view.evaluate("document.querySelectorAll('#fronts .dot').length"))
