"""What the help texts and the comments of the configs recommend works, with the defaults and with its own option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dynas.cli import COMMANDS
from dynas.system.folders import CONFIGS
from tests.helpers.built import JOBS, built, checked

pytestmark = pytest.mark.slow

COMMAND = re.compile(r"dynas (lut build|lut check|search|evaluate|train|predictors) +((?:-m )?[a-z][\w.]*=[^#\n]+)")
TOKEN = re.compile(r"(?<![\w'\"./-])([a-z_]\w*(?:[./]\w+)*=[^\s;)<]*[^\s;),.<])(?![\w<])")
OWN = r"[\w.]+=(outputs/[^ ]*<[^>]*>|mine\S*|debian)|rows=\S+"  # what stands for a user's own, or is not everywhere
BESIDE = {
    "algo=ga": ["objectives=top1", "mode.training=200"],
    "hardware=llamacpp": ["supernet=decoder", "supernet.weights=random", "supernet.groups=null", "supernet.feeds=null"],
    "supernet=prune": [
        "supernet.model=tests.helpers.networks:Residual", "supernet.resolution=[28,56]", "supernet.channels=1"
    ],
    "evaluate": ["architectures=smallest"],
    "lut check": ["table=missing.csv"],
}  # fmt: skip
SLOW = ("predictors", "train")  # to be built


def commands() -> list[str]:
    """Return all commands of the help texts and of the first lines of the configs, without what is a user's own."""
    files = [*(CONFIGS / "hydra" / "help").glob("*.yaml"), *CONFIGS.glob("*.yaml")]
    texts = [re.sub(OWN, "", re.sub(r'"[^"]*"', "uptime", path.read_text())) for path in files]  # a program
    found = [command for text in texts for command in COMMAND.findall(text)]
    return sorted({f"{name} {' '.join(words.split())}" for name, words in found})


def tokens() -> list[tuple[str, str]]:
    """Return all overrides that an option's comments name, beside that option."""
    found = []
    for path in sorted(CONFIGS.glob("*/*.yaml")):
        group, comments = path.parent.name, re.findall(r"#(?! @package)(.*)", path.read_text())
        for token in TOKEN.findall("\n".join(comments)) if group not in ("hydra", "recipe") else ():
            found.append((f"{group}={path.stem}", token))
    return found


def outcome(name: str, words: list[str], cwd: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.chdir(cwd)
    return built(name, words, checked if name in SLOW else None)


@pytest.mark.parametrize("command", commands())
def test_commands_can_be_built(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name, words = re.fullmatch(r"(lut \w+|\w+) (.*)", command).groups()  # type: ignore[union-attr]
    given = [*BESIDE.get(name, []), *words.split()]
    assert outcome(name.replace(" ", "_"), given, tmp_path, monkeypatch) == 0, capsys.readouterr().err


@pytest.mark.parametrize(("option", "token"), tokens())
def test_options_go_with_what_their_comments_name(
    option: str, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome("search", [*BESIDE.get(option, []), option, token], tmp_path, monkeypatch) == 0, (
        capsys.readouterr().err
    )


def test_the_lists_are_not_empty() -> None:
    assert len(commands()) > 12
    assert len(tokens()) > 8
    assert {one.split()[0] for one in commands()} <= {*COMMANDS}
    assert {*JOBS} >= {"search", "train"}
