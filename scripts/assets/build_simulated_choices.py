"""Makes up the choices of `data=simulated_choices`: users with tastes choose items with traits; none of them is real.

    python scripts/assets/build_simulated_choices.py

Every user has a taste and every item traits, directions in a space of 24 dimensions; the traits of items lie in groups.
Users and items also have a place in a square. An item's attraction is its popularity, plus how well its traits meet the
taste, less how far away it is. A user chooses without repeating anything, by the Plackett-Luce model: the next item
with a probability in proportion to the exponential of its attraction (Luce 1959; drawn by Gumbel's trick, Yellott
1977, doi 10.1016/0022-2496(77)90026-8). A network can do no better than to know the attractions: the HR@10 of those is
printed, as what is possible.
"""

from __future__ import annotations

import lzma

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dynas.data.interactions.interactions import sample_candidates
from dynas.data.ratings import Pairs, core, leave_latest_out
from dynas.data.simulated_choices import CHOICES, EMBEDDED
from dynas.metrics.ranking import hits

SEED = 0
USERS, ITEMS, DIMENSIONS, GROUPS = 1200, 1000, 24, 60
TASTE = 2.0  # how much tastes decide; the standard deviation of what they add to an attraction
POPULARITY = 0.7  # the standard deviation of what popularity adds
FAR = 8.5  # what a side of the square takes away
SPREAD = 0.5  # of an item's traits around those of its group
CHOSEN, LEAST = 60, 12  # choices of a user: about so many on average, at least
FEWEST = 5  # of a user and of an item in what is kept
LICENCE = """\
{choices:,} choices of {users:,} users among {items:,} items, all made up by scripts/assets/build_simulated_choices.py
from seed {seed}. They come from no person and from nobody's data, and are part of dynas (MIT).
"""


def directions(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return vectors ``(count, DIMENSIONS)`` of length 1."""
    return lengthwise(rng.normal(size=(count, DIMENSIONS)))


def lengthwise(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vectors with length 1."""
    scaled: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def attractions(rng: np.random.Generator) -> NDArray[np.float64]:
    """Return how much each user is drawn to each item ``(USERS, ITEMS)``."""
    groups = rng.normal(size=(GROUPS, DIMENSIONS))[rng.integers(GROUPS, size=ITEMS)]
    traits = lengthwise(groups + SPREAD * rng.normal(size=groups.shape))
    meeting = directions(USERS, rng) @ traits.T * np.sqrt(DIMENSIONS)
    places = rng.random((USERS, 1, 2)), rng.random((1, ITEMS, 2))
    distance = np.abs(places[0] - places[1]).max(axis=2)
    attraction: NDArray[np.float64] = POPULARITY * rng.normal(size=ITEMS) + TASTE * meeting - FAR * distance
    return attraction


def choices(attraction: NDArray[np.float64], rng: np.random.Generator) -> Pairs:
    """Return users and items of all choices, each user's in a random order."""
    numbers = CHOSEN * np.exp(rng.normal(-0.18, 0.6, size=USERS))
    numbers = np.clip(numbers.round().astype(int), LEAST, ITEMS // 4)
    first = np.argsort(-(attraction + rng.gumbel(size=attraction.shape)), axis=1)
    items = [rng.permutation(row[:number]) for row, number in zip(first, numbers, strict=True)]
    return np.repeat(np.arange(USERS), numbers), np.concatenate(items)


def possible(pairs: Pairs, attraction: NDArray[np.float64]) -> float:
    """Return HR@10 of the attractions themselves, as `data=simulated_choices` holds out and ranks."""
    training, held_out = leave_latest_out(pairs)
    candidates = sample_candidates(training, held_out, ITEMS, seed=0)
    return float(hits(np.take_along_axis(attraction[held_out[0]], candidates, axis=1), 10).mean())


def main() -> None:
    """Write the choices and their notice into the package."""
    rng = np.random.default_rng(SEED)
    attraction = attractions(rng)
    users, items = kept = core(choices(attraction, rng), FEWEST)
    EMBEDDED.mkdir(parents=True, exist_ok=True)
    content = pd.DataFrame({"user": users, "item": items}).to_csv(index=False, lineterminator="\n").encode()
    CHOICES.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    facts = {"choices": len(users), "users": len(np.unique(users)), "items": len(np.unique(items)), "seed": SEED}
    (EMBEDDED / "LICENCE").write_text(LICENCE.format(**facts))
    print(facts, f"HR@10 of the attractions: {100 * possible(kept, attraction):.1f} %")
    for path in sorted(EMBEDDED.iterdir()):
        print(f"{path.stat().st_size:>10,} bytes  {path.name}")


if __name__ == "__main__":
    main()
