"""How far two orders of the same things agree."""

from __future__ import annotations

import numpy as np

from dynas.core.objectives import Values

TOGETHER = 256  # rows that are compared with all at once


def kendall_tau(first: Values, second: Values) -> float:
    """Return Kendall's tau-b of values ``(n,)``: 1 for the same order, -1 for the opposite; NaN where one has none.

    Kendall 1945 (doi 10.1093/biomet/33.3.239). The same number as `scipy.stats.kendalltau`, whose import alone takes
    more memory than a large run.
    """
    agreeing = untied_first = untied_second = 0
    for start in range(0, len(first), TOGETHER):
        one, other = first[start : start + TOGETHER, None], second[start : start + TOGETHER, None]
        above = one > first
        agreeing += int((above & (other > second)).sum()) - int((above & (other < second)).sum())
        untied_first += int(above.sum())
        untied_second += int((other > second).sum())
    if not untied_first or not untied_second:
        return float("nan")
    return float(np.clip(agreeing / np.sqrt(untied_first) / np.sqrt(untied_second), -1.0, 1.0))
