"""What every export format promises (see `dynas.export.formats.Format`)."""

from __future__ import annotations

import ast
import logging
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from dynas.export.formats import Format
from dynas.export.network import Network

ONLY = 3  # the batch size of a network that takes no other


class FormatSuite:
    """Checks an export format; subclass it in a test module and say which format, and how a network is made.

    Attributes:
        form: the format, such as a module with the names that `Format` lists.
        make_network: returns a small network, the same one every time.
    """

    form: Format
    make_network: Callable[[], Network]

    @property
    def allowed(self) -> float:
        """How far outputs may be: as far as the format says, or as the largest of them where quality decides."""
        return 1.0 if self.form.TOLERANCE is None else self.form.TOLERANCE

    @pytest.fixture
    def network(self) -> Network:
        """Return a network, where what the format needs is installed."""
        if missing := [package for package in self.form.PACKAGES if find_spec(package) is None]:
            pytest.skip(f"{', '.join(missing)} is not installed")
        return self.make_network()

    def test_it_says_how_its_files_are_loaded(self) -> None:
        """Check that this is one line of Python."""
        assert len(self.form.USE.splitlines()) == 1
        ast.parse(self.form.USE)

    def test_it_takes_the_network(self, network: Network) -> None:
        """Check that nothing is in the way."""
        assert self.form.TASK in ("", network.supernet.task)
        assert self.form.refusal(network) is None

    def test_it_names_files_and_packages(self) -> None:
        """Check that they are names, the files' without folders."""
        assert self.form.FILES
        assert len(set(self.form.FILES)) == len(self.form.FILES)
        assert all(Path(name).name == name for name in self.form.FILES)
        assert all(isinstance(name, str) and name for name in self.form.PACKAGES)

    def test_the_files_compute_what_the_network_computes(
        self, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Check the names of the files, and that they run for several batch sizes, wherever they are moved to."""
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        saved, moved = tmp_path / "saved", tmp_path / "moved"
        saved.mkdir()
        self.form.save(network, saved)
        assert {path.name for path in saved.iterdir()} == set(self.form.FILES)
        assert not list((tmp_path / "here").iterdir()), "nothing is written elsewhere"
        saved.rename(moved)
        monkeypatch.chdir(tmp_path)
        assert len(network.sizes) > 1
        assert self.form.difference(network, moved) <= self.allowed

    def test_a_folder_may_be_given_from_where_one_is(
        self, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Check a relative path, with a network that takes one batch size only."""
        only = replace(network, batch_size=ONLY)
        monkeypatch.chdir(tmp_path)
        Path("saved").mkdir()
        self.form.save(only, Path("saved"))
        assert self.form.difference(only, Path("saved")) <= self.allowed

    def test_saving_leaves_the_network_as_it_is(
        self, network: Network, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Check weights and mode, and that nobody is warned of anything."""
        before = {name: value.clone() for name, value in network.module.state_dict().items()}
        self.form.save(network, tmp_path)
        assert not any(module.training for module in network.module.modules())
        for name, value in network.module.state_dict().items():
            assert torch.equal(value, before[name]), name
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
