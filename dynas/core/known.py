"""What is known of sub-networks before a run begins, as it was measured earlier and is the same on every device."""

from __future__ import annotations

from collections.abc import Mapping

from dynas.core.metric import Reading
from dynas.core.objectives import Values
from dynas.core.space import Genotypes

Readings = Mapping[str, Mapping[str, Reading]]  # by objective and key of the sub-network: taken over, not measured
Examples = Mapping[str, tuple[Genotypes, Values]]  # by objective: genotypes (n, G) and values (n,) to learn from


def source_column(objective: str) -> str:
    """Return the column that says where a value was taken over from; it is empty where the value was measured."""
    return f"{objective}_from"
