"""Write docs/reference/config.md: every config group, option and key, as the files in configs/ say.

python scripts/dev/build_config_page.py
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGS, PAGE = ROOT / "configs", ROOT / "docs" / "reference" / "config.md"
KEY = re.compile(r"^( *)([^\s#:-][^:]*):(?: +([^#\s].*?))?(?: +#\s*(.*))?$")
OVERRIDE = re.compile(r"^ *- override /(\w+): (\S+)")
BELOW = re.compile(r"^ +#\s*(.*)$")
SKIPPED = ("_target_", "_partial_", "defaults", "hydra")
INTRO = """\
# Config groups and keys

<!-- written by scripts/dev/build_config_page.py -->

    dynas search --help            # the groups and their options
    dynas search --cfg job         # the composed config; every line of it can be overridden
    dynas search hardware.batch_size=1 supernet=proxyless

`null` leaves a choice to the program. `???` has to be given. A key of a group is written `group.key=value`.

"""


@dataclass
class Described:
    """What a config file says of itself.

    Attributes:
        about: its first comment.
        brings: options of other groups that it chooses.
        keys: name, default and comment of each.
    """

    about: str = ""
    brings: list[str] = field(default_factory=list)
    keys: list[list[str]] = field(default_factory=list)


def described(path: Path) -> Described:
    """Read the comments, choices and keys of a file."""
    found, above, parents, skipping = Described(), [], [(-1, "")], -1
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            above += [line.lstrip("# ").strip()] if not found.keys and "@package" not in line else []
        elif override := OVERRIDE.match(line):
            found.brings.append("=".join(override.groups()))
        elif key := KEY.match(line):
            indent, name = len(key[1]), key[2].strip()
            if 0 <= skipping < indent:
                continue
            skipping = indent if name in SKIPPED else -1
            parents = [one for one in parents if one[0] < indent]
            if name not in SKIPPED:
                full = ".".join([*(one for _, one in parents if one), name])
                found.keys.append([full, (key[3] or "").strip(), key[4] or ""])
                parents.append((indent, name))
        elif (more := BELOW.match(line)) and found.keys:
            found.keys[-1][2] += f" {more[1]}"
    found.about = " ".join(above)
    found.keys = [row for row in found.keys if row[1] or row[2]]
    return found


def cell(text: str) -> str:
    """Return a text as the cell of a table."""
    return text.replace("|", "\\|")


def table(keys: list[list[str]]) -> list[str]:
    """Return keys, defaults and comments as a table."""
    rows = [
        f"| `{cell(key)}` | {f'`{cell(value)}`' if value else ''} | {cell(comment)} |" for key, value, comment in keys
    ]
    return ["| key | default | what |", "| --- | --- | --- |", *rows, ""] if rows else []


def section(title: str, path: Path) -> list[str]:
    """Return the part of the page about one file."""
    found = described(path)
    brings = [f"Brings {', '.join(f'`{one}`' for one in found.brings)}.", ""] if found.brings else []
    return [title, "", *([found.about, ""] if found.about else []), *brings, *table(found.keys)]


def page() -> str:
    """Return the whole page."""
    lines: list[str] = []
    for path in sorted(CONFIGS.glob("*.yaml")):
        lines += section(f"## dynas {path.stem.replace('_', ' ')}", path)
    for folder in sorted(path for path in CONFIGS.iterdir() if path.is_dir() and path.name != "hydra"):
        lines += [f"## {folder.name}", ""]
        for path in sorted(folder.rglob("*.yaml")):
            lines += section(f"### `{folder.name}={path.relative_to(folder).with_suffix('').as_posix()}`", path)
    lines += ["## Shared by several", ""]
    for path in sorted((CONFIGS / "hydra" / "base").glob("*.yaml")):
        lines += section(f"### hydra/base/{path.stem}", path)
    return INTRO + "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
