"""Writes requirements/*.txt: what a clone installs, with the hashes of all files of each pinned release.

usage: scripts/dev/lock.py   (in an environment that holds the pinned packages; after a change of constraints.txt)

constraints.txt says which releases; the installed packages' own metadata say which of them are needed to build and to
run, the others are for tests and scripts. torch is pinned but not hashed: of one release there are builds for CPUs and
for GPUs, and which one is right depends on the machine.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
import urllib.request
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
BUILD = ("hatchling", "setuptools", "editables")
UNHASHED = ("torch",)
PYTHONS, MACHINES = ("3.11", "3.12", "3.13"), ("x86_64", "aarch64")


def plain(name: str) -> str:
    """Return a package's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    """Return the release of each package in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {plain(name): release for name, release in (line.split("==") for line in lines if "==" in line)}


def needed(requirement: Requirement, extras: Iterable[str]) -> bool:
    """Return whether a requirement holds on any of the Pythons and machines, with any of the extras."""
    return requirement.marker is None or any(
        requirement.marker.evaluate({"python_version": python, "platform_machine": machine, "extra": extra})
        for python in PYTHONS
        for machine in MACHINES
        for extra in ("", *extras)
    )


def requirements(package: str) -> list[str]:
    """Return what a package says that it needs, with markers; nothing where it is not installed."""
    if package == "dynas":  # the file, not what an earlier installation knew
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        extras = project["optional-dependencies"]
        more = [f"{plain_line}; extra == '{name}'" for name, lines in extras.items() for plain_line in lines]
        return [*project["dependencies"], *more]
    try:
        return requires(package) or []
    except PackageNotFoundError:
        return []  # needed on another Python or machine only


def closure(package: str, extras: Iterable[str] = (), known: set[tuple[str, str]] | None = None) -> Iterator[str]:
    """Yield what a package needs, and what that needs in turn; may repeat itself."""
    known = set() if known is None else known
    for requirement in map(Requirement, requirements(package)):
        key = plain(requirement.name), ",".join(sorted(requirement.extras))
        if needed(requirement, extras) and key not in known:
            known.add(key)
            if key[0] != package:
                yield key[0]
            yield from closure(key[0], requirement.extras, known)


def hashes(name: str, release: str) -> list[str]:
    """Return the SHA-256 of every file of a release that is not yanked."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(f"{INDEX}/{name}/", headers=accept), timeout=60) as answer:
        files = json.load(answer)["files"]
    of_release = re.compile(rf"{name.replace('-', '[-_.]+')}-{re.escape(release)}(-|\.tar|\.zip)", re.IGNORECASE)
    found = {file["hashes"]["sha256"] for file in files if of_release.match(file["filename"]) and not file["yanked"]}
    if not found:
        raise SystemExit(f"{name} {release} has no files in the index")
    return sorted(found)


def write(name: str, about: str, packages: Iterable[str], pinned: dict[str, str], includes: str = "") -> None:
    """Write a file of requirements."""
    lines = [f"# {about}; written by scripts/dev/lock.py.", *([f"-r {includes}"] if includes else [])]
    for package in sorted(set(packages) - set(UNHASHED)):
        files = hashes(package, pinned[package])
        lines += [f"{package}=={pinned[package]} \\", *(f"    --hash=sha256:{digest} \\" for digest in files)]
        lines[-1] = lines[-1].removesuffix(" \\")
    (ROOT / "requirements").mkdir(exist_ok=True)
    (ROOT / "requirements" / name).write_text("\n".join(lines) + "\n")


def main() -> None:
    """Write the files."""
    pinned = pins()
    build = {*BUILD, *(one for name in BUILD for one in closure(name))}
    run = set(closure("dynas")) - build
    dev = set(pinned) - run - build
    for name in sorted({*build, *run} - set(pinned)):
        raise SystemExit(f"constraints.txt does not pin {name}")
    write("build.txt", "What builds packages", build, pinned)
    write("run.txt", "What dynas runs with", run, pinned)
    write("dev.txt", "What the tests need besides", dev, pinned, "run.txt")


if __name__ == "__main__":
    main()
