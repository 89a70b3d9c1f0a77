"""Whole numbers below a million in words."""

from __future__ import annotations

EN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
EN_TENS = ". . twenty thirty forty fifty sixty seventy eighty ninety".split()
DE = (
    "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn"
).split()
DE_TENS = ". . zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()


def english(number: int) -> str:
    """Return British number words, such as ``two hundred and five``."""
    if number < 20:
        return EN[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return EN_TENS[tens] + (f"-{EN[ones]}" if ones else "")
    unit, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    head, rest = divmod(number, unit)
    joint = " and " if rest < 100 else " "
    return f"{english(head)} {name}" + (joint + english(rest) if rest else "")


def german(number: int) -> str:
    """Return German number words as they stand alone, such as ``zweihundertfünf`` and ``eins``."""
    return german_stem(number) + ("s" if number % 100 == 1 else "")


def german_stem(number: int) -> str:
    """Return German number words as they stand before another word: ``hundertein`` of ``hunderteintausend``."""
    if number < 20:
        return DE[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return (f"{DE[ones]}und" if ones else "") + DE_TENS[tens]
    unit, name = (1000, "tausend") if number >= 1000 else (100, "hundert")
    head, rest = divmod(number, unit)
    first = "" if head == 1 else german_stem(head)
    if not rest:
        return first + name
    return first + name + ("ein" if 100 <= rest < 200 else "") + german_stem(rest)
