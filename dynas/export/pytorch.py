"""Weights as safetensors, and a Python file that loads them: needs dynas, but neither trained supernet nor data."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from safetensors.torch import save_model

from dynas.export.network import Network, Tensors, run, worst_difference

WEIGHTS, LOADER = "model.safetensors", "load.py"
FILES: tuple[str, ...] = (WEIGHTS, LOADER)
PACKAGES: tuple[str, ...] = ()
EXTRA, TASK, PRECISION = "", "", "fp32"  # for networks of any task
TOLERANCE: float | None = 1e-4
USE = "from load import load; network = load()"
TEMPLATE = '''"""Loads the sub-network that lies beside this file; its layers come from dynas, its weights from here."""

from pathlib import Path

from hydra.utils import instantiate
from safetensors.torch import load_model

SUPERNET = {supernet}
ARCHITECTURE = {architecture}


def load(folder=Path(__file__).parent):
    """Return the network in eval mode."""
    network = instantiate(SUPERNET, _convert_="all").subnet(ARCHITECTURE)
    load_model(network, folder / "{weights}")
    return network.eval()
'''


def refusal(network: Network) -> str | None:
    """Return why a network cannot be written in this format: where no config says how its layers are made."""
    if "_target_" in network.config.get("supernet", {}):
        return None
    return "its supernet was given as an object, and its files would have to make it anew"


def save(network: Network, folder: Path) -> None:
    """Write the weights, and a loader that takes the layers from an untrained supernet of the same shape."""
    supernet = dict(network.config["supernet"])
    if "weights" in supernet:
        supernet |= {"weights": "random", **network.supernet.inferred}
    save_model(network.module, str(folder / WEIGHTS))
    text = TEMPLATE.format(supernet=_literal(supernet), architecture=_literal(network.architecture), weights=WEIGHTS)
    (folder / LOADER).write_text(text, encoding="utf-8")
    shutil.copymode(folder / LOADER, folder / WEIGHTS)  # safetensors lets nobody but their owner read its files


def _literal(mapping: Mapping[str, object]) -> str:
    """Return a mapping as Python source, an item a line."""
    return "{\n" + "".join(f"    {key!r}: {value!r},\n" for key, value in mapping.items()) + "}"


def load(folder: Path) -> Callable[[Tensors], Tensors]:
    """Return the network that the files give."""
    return partial(run, runpy.run_path(str(folder / LOADER))["load"]())


def difference(network: Network, folder: Path) -> float:
    """Return the largest difference between what files and network compute, as a share of the largest output."""
    return worst_difference(network, load(folder))
