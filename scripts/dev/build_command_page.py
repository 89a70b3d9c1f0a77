"""Write docs/reference/commands.md: every command, as its --help tells.

python scripts/dev/build_command_page.py
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from unittest import mock

import yaml

from dynas.cli import COMMANDS, HELP, main

ROOT = Path(__file__).parents[2]
HELPS, PAGE = ROOT / "configs" / "hydra" / "help", ROOT / "docs" / "reference" / "commands.md"
INTRO = """\
# Commands

<!-- written by scripts/dev/build_command_page.py -->

Commands with overrides compose [config groups](config.md), which their `--help` lists, too. The others take options.

All exit with 0 when they are done, with 1 when they refuse or fail, and with 130 after Ctrl-C.
"""


def printed(arguments: list[str]) -> str:
    """Return what a command prints on a screen of 100 columns."""
    screen = io.StringIO()
    columns = mock.patch.dict(os.environ, COLUMNS="100")
    with columns, contextlib.redirect_stdout(screen), contextlib.suppress(SystemExit):
        main(arguments)
    return screen.getvalue().strip()


def composed(path: Path) -> str:
    """Return what the help of a command with config groups says beside groups and keys."""
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    return f"{said['header']}\n\n{said['footer'].rstrip()}".replace("$$", "$")


def page() -> str:
    """Return the whole page."""
    texts = {"dynas": HELP}
    for name in COMMANDS:
        helps = sorted(path for path in HELPS.glob("*.yaml") if path.stem.split("_")[0] == name)
        if path := next((one for one in helps if one.stem == name), None):
            texts[f"dynas {name}"] = composed(path)
        else:
            texts[f"dynas {name}"] = printed([name, "--help"])
            texts |= {f"dynas {one.stem.replace('_', ' ')}": composed(one) for one in helps}
    parts = [f"## `{name}`\n\n```text\n{text}\n```\n" for name, text in texts.items()]
    return "\n".join([INTRO, *parts])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
