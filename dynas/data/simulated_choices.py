"""Choices of made-up users, whose tastes and items' traits a script drew: free for any use, and in the package."""

from __future__ import annotations

from pathlib import Path

from dynas.data.interactions.interactions import Interactions
from dynas.data.ratings import ratings

EMBEDDED = Path(__file__).parent / "embedded" / "simulated_choices"
CHOICES = EMBEDDED / "choices.csv.xz"


def simulated_choices(negatives: int = 4, seed: int = 0) -> Interactions:
    """Return the choices that scripts/assets/build_simulated_choices.py made up, each user's last one held out.

    Args:
        negatives: sampled items per choice in training.
        seed: decides the items among which the held-out ones are ranked.

    Raises:
        DynasError: a setting is at fault.
    """
    return ratings(str(CHOICES), k_core=1, negatives=negatives, seed=seed)
