"""What machine a run was made on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "dynas",
    "torch",
    "onnx",
    "onnxruntime",
    "openvino",
    "nncf",
    "pillow",
    "numpy",
    "scipy",
    "scikit-learn",
    "pymoo",
    "moocore",
    "optuna",
    "cma",
    "hydra-core",
    "omegaconf",
)


def cpu_model() -> str:
    """Return the processor's name, or the architecture where the system does not tell."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def machine_facts() -> dict[str, object]:
    """Return processor, cores, system and Python version."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def package_versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the installed versions of packages, by default of what the results depend on."""
    versions = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions
