"""Where the package keeps its configs."""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent / "configs"
CONFIGS = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parent.parent / "configs"
