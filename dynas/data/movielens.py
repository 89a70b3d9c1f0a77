"""MovieLens ml-latest-small of October 2016 (Harper and Konstan 2015, doi 10.1145/2827872); it lies in the package."""

from __future__ import annotations

from pathlib import Path

from dynas.data.interactions.interactions import Interactions
from dynas.data.ratings import ratings

EMBEDDED = Path(__file__).parent / "embedded" / "movielens"
RATINGS = EMBEDDED / "ratings.csv.xz"


def movielens(min_rating: float | None = None, k_core: int = 5, negatives: int = 4, seed: int = 0) -> Interactions:
    """Return the embedded ratings, the latest one of every user held out.

    Args:
        min_rating: lower ratings, of 0.5 to 5 stars, are no choices; None: every rating is one.
        k_core: users and movies with fewer ratings are left out until all have as many; 1: none is.
        negatives: sampled movies per rating in training.
        seed: decides the movies among which the held-out ones are ranked.

    Raises:
        DynasError: the settings leave too little.
    """
    return ratings(str(RATINGS), min_rating=min_rating, k_core=k_core, negatives=negatives, seed=seed)
