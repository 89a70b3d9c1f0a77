"""What is printed to type next holds what the job was given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from dynas.compose.frames import register
from dynas.compose.next_command import PARTS, next_command, resume_command
from dynas.system.folders import CONFIGS


@contextmanager
def job(command: str, *overrides: str) -> Iterator[None]:
    """Be in a job that was started with overrides."""
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose(command, overrides=list(overrides), return_hydra_config=True)
    instance = HydraConfig.instance()
    before = instance.cfg
    try:
        instance.set_config(config)
        yield
    finally:
        instance.cfg = before


def test_parts_are_repeated_and_the_rest_is_not() -> None:
    with job("lut_check", "supernet=vit", "supernet.patch=14", "table=mine.csv", "examples=4", "hardware.threads=1"):
        assert next_command("search", "hardware=lut", only=PARTS) == (
            "dynas search hardware=lut supernet=vit supernet.patch=14"
        )
        assert next_command("lut check", without=("table", "examples", "hardware.threads")) == (
            "dynas lut check supernet=vit supernet.patch=14"
        )


def test_what_names_code_is_repeated_to_go_on() -> None:
    with job("search", "supernet=prune", "supernet.model=mine:network", "budget=9"):
        assert resume_command("search", Path("a run")) == "dynas search 'resume=a run' supernet.model=mine:network"
