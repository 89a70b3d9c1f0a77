"""MovieLens ml-latest-small of October 2016 (Harper and Konstan 2015, doi 10.1145/2827872), from `dynas-movielens`.

GroupLens does not allow its commercial use, so ratings and what was trained on them are a distribution of their own.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from dynas.data.interactions.interactions import Interactions
from dynas.data.ratings import ratings
from dynas.errors import DynasError
from dynas.system.extras import pip

RATINGS, WEIGHTS = "ratings.csv.xz", "ncf.safetensors"
OURS = Path(__file__).parents[2] / "packages" / "dynas-movielens"  # in a clone


def movielens(min_rating: float | None = None, k_core: int = 5, negatives: int = 4, seed: int = 0) -> Interactions:
    """Return the ratings, the latest one of every user held out.

    Args:
        min_rating: lower ratings, of 0.5 to 5 stars, are no choices; None: every rating is one.
        k_core: users and movies with fewer ratings are left out until all have as many; 1: none is.
        negatives: sampled movies per rating in training.
        seed: decides the movies among which the held-out ones are ranked.

    Raises:
        DynasError: the settings leave too little, or the distribution is not installed.
    """
    path = str(movielens_file(RATINGS))
    return ratings(path, min_rating=min_rating, k_core=k_core, negatives=negatives, seed=seed)


def movielens_file(name: str) -> Path:
    """Return where a file of `dynas-movielens` lies: installed, or in the clone that dynas runs from.

    Raises:
        DynasError: it is neither.
    """
    found = find_spec("dynas_movielens")
    folder = Path(found.origin).parent if found is not None and found.origin else OURS / "dynas_movielens"
    if not (folder / name).is_file():
        raise DynasError(
            "MovieLens, which is not for commercial use, is a distribution of its own: in a clone of dynas, "
            f"{pip()} install packages/dynas-movielens, or take data=simulated_choices and supernet=ncf"
        )
    return folder / name
