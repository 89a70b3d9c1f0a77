"""The built wheel gives a working ``dynas`` in another environment and another folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.helpers.cli import QUICK, ROOT

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(out),
        str(ROOT),
    ]
    subprocess.run(build, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_ships_configs_weights_and_data(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = [
        "dynas/configs/search.yaml",
        "dynas/configs/algo/nsga2.yaml",
        "dynas/supernets/embedded/mbv3.safetensors",
        "dynas/supernets/embedded/mbv3.md",
        "dynas/report/page/page.css",
        "dynas/report/page/page.js",
        "dynas/supernets/embedded/resnet50.safetensors",
        "dynas/supernets/embedded/resnet50.md",
        "dynas/supernets/embedded/bootstrap_resnet50.safetensors",
        "dynas/supernets/embedded/bootstrap_resnet50.md",
        "dynas/supernets/embedded/proxyless.safetensors",
        "dynas/supernets/embedded/proxyless.md",
        "dynas/supernets/embedded/transformer.safetensors",
        "dynas/supernets/embedded/transformer.md",
        "dynas/supernets/embedded/bert.safetensors",
        "dynas/supernets/embedded/bert.md",
        "dynas/supernets/embedded/bert_LICENCE",
        "dynas/supernets/embedded/vit.safetensors",
        "dynas/supernets/embedded/vit.md",
        "dynas/configs/data/imagenet.yaml",
        "dynas/configs/data/imagenet_surrogate.yaml",
        "dynas/configs/hardware/note10.yaml",
        "dynas/configs/hydra/base/timing.yaml",
        "dynas/configs/recipe/transformer.yaml",
        "dynas/data/embedded/imagenet_surrogate.json",
        "dynas/hardware/lut/tables/note10.csv",
        "dynas/data/embedded/fashion_mnist/LICENCE",
        "dynas/configs/data/movielens.yaml",
        "dynas/configs/data/simulated_choices.yaml",
        "dynas/data/embedded/simulated_choices/LICENCE",
        "dynas/data/embedded/simulated_choices/choices.csv.xz",
        "dynas/data/embedded/phrases/LICENCE",
        "dynas/data/embedded/phrases/train.tsv.xz",
        "dynas/data/embedded/phrases/validation.tsv.xz",
        "dynas/data/embedded/phrases/codes.txt",
        "dynas/data/embedded/phrases/dictionary.txt",
        "dynas/data/embedded/fashion_mnist/t10k-images-idx3-ubyte.gz",
    ]
    assert [name for name in wanted if name not in names] == []
    assert not [name for name in names if name.startswith(("tests/", "scripts/"))]


def test_every_file_that_is_no_code_has_one_row_in_the_table_of_licences(wheel: Path) -> None:
    files = [name.removeprefix("dynas/") for name in zipfile.ZipFile(wheel).namelist() if name.startswith("dynas/")]
    code = (".py", "_template.txt", ".yaml", ".css", ".js", "py.typed", "/")
    assets = [name for name in files if not name.endswith(code)]
    page = (ROOT / "docs" / "reference" / "licences.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \|[^|]+\|[^|]+\|[^|]+\|$", page, flags=re.MULTILINE)
    found = {name: [row for row in rows if fnmatch(name, row)] for name in assets}
    assert {name: matching for name, matching in found.items() if len(matching) != 1} == {}
    assert [row for row in rows if not any(fnmatch(name, row) for name in assets)] == []


def test_nothing_of_movielens_is_in_it_and_its_licences_are_named(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    names = archive.namelist()
    assert [name for name in names if "movielens" in name and not name.endswith((".py", ".yaml"))] == []
    (metadata,) = (archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    named = re.findall(r"^License-File: (.*)$", metadata, flags=re.MULTILINE)
    folders = {name for name in names if name.startswith("dynas/") and name.endswith(("/LICENCE", "_LICENCE"))}
    assert set(named) == {"LICENSE", "LICENSE_THIRD_PARTY", *folders}
    assert all(any(name.endswith(f".dist-info/licenses/{one}") for name in names) for one in named)
    assert "License-Expression: MIT AND Apache-2.0 AND Unicode-3.0 AND LicenseRef-Brown-Corpus" in metadata


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel in it."""
    environment = tmp_path_factory.mktemp("installed") / "environment"
    # system-site-packages of this very environment would hide a missing file, so only its libraries are lent
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    libraries = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    site = next((environment / "lib").glob("python*/site-packages"))
    (site / "lent.pth").write_text(f"{libraries}\n")
    return environment / "bin"


def run(command: list[str], folder: Path) -> str:
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_installed_command_searches_from_another_folder(installed: Path, tmp_path: Path) -> None:
    run([str(installed / "dynas"), "search", *QUICK, "hydra.run.dir=run"], tmp_path)
    where = run([str(installed / "python"), "-c", "import dynas; print(dynas.__file__)"], tmp_path)
    assert str(installed.parent) in where
    assert (tmp_path / "run" / "results.csv").read_text().count("\n") == 13


def test_the_installed_command_finds_a_users_own_parts(installed: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "tests" / "helpers" / "own", tmp_path / "own")
    own = ["--config-dir", "configs", "supernet=perceptrons", "algo=in_order", "predictor=mean"]
    more = ["objectives=[confidence,macs]", "mode=validation", "budget=4", "hydra.run.dir=run"]
    run([str(installed / "dynas"), "search", *own, *more], folder)
    assert (folder / "run" / "results.csv").read_text().count("\n") == 5


def test_the_installed_package_searches_a_function(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)[0])
    assert "quality [%]" in run([str(installed / "python"), "example.py"], tmp_path)
