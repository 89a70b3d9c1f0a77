"""The notebook of the documentation does what it shows."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
import torch
from nbclient import NotebookClient

from tests.helpers.cli import ROOT

pytestmark = pytest.mark.slow

NOTEBOOK = ROOT / "docs" / "guide" / "notebook.ipynb"


def test_ten_cells_lead_to_a_front_and_a_torch_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert len(notebook.cells) == 10
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not kept: they differ by machine"
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources)
    client.execute()
    shown = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    assert "sub-networks are on the front" in shown["cell-5"][0].data["text/html"]
    assert "image/png" in shown["cell-6"][0].data
    module = torch.export.load(tmp_path / "best.pt2").module()
    assert module(torch.zeros(8, 1, 28, 56)).shape == (8, 100)
    assert (tmp_path / "outputs" / "notebook" / "results.csv").is_file()
