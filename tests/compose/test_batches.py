"""A latency is stated for the supernet's own batches, on every hardware, unless the config says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from dynas.compose.frames import register
from dynas.compose.parts import build_meter, build_supernet
from dynas.system.folders import CONFIGS


@pytest.fixture
def own(tmp_path: Path) -> str:
    """A folder with a hardware option of a user's own."""
    (tmp_path / "hardware").mkdir()
    (tmp_path / "hardware" / "mine.yaml").write_text("defaults:\n  - cpu\n  - _self_\nmax_repeats: 30\n")
    return f"hydra.searchpath=[file://{tmp_path}]"


@pytest.mark.parametrize(
    ("supernet", "more", "samples"),
    [
        ("mbv3", (), 32),
        ("ncf", (), 100),
        ("transformer", (), 1),
        ("mbv3", ("hardware.batch_size=7",), 7),
        ("ncf", ("hardware.batch_size=7",), 7),
        ("ncf", ("supernet.latency_batch=5",), 5),
        ("ncf", ("supernet.latency_batch=null",), 32),
    ],
)
def test_the_supernet_says_how_many_samples_and_the_hardware_has_the_last_word(
    supernet: str, more: tuple[str, ...], samples: int, own: str
) -> None:
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        overrides = [f"supernet={supernet}", "supernet.weights=random", "hardware=mine", own, *more]
        config = compose("search", overrides=overrides)
    assert build_meter(config, build_supernet(config)).batch_size == samples
