"""Whether a run goes on with what it began with: weights, data, latency table, machine and packages."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynas.errors import DynasError, DynasWarning
from dynas.runs.record import trained_anew
from dynas.system.own_code import own_code_digest

if TYPE_CHECKING:
    from dynas.metrics.measurer import Measurer

DIGESTS = {  # of run.json
    "weights_sha256": "weights", "data_sha256": "data", "hardware_sha256": "latency table",
    "known_sha256": "known qualities",
}  # fmt: skip


def origin_facts(measurer: Measurer) -> dict[str, Any]:
    """Return what run.json says of what measures sub-networks, and of the files that it reads."""
    return {
        "notes": list(measurer.notes),
        "weights_sha256": measurer.bench.supernet.weights_digest,
        "data_sha256": measurer.bench.data.digest,
        "hardware_sha256": measurer.bench.meter.digest,
        "code_sha256": own_code_digest(),
        "hardware": dict(measurer.bench.meter.facts),
    }


def check_same_origin(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any], advice: str = "") -> None:
    """Check that what a run goes on with is what it began with.

    Args:
        folder: the run folder.
        before: what its run.json says.
        now: what it would say of a run that began now.
        advice: what else a new run offers.

    Raises:
        DynasError: weights, data, latency table or known qualities are not those that it began with.

    Warns:
        DynasWarning: processor or versions of packages are others.
    """
    for key, what in DIGESTS.items():
        if (own := before.get(key)) and own != now.get(key):
            raise DynasError(
                f"'{folder}' was begun with other {what} (SHA-256 {own[:8]}, now {str(now.get(key))[:8]}): give "
                f"these back, or start a new run{advice}{trained_anew(before, folder) if what == 'weights' else ''}"
            )
    if changed := [*_changed(before, now, "machine", ["cpu"]), *_changed(before, now, "versions", now["versions"])]:
        warnings.warn(
            f"'{folder}' was begun with {', '.join(changed)}: what comes now may differ from what it holds",
            DynasWarning,
            stacklevel=2,
        )


def _changed(before: Mapping[str, Any], now: Mapping[str, Any], section: str, keys: Iterable[str]) -> list[str]:
    """Return which facts of a section of run.json are others now, in words."""
    earlier = before.get(section) or {}
    return [
        f"{key} {earlier[key]} (now {now[section][key]})"
        for key in keys
        if key in earlier and earlier[key] != now[section][key]
    ]
