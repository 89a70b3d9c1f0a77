"""What a release is made of agrees: versions, Pythons, and the files that workflows and settings name."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml

from tests.helpers.cli import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text())
STEPS = [step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step]


def test_every_file_tells_the_same_version() -> None:
    movielens = tomllib.loads((ROOT / "packages" / "dynas-movielens" / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    newest = re.search(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert newest is not None
    assert {PROJECT["version"], movielens["version"], citation["version"], newest[1]} == {PROJECT["version"]}
    supported = (ROOT / "SECURITY.md").read_text()
    assert f"| {PROJECT['version'].rpartition('.')[0]}.x | yes |" in supported


def test_every_python_that_is_promised_is_tested() -> None:
    promised = [one.rpartition(" ")[2] for one in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", one)]
    assert WORKFLOW["jobs"]["tests"]["strategy"]["matrix"]["python"] == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"


def test_the_workflow_does_what_a_release_needs() -> None:
    assert {"lint", "types", "tests", "lowest", "wheel", "docs"} <= set(WORKFLOW["jobs"])
    for script in re.findall(r"scripts/[\w/.]+", " ".join(STEPS)):
        assert (ROOT / script).stat().st_mode & 0o111, script
    for folder in re.findall(r"(?<=\s)tests/\w+", " ".join(STEPS)):
        assert (ROOT / folder).is_dir(), folder


@pytest.mark.parametrize("name", ["pyproject.toml", "CITATION.cff", "CONTRIBUTING.md", "Dockerfile"])
def test_nobody_is_invented_and_no_address_is_left_to_be_filled_in(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.search(r"TODO|example\.(com|org)|@[\w.-]+\.\w{2,}", text)


def test_the_hooks_run_what_scripts_test_runs() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][1]["hooks"]
    script = (ROOT / "scripts" / "test").read_text()
    for hook in hooks:
        tool = hook["entry"].split()[0].rpartition("/")[2]
        assert f'"$bin/{tool}"' in script, tool
