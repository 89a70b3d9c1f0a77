"""The last touch on a sentence."""

from __future__ import annotations

Phrase = tuple[str, str]


def finished(en: str, de: str, mark: str = ".") -> Phrase:
    """Return a sentence with a capital letter and a mark at its end."""
    pair = []
    for text in (en, de):
        text = text.replace(",,", ",").removesuffix(",")
        pair.append(text[0].upper() + text[1:] + mark)
    return pair[0], pair[1]
