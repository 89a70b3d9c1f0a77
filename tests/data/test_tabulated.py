"""A table stands in for measuring: its models know what was measured, and say that they are models."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import build_table
import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from scipy.stats import kendalltau

from dynas.compose.frames import register
from dynas.compose.parts import build_supernet
from dynas.compose.problem import build_metric, build_problem
from dynas.data.tabulated import MODEL, RESULTS, Tabulated, find, shipped
from dynas.errors import DynasError
from dynas.hardware.lookup import LookupTable, TableLatency
from dynas.runs.examples import read_examples
from dynas.runs.load import load_run, read_objectives
from dynas.runs.record import read_run
from dynas.supernets.ncf import NcfSupernet
from dynas.system.compressed import read_bytes
from dynas.system.folders import CONFIGS
from dynas.testing import DataSuite
from tests.helpers.cli import BRIEF, QUICK, ROOT, dynas, read_rows
from tests.helpers.tables import supernet, write_table

STUDIED = ("mbv3", "ncf", "resnet50", "transformer")  # by dynas paper


@contextmanager
def composed_search(*settings: str) -> Iterator[DictConfig]:
    """Compose a search of random weights on a table."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        yield compose("search", overrides=["data=tabulated", "supernet.weights=random", *settings])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    TestTable.folder = write_table(tmp_path_factory.mktemp("table"))
    return TestTable.folder


@pytest.mark.usefixtures("table")
class TestTable(DataSuite):
    folder: Path

    @staticmethod
    def make() -> Tabulated:
        return Tabulated(str(TestTable.folder))


def test_models_tell_what_was_not_measured(table: Path) -> None:
    net, data = supernet(), Tabulated(str(table))
    genotypes = net.space.sample(200, np.random.default_rng(1))
    macs = net.macs(genotypes)
    top1, latency = (data.replaces[name].count(net, genotypes) for name in ("top1", "latency"))
    np.testing.assert_allclose(top1, 50 + 10 * np.log10(macs / 1e5), atol=1.0)
    np.testing.assert_allclose(latency, macs / 1e6, rtol=0.15)
    (alone,) = data.replaces["top1"].count(net, genotypes[:1])
    assert alone == pytest.approx(top1[0], abs=2e-6), "whatever it is asked together with"


def test_models_say_that_they_are(table: Path) -> None:
    top1, latency = (Tabulated(str(table)).replaces[name] for name in ("top1", "latency"))
    assert (top1.unit, latency.unit) == ("%, modelled", "ms, modelled")
    assert not top1.exact, "a search has to predict it"
    assert top1.note.startswith("top1 is a model's estimate fitted to 90 measured sub-networks (cross-validated error ")
    assert top1.note.endswith("measured nowhere), not a measurement")


def test_a_table_of_another_space_is_refused(table: Path) -> None:
    ncf = NcfSupernet("random", 10, 20, [8, 16], [8, 16], 2)
    with pytest.raises(DynasError, match=r"of another search space \(ks, e, d\) than that of the supernet \(mlp"):
        Tabulated(str(table)).replaces["top1"].count(ncf, ncf.space.smallest()[None])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ("precision=int8",),
            "the values of top1 are those of sub-networks in fp32, the search asks for int8: give precision=fp32",
        ),
        (
            ("hardware=openvino",),
            "the table's latency was measured by dynas.hardware.cpu.TorchCpuMeter, not by "
            "dynas.hardware.openvino.OpenVinoMeter: give that hardware, or data to measure on",
        ),
        (
            ("hardware.batch_size=1",),
            "the table's latency was measured with hardware.batch_size=32: give that, or data",
        ),
    ],
)
def test_a_table_of_another_target_is_refused(table: Path, settings: tuple[str, ...], message: str) -> None:
    with (
        composed_search(f"data.path={table}", *settings) as config,
        pytest.raises(DynasError, match=re.escape(message)),
    ):
        build_problem(config)


def test_latencies_of_hardware_that_is_asked_for_go_before_those_of_the_table(table: Path) -> None:
    with composed_search() as config:
        own = build_metric(config, "latency", Tabulated(str(table)), LookupTable("note10", 1.2))
    assert isinstance(own, TableLatency)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (MODEL, b"{}", "is no table written by scripts/assets/build_table.py: KeyError('task')"),
        (MODEL, b"[1", "is no table written by scripts/assets/build_table.py"),
        (RESULTS, b"top1", "cannot read"),
        (RESULTS, lzma.compress(b"top1\n1\n"), "is no table written by scripts/assets/build_table.py: KeyError("),
    ],
)
def test_a_broken_table_is_refused(table: Path, name: str, content: bytes, message: str, tmp_path: Path) -> None:
    for one in (MODEL, RESULTS):
        (tmp_path / one).write_bytes((table / one).read_bytes())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DynasError) as refused:
        Tabulated(str(tmp_path))
    assert message in str(refused.value)


def test_a_folder_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DynasError, match=r"no table '.*results\.csv\.xz'"):
        Tabulated(str(tmp_path))


def test_a_table_that_does_not_exist_is_refused_with_those_that_do() -> None:
    known = ", ".join(shipped())
    with pytest.raises(DynasError, match=rf"data\.path=mbv4: give {known}, or the folder of a table"):
        Tabulated("mbv4")


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_table_is_of_the_embedded_weights(name: str) -> None:
    """Weights that are trained anew need a table that is measured anew."""
    register()
    facts = read_run(find(name))
    supernet, precision = (facts["choices"][key] for key in ("supernet", "precision"))
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        net = build_supernet(compose("search", overrides=[f"supernet={supernet}"]))
    assert facts["weights_sha256"] == net.weights_digest
    assert name == (supernet if precision == "fp32" else f"{supernet}_{precision}")
    objectives = read_objectives(find(name), facts)
    genotypes, values = read_examples(find(name), net.space, objectives)
    assert len(genotypes) >= (1500 if name in STUDIED else 300), "as the paper's study of predictors needs"
    data = Tabulated(name)
    assert all(one.precision == precision for one in data.replaces.values())
    for column, objective in enumerate(objectives):
        modelled = data.replaces[objective.name].count(net, genotypes[:300])
        assert kendalltau(modelled, values[:300, column]).statistic > 0.6


@pytest.mark.parametrize("name", shipped())
def test_the_page_tells_how_well_a_shipped_table_is_modelled(name: str) -> None:
    model = json.loads((find(name) / MODEL).read_text())
    facts = read_run(find(name))
    rows = len(read_bytes(find(name) / RESULTS).splitlines()) - 1
    found = model["objectives"]
    quality, latency = (
        f"{one['mape']:.2f} %, {one['kendall_tau']:.3f}" for one in (found[model["quality"]], found["latency"])
    )
    place = f"{facts['machine']['cpu']}, {facts['started'][:10]}"
    row = f"| `{name}` | {rows:,} | {model['quality']}: {quality} | {latency} | {place} |"
    assert row in (ROOT / "docs" / "supernets" / "landscape.md").read_text()


@pytest.mark.slow
def test_a_search_becomes_a_table_and_the_table_is_searched(tmp_path: Path) -> None:
    random = ("mode=validation", "algo=random", "algo.draw=genes", "algo.population=12")
    measured = [one for one in QUICK if not one.startswith(("objectives", "mode", "algo"))]
    done = dynas("search", *measured, *random, *BRIEF, "confirm=0", "hydra.run.dir=measured", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    facts = build_table.model(load_run(tmp_path / "measured"))
    assert facts["objectives"]["latency"]["measured"].endswith("batch of 1, 1 thread")
    folder = tmp_path / "table"
    folder.mkdir()
    (folder / RESULTS).write_bytes(lzma.compress((tmp_path / "measured" / "results.csv").read_bytes()))
    (folder / MODEL).write_text(json.dumps(facts))
    searched = dynas(
        "search", "data=tabulated", "data.path=table", "hardware.batch_size=1", "budget=12", "mode.start_size=6",
        "mode.population=6",
        "algo.population=6", "mode.predicted_evaluations=100", "hydra.run.dir=searched", cwd=tmp_path,
    )  # fmt: skip
    assert searched.returncode == 0, searched.stderr
    assert {"top1 [%, modelled]", "latency [ms, modelled]"} <= read_rows(tmp_path / "searched")[0].keys()
    assert "latency is a model's estimate fitted to 12 measured sub-networks" in searched.stdout
    assert "\nlatency: batch of" not in searched.stdout, "nothing was timed"
    refused = dynas(
        "search", "data=tabulated", "data.path=table", "hardware.batch_size=1", "supernet=resnet50", cwd=tmp_path
    )
    assert refused.returncode == 1
    assert "of another search space (ks, e, d) than that of the supernet (d, e, w)" in refused.stderr
    exported = dynas("export", "searched", "--row", "1", cwd=tmp_path)
    assert exported.returncode == 1
    assert "Tabulated holds no images: measure the sub-network on data that do" in exported.stderr
