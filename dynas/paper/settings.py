"""A part that lists the settings of the presets, as composed; it needs no runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynas.paper.jobs import Job
from dynas.paper.parts import markdown
from dynas.paper.searches import Size
from dynas.system.files import write_csv
from dynas.system.folders import CONFIGS

SECTIONS = ("algo", "mode", "predictor")


@dataclass(frozen=True)
class Settings:
    """Algorithm, mode and predictors of every preset ``experiment=paper/...``."""

    name: str = ""

    def jobs(self, size: Size) -> list[Job]:
        """Return nothing."""
        return []

    def finish(self, size: Size, runs: Path, stem: Path) -> list[str]:
        """Write one row per setting, and a table with a row per preset."""
        composed = {path.stem: compose(path.stem) for path in sorted((CONFIGS / "experiment" / "paper").glob("*.yaml"))}
        lines = [
            [preset, section, key, value]
            for preset, sections in composed.items()
            for section, settings in sections.items()
            for key, value in settings.items()
        ]
        write_csv(stem.with_name(f"{stem.name}.csv"), ["preset", "group", "key", "value"], lines)
        rows = [
            [f"`paper/{preset}`", *(", ".join(f"{key} {value}".strip() for key, value in settings.items()) or "-"
             for settings in sections.values())]
            for preset, sections in composed.items()
        ]  # fmt: skip
        return [markdown(["preset", *SECTIONS], rows).replace("---:", "---")]


def compose(preset: str) -> dict[str, dict[str, Any]]:
    """Return the settings of a preset by group; the first one of each is the chosen class or function."""
    import hydra
    from omegaconf import OmegaConf

    from dynas.compose.frames import register

    register()
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = hydra.compose("search", overrides=[f"experiment=paper/{preset}"])
    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    own = {f"{name} by": one["predictor"] for name, one in plain["objectives"].items() if one.get("predictor")}
    found = {section: _settings(plain[section]) for section in SECTIONS}
    predicts = not plain["mode"]["_target_"].endswith("Validation")
    return {**found, "predictor": found["predictor"] | own if predicts else {}}


def _settings(section: Mapping[str, Any]) -> dict[str, Any]:
    name = str(section["_target_"]).rsplit(".", 1)[-1]
    return {name: "", **{key: value for key, value in section.items() if not key.startswith("_") and value is not None}}
