"""English-German phrases in the package; scripts/assets/build_phrases.py generated them from CLDR and a grammar."""

from __future__ import annotations

from pathlib import Path

from dynas.data.parallel_text import parallel_text
from dynas.data.text.translation import Translation

EMBEDDED = Path(__file__).parent / "embedded" / "phrases"


def phrases(validation_size: int | None, seed: int) -> Translation:
    """Return the embedded phrases.

    Args:
        validation_size: number of validation pairs that are used; None: all.
        seed: decides which ones.

    Raises:
        DynasError: there are fewer validation pairs.
    """
    return parallel_text(
        source=str(EMBEDDED / "train.tsv.xz"),
        target=None,
        languages=("en", "de"),
        validation_source=str(EMBEDDED / "validation.tsv.xz"),
        validation_target=None,
        validation_size=validation_size,
        subwords=str(EMBEDDED / "codes.txt"),
        merges=0,
        dictionary=str(EMBEDDED / "dictionary.txt"),
        max_length=100,
        seed=seed,
    )
