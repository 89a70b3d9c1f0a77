"""Tab completion, asked of real shells."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dynas.cli import COMMANDS
from dynas.commands.completion import HYDRAS, OTHERS, answered, overrides_only
from dynas.errors import DynasError
from tests.helpers.cli import ROOT

ASK = {
    "bash": "COMP_LINE={line} COMP_POINT={length}; _dynas; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
    "zsh": "COMP_LINE={line} COMP_POINT={length}; _dynas; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
    "fish": "complete -C {line}",
}
LINES = {
    "dynas ": {*HYDRAS, *OTHERS},
    "dynas sea": {"search"},
    "dynas lut ": {"build", "check"},
    "dynas search superne": {"supernet=", "supernet."},
    "dynas search supernet=prox": {"supernet=proxyless"},
    "dynas transfer outputs/run hardware=openv": {"hardware=openvino"},
    "dynas lut build hardware=cu": {"hardware=cuda"},
    "dynas $(touch evaluated) see": set(),
}
FILES = ("bin/", "$(touch", "./$(touch")


@pytest.mark.slow
@pytest.mark.parametrize("shell", ASK)
def test_words_are_completed(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = tmp_path / "bin" / "dynas"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dynas.cli "$@"\n')
    program.chmod(0o755)
    (tmp_path / "$(touch evaluated)").touch()
    install = (
        "dynas search -sc install=fish | source" if shell == "fish" else f'eval "$(dynas search -sc install={shell})"'
    )
    asks = [ASK[shell].format(line=shlex.quote(line), length=len(line)) for line in LINES]
    done = subprocess.run(
        [shell, "-c", "\necho ///\n".join([install, *asks])], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}, timeout=120,
    )  # fmt: skip
    assert done.stderr == ""
    answers = [set(filter(None, text.splitlines())) for text in done.stdout.split("///\n")[1:]]
    for line, answer in zip(LINES, answers, strict=True):
        stem = line.rpartition(" ")[2].rpartition("=")[0]
        given = {f"{stem}={word}" if stem and "=" not in word else word for word in answer}  # bash completes the rest
        assert {word for word in given if not word.startswith(FILES)} == LINES[line], line
    assert not (tmp_path / "evaluated").exists()


def test_the_shells_know_all_commands() -> None:
    assert {*HYDRAS, *OTHERS} == {*COMMANDS}


def test_only_overrides_are_asked_about() -> None:
    assert overrides_only("dynas outputs/run seed=1 hard") == "dynas seed=1 hard"
    assert overrides_only("dynas outputs/run ") == "dynas "


@pytest.mark.parametrize(
    ("words", "said"), [("install=tcsh", "unknown shell 'tcsh'"), ("instal=bash", "is installed by"), ("", "by eval")]
)
def test_other_requests_are_refused(words: str, said: str) -> None:
    with pytest.raises(DynasError, match=said):
        answered(["-sc", *words.split()])
