"""What is told of fronts beside the hypervolume: IGD+, epsilon, and whether a difference over seeds may be luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import moocore
import numpy as np

from dynas.core.objectives import Values
from dynas.core.pareto import non_dominated


def reference_set(fronts: Sequence[Values]) -> Values:
    """Return the joint front ``(n, M)`` of several fronts, as losses."""
    points = np.concatenate(list(fronts))
    return np.unique(points[non_dominated(points)], axis=0)


def igd_plus(fronts: Sequence[Values], joint: Values) -> float:
    """Return the mean IGD+ of fronts to a joint one: how far its members are from being dominated, on average.

    Objectives are scaled to their ranges on the joint front (Ishibuchi et al. 2015, doi 10.1007/978-3-319-15892-1_8).
    """
    return _mean(moocore.igd_plus, fronts, joint)


def epsilon(fronts: Sequence[Values], joint: Values) -> float:
    """Return the mean additive epsilon of fronts to a joint one: by how much each is to be moved to dominate it.

    Objectives are scaled to their ranges on the joint front (Zitzler et al. 2003, doi 10.1109/TEVC.2003.810758).
    """
    return _mean(moocore.epsilon_additive, fronts, joint)


def holm_p_values(samples: Sequence[Values]) -> list[float]:
    """Return per sample the p value of its difference from the first, corrected for their number; NaN without one.

    Two-sided Mann-Whitney tests, exact for small samples without ties, and Holm's step-down correction (Holm 1979,
    Scandinavian Journal of Statistics 6, 65-70). A sample of a single value tells nothing.
    """
    first, *others = samples
    found = np.full(len(samples), np.nan)
    for place, one in enumerate(others, start=1):
        if len(first) > 1 and len(one) > 1:
            from scipy.stats import mannwhitneyu  # takes more memory than most reports

            found[place] = mannwhitneyu(first, one, alternative="two-sided").pvalue
    tested = np.flatnonzero(np.isfinite(found))
    order = tested[np.argsort(found[tested], kind="stable")]
    steps = found[order] * np.arange(len(order), 0, -1)
    found[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return found.tolist()


def _mean(indicator: Callable[..., float], fronts: Sequence[Values], joint: Values) -> float:
    """Return the mean of an indicator over fronts; NaN where one of them is empty."""
    if not len(joint) or any(len(front) == 0 for front in fronts):
        return float("nan")
    span = np.ptp(joint, axis=0)
    scale = np.where(span > 0, span, 1.0)
    return float(np.mean([indicator(front / scale, ref=joint / scale) for front in fronts]))
