"""README and pages tell the truth: their commands compose, their files exist, the reference is complete."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from dynas import search
from dynas.commands.export import make_parser
from dynas.commands.report import make_parser as report_parser
from dynas.system.folders import CONFIGS
from tests.helpers.built import built, checked
from tests.helpers.cli import ROOT

pytestmark = pytest.mark.slow

REFERENCE = ROOT / "docs" / "reference" / "config.md"
README = (ROOT / "README.md").read_text()
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
}
COMMANDS = sorted(
    {
        line.split("#")[0].strip().removeprefix("scripts/")
        for page in PAGES.values()
        for line in page.splitlines()
        if re.match(
            r" {4}(scripts/)?dynas (search|compress|evaluate|train|predictors|lut build|lut check) (?!resume=|--)", line
        )
    }
)


def lines_of(command: str) -> list[tuple[str, str]]:
    """Return what follows a command on all pages, each with its page."""
    pattern = rf"^ {{4}}dynas {command} (.*?)(?: {{2,}}#.*)?$"
    return [(name, line) for name, page in PAGES.items() for line in re.findall(pattern, page, flags=re.MULTILINE)]


def test_the_two_commands_come_first_and_can_be_started() -> None:
    commands = re.findall(r"^ {4}(scripts/\S+)", README, flags=re.MULTILINE)
    assert commands[:2] == ["scripts/dynas", "scripts/test"]
    for command in commands:
        assert (ROOT / command).stat().st_mode & 0o111, f"{command} is not executable"
    assert "scripts/test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_composes_and_its_parts_take_their_settings(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [argument for argument in shlex.split(command)[1:] if "<" not in argument and argument != "-m"]
    arguments = [re.sub(r"^(\w+)=(\w+)(,\w+)+$", r"\1=\2", argument) for argument in arguments]  # of a sweep
    words = 2 if arguments[0] == "lut" else 1
    monkeypatch.chdir(tmp_path)
    assert built("_".join(arguments[:words]), arguments[words:], checked) == 0, capsys.readouterr().err


def test_every_export_can_be_read() -> None:
    lines = lines_of("export")
    assert len(lines) > 3
    for _, line in lines:
        assert make_parser().parse_intermixed_args(shlex.split(line.replace("<run folder>", "run"))).run


def test_every_report_can_be_read() -> None:
    lines = lines_of("report")
    assert len(lines) > 5
    for _, line in lines:
        assert report_parser().parse_args(shlex.split(line.replace("<run folder>", "run"))).paths


def examples(page: str) -> str:
    """Return the Python of a page, as one program."""
    return "\n".join(re.findall(r"^```python\n(.*?)^```", PAGES[page], flags=re.DOTALL | re.MULTILINE))


@pytest.fixture(scope="module")
def first_search() -> dict[str, object]:
    """What the README's example leaves behind, which all others go on with."""
    names: dict[str, object] = {"__name__": "example"}
    exec(examples("README.md"), names)
    return names


def test_the_python_example_of_the_readme_finds_a_front(first_search: dict[str, object]) -> None:
    assert len(first_search["result"].front) > 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", [name for name in PAGES if examples(name) and name != "README.md"])
def test_the_python_examples_of_a_page_run(
    page: str, first_search: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "TensorBoard" in examples(page):
        pytest.importorskip("tensorboard")
    monkeypatch.chdir(tmp_path)
    shorter = re.sub(r"budget=(\d)0\b", r"budget=2\1", examples(page))  # of the same order
    exec(shorter, first_search | {"search": partial(search, budget=30)})


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    for package in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(package)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(ROOT / "docs"), str(tmp_path)]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in PAGES:  # each of them is a page of the site, whatever that reaches it by
        if name.startswith("docs/"):
            assert (tmp_path / name.removeprefix("docs/")).with_suffix(".html").is_file()
    assert "depth_gates" in (tmp_path / "reference" / "api.html").read_text()


def test_the_readme_is_no_manual() -> None:
    assert README.count("\n") <= 150


def test_the_reference_is_what_the_configs_say() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "dev" / "build_config_page.py"))["page"]()
    assert REFERENCE.read_text() == made, "run scripts/dev/build_config_page.py"
    for folder in CONFIGS.iterdir():
        if folder.is_dir() and folder.name != "hydra":
            for path in folder.rglob("*.yaml"):
                option = path.relative_to(folder).with_suffix("").as_posix()
                assert f"### `{folder.name}={option}`" in made, f"{folder.name} lacks {option}"


def test_the_page_of_commands_is_what_they_say() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "dev" / "build_command_page.py"))["page"]()
    page = PAGES["docs/reference/commands.md"]
    assert page.split() == made.split(), "run scripts/dev/build_command_page.py"  # Pythons break lines differently


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_a_page_names_exists(name: str) -> None:
    page = PAGES[name]
    links = [link.split("#")[0] for link in re.findall(r"\]\((?!http|#)([^)]+)\)", page)]
    links += re.findall(r'(?:src|srcset)="([^"]+)"', page)
    for link in links:
        assert ((ROOT / name).parent / link).exists(), link
    for file in re.findall(r"`((?:dynas|docs|scripts|tests|configs)/[\w/.]+)`", page):
        assert (ROOT / file).exists(), file


def test_the_tree_that_contributors_see_exists() -> None:
    mapped = re.findall(
        r"^ {4}((?:dynas|scripts|tests|configs|docs)/[\w/.]*)", PAGES["CONTRIBUTING.md"], flags=re.MULTILINE
    )
    assert len(mapped) > 20
    assert [name for name in mapped if not (ROOT / name).exists()] == []
    folders = {f"dynas/{path.name}/" for path in (ROOT / "dynas").iterdir() if (path / "__init__.py").is_file()}
    assert folders - set(mapped) == set()
