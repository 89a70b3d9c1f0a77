"""The README tells the truth: its commands compose, its files exist, its tables are complete."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dynas.commands.export import make_parser
from dynas.commands.report import make_parser as report_parser
from dynas.system.folders import CONFIGS
from tests.helpers.built import built, checked
from tests.helpers.cli import ROOT

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text()
COMMANDS = [
    line.split("#")[0].strip().removeprefix("scripts/")
    for line in README.splitlines()
    if re.match(r" {4}(scripts/)?dynas (search|evaluate|train|predictors|lut build|lut check) ", line)
]


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
    arguments = [re.sub(r"^seed=(\d)(,\d)+$", r"seed=\1", argument) for argument in arguments]
    words = 2 if arguments[0] == "lut" else 1
    monkeypatch.chdir(tmp_path)
    assert built("_".join(arguments[:words]), arguments[words:], checked) == 0, capsys.readouterr().err


def test_every_export_can_be_read() -> None:
    lines = re.findall(r"^ {4}dynas export (.*?)(?: #.*)?$", README, flags=re.MULTILINE)
    assert lines
    for line in lines:
        assert make_parser().parse_args(shlex.split(line.replace("<run folder>", "run"))).run


def test_every_report_can_be_read() -> None:
    lines = re.findall(r"^ {4}dynas report (.*?)(?: {2,}#.*)?$", README, flags=re.MULTILINE)
    assert len(lines) > 5
    for line in lines:
        assert report_parser().parse_args(shlex.split(line.replace("<run folder>", "run"))).paths


def test_the_python_example_runs(tmp_path: Path) -> None:
    example = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)[0]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "quality [%]" in done.stdout


def test_every_config_option_is_listed() -> None:
    groups = set()
    for folder in CONFIGS.iterdir():
        if folder.is_dir() and folder.name != "hydra":
            groups.add(folder.name)
            row = next((line for line in README.splitlines() if line.startswith(f"| `{folder.name}`")), "")
            row = row or next(line for line in README.splitlines() if line.startswith(f"| `{folder.name}` ("))
            options = [path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml")]
            missing = [option for option in options if f"`{option}`" not in row]
            assert missing == [], f"{folder.name} lacks {missing}"
    listed = README.split("## Config groups")[1].split("## File map")[0]
    assert set(re.findall(r"^\| `(\w+)`", listed, flags=re.MULTILINE)) == groups


def test_every_file_that_is_named_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    files = re.findall(r"`(dynas/[\w/.]+|docs/[\w/.]+)`", README)
    mapped = re.findall(r"\b((?:dynas|scripts|tests|configs)/[\w/.]*)", README.split("## File map")[1])
    for name in [*links, *files, *mapped]:
        assert (ROOT / name).exists(), name
