"""Old names of config keys work for one minor release, with a warning that says the new one."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from dynas.compose.deprecated import DEPRECATED, new_spelling
from dynas.compose.overrides import all_keys
from dynas.errors import DynasError, DynasWarning
from tests.helpers.cli import QUICK, ROOT, dynas

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def minor(version: str) -> tuple[int, int]:
    major, minor = map(int, version.split(".")[:2])
    return major, minor


@pytest.mark.parametrize("old", DEPRECATED)
def test_an_old_name_is_read_as_the_new_one_and_warned_of(old: str) -> None:
    new = DEPRECATED[old].new
    with pytest.warns(DynasWarning, match=re.escape(f"give {new}=3; the old name ends with")):
        assert new_spelling(["-m", f"{old}=3", "seed=1"]) == ["-m", f"{new}=3", "seed=1"]


@pytest.mark.parametrize("old", DEPRECATED)
def test_both_names_at_once_are_refused(old: str) -> None:
    with pytest.raises(DynasError, match="alone"):
        new_spelling([f"{old}=3", f"{DEPRECATED[old].new}=4"])


@pytest.mark.filterwarnings("error")
def test_settings_of_the_users_own_parts_keep_their_names() -> None:
    own = ["hardware=board", "hardware.precision=fp16", "groups=3"]
    assert new_spelling(own) == own
    with pytest.raises(DynasWarning):
        new_spelling(["hardware=cpu", "hardware.precision=0.1"])


def test_each_old_name_ends_with_the_release_that_the_page_tells() -> None:
    page = (ROOT / "docs" / "reference" / "stability.md").read_text()
    for old, one in DEPRECATED.items():
        assert minor(one.since) <= minor(VERSION) < minor(one.ends), f"{old} has ended: take it out"
        assert f"| `{old}` | `{one.new}` | {one.ends} |" in page


def test_a_search_takes_the_old_names(tmp_path: Path) -> None:
    old = ("group=4", "hardware.precision=0.1")
    done = dynas("search", *QUICK, *old, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "dynas: warning: group is called together since 0.2: give together=4; the old name ends" in done.stderr
    config = json.loads((tmp_path / "run" / "run.json").read_text())["config"]
    assert (config["together"], config["hardware"]["tolerance"]) == (4, 0.1)
    assert not set(all_keys(config)) & set(DEPRECATED)
