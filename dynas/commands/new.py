"""``dynas new``: writes a working part of one's own into the current folder, to be changed."""

from __future__ import annotations

import argparse
import importlib.util
import keyword
import re
from collections.abc import Sequence
from pathlib import Path

from dynas.commands.parser import Parser
from dynas.errors import DynasError
from dynas.system.folders import CONFIGS

TEMPLATES = Path(__file__).parents[1] / "templates"
GROUPS = {  # what can be made, and the config group that it becomes an option of
    "supernet": "supernet",
    "metric": "objectives",
    "algorithm": "algo",
    "predictor": "predictor",
    "hardware": "hardware",
    "data": "data",
}
TRIED = {  # the command that uses it
    "supernet": "dynas train --config-dir configs supernet={name} data=fashion_mnist",
    "metric": "dynas search --config-dir configs objectives=[{name},latency]",
    "algorithm": "dynas search --config-dir configs algo={name}",
    "predictor": "dynas search --config-dir configs predictor={name}",
    "hardware": "dynas search --config-dir configs hardware={name}",
    "data": "dynas train --config-dir configs data={name} supernet.classes=10 supernet.resolution=[28,28]",
}
EPILOG = """\
Three files are written, and none is overwritten:
  NAME.py                    a class that works as it is, and says what to change
  configs/<group>/NAME.yaml  its settings, which make it an option on the command line
  test_NAME.py               a test that it keeps what its role promises (needs pytest)"""


def main(arguments: Sequence[str]) -> int:
    """Write the files of a new part, tell what to type next, and return the exit status."""
    parser = Parser(
        prog="dynas new",
        description="Write a part of your own into the current folder: code, settings and test.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("role", choices=GROUPS, metavar="ROLE", help=", ".join(GROUPS))
    parser.add_argument("name", metavar="NAME", help="what it is called, such as my_net: letters, digits and _")
    given = parser.parse_args(arguments)
    check_name(given.role, given.name)
    files = written_files(given.role, given.name)
    if there := [path for path in files if path.exists()]:
        raise DynasError(f"'{there[0]}' exists already: give another name, or remove it first")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print("\n".join(map(str, files)))
    print(f"check it: python -m pytest test_{given.name}.py")
    print(f"use it: {TRIED[given.role].format(name=given.name)}")
    return 0


def check_name(role: str, name: str) -> None:
    """Raise DynasError for a name that is no module's, or that something else has."""
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise DynasError(
            f"'{name}' cannot be the name of a Python module: give small letters, digits and _, such as my_{role}"
        )
    group = GROUPS[role]
    if (CONFIGS / group / f"{name}.yaml").exists():
        raise DynasError(f"{group}={name} is an option of dynas already: give another name")
    if not Path(f"{name}.py").exists() and importlib.util.find_spec(name) is not None:
        raise DynasError(f"there is a Python module '{name}' already, which yours would hide: give another name")


def written_files(role: str, name: str) -> dict[Path, str]:
    """Return what is written for a part of a role: texts by their places."""
    sources = {
        Path(f"{name}.py"): f"{role}.py",
        Path("configs", GROUPS[role], f"{name}.yaml"): f"{role}.yaml",
        Path(f"test_{name}.py"): f"test_{role}.py",
    }
    return {place: renamed((TEMPLATES / source).read_text("utf-8"), role, name) for place, source in sources.items()}


def renamed(text: str, role: str, name: str) -> str:
    """Return a template in which module and class have their new names."""
    camel = "".join(word.capitalize() for word in name.split("_"))
    text = text.replace(f"dynas.templates.{role}", name)
    return re.sub(r"\bmine\b", name, re.sub(r"Mine\b", camel, text))
