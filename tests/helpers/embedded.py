"""What measures the networks that lie in the package."""

from __future__ import annotations

from hydra import compose, initialize_config_dir

from dynas.compose.build import build_problem
from dynas.compose.frames import register
from dynas.metrics.measurer import Measurer
from dynas.system.folders import CONFIGS


def measurer_of(*overrides: str) -> Measurer:
    """Return what measures with the config of a search."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        _, measurer = build_problem(compose("search", overrides=list(overrides)))
    return measurer
