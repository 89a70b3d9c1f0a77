"""What machine a run was made on."""

from __future__ import annotations

import math
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


BFLOAT16 = {"avx512_bf16", "amx_bf16"}  # the names that Linux has for them


def cpu_model() -> str:
    """Return the processor's name, or the architecture where the system does not tell."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def multiplies_bfloat16() -> bool:
    """Return whether the processor has instructions for products in bfloat16, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.is_file() else ""
    return any(not BFLOAT16.isdisjoint(line.split()) for line in text.splitlines() if line.startswith("flags"))


def available_cores() -> int:
    """Return how many cores this process may use: what its affinity and its control groups (version 2) leave it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.floor(min(cores, *cgroup_quotas())))


def cgroup_quotas(root: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> list[float]:
    """Return the processors that each control group above this process grants it; infinite where there is no limit."""
    quotas = [math.inf]
    own = next((line[3:] for line in (read(membership) or "").splitlines() if line.startswith("0::")), "/")
    folder = root / own.strip("/")
    for group in (folder, *folder.parents):
        quota, _, period = (read(group / "cpu.max") or "max").partition(" ")
        if quota != "max":
            quotas.append(int(quota) / int(period))
        if group == root:
            break
    return quotas


def read(path: Path) -> str | None:
    """Return the text of a file of the system, None where it cannot be read."""
    try:
        return path.read_text().strip()
    except OSError:
        return None


def machine_facts() -> dict[str, object]:
    """Return processor, cores, system and Python version; None for what the system does not tell.

    ``cores_available`` are those that this process may use; ``governor`` is what chooses the clock rate, and ``smt``
    whether two threads share a core.
    """
    cpu = Path("/sys/devices/system/cpu")
    smt = read(cpu / "smt/active")
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "cores_available": available_cores(),
        "smt": None if smt is None else smt == "1",
        "governor": read(cpu / "cpu0/cpufreq/scaling_governor"),
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
