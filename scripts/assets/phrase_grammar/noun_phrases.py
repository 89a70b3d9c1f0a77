"""Noun phrases: articles, adjectives and nouns that agree in case, gender and number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from phrase_grammar.adjectives import Adjective
from phrase_grammar.draw import Draw
from phrase_grammar.nouns import Noun
from phrase_grammar.numbers import english, german

CASES = ("nom", "acc", "dat", "gen")
DEFINITE = {  # by gender, or p for the plural
    "m": ("der", "den", "dem", "des"),
    "f": ("die", "die", "der", "der"),
    "n": ("das", "das", "dem", "des"),
    "p": ("die", "die", "den", "der"),
}
LIKE_DEFINITE = {  # endings of dieser and jeder
    "m": ("er", "en", "em", "es"),
    "f": ("e", "e", "er", "er"),
    "n": ("es", "es", "em", "es"),
    "p": ("e", "e", "en", "er"),
}
LIKE_INDEFINITE = {  # endings of ein, kein, mein
    "m": ("", "en", "em", "es"),
    "f": ("e", "e", "er", "er"),
    "n": ("", "", "em", "es"),
    "p": ("e", "e", "en", "er"),
}
WEAK = {"m": ("e", "en", "en", "en"), "f": ("e", "e", "en", "en"), "n": ("e", "e", "en", "en"), "p": ("en",) * 4}
MIXED = {"m": ("er", "en", "en", "en"), "f": WEAK["f"], "n": ("es", "es", "en", "en"), "p": WEAK["p"]}
STRONG = {
    "m": ("er", "en", "em", "en"),
    "f": ("e", "e", "er", "er"),
    "n": ("es", "es", "em", "en"),
    "p": ("e", "e", "en", "er"),
}
DETERMINERS = {  # English singular and plural; German stem; its endings; those of the adjective after it
    "the": ("the", "the", "", DEFINITE, WEAK),
    "this": ("this", "these", "dies", LIKE_DEFINITE, WEAK),
    "a": ("a", "", "ein", LIKE_INDEFINITE, MIXED),
    "no": ("no", "no", "kein", LIKE_INDEFINITE, MIXED),
    "my": ("my", "my", "mein", LIKE_INDEFINITE, MIXED),
    "our": ("our", "our", "unser", LIKE_INDEFINITE, MIXED),
    "her": ("her", "her", "ihr", LIKE_INDEFINITE, MIXED),
    "his": ("his", "his", "sein", LIKE_INDEFINITE, MIXED),
    "their": ("their", "their", "ihr", LIKE_INDEFINITE, MIXED),
}
SOUNDS_LIKE_A_CONSONANT = ("useful", "university")
CONTRACTIONS = (
    ("in dem", "im"),
    ("in das", "ins"),
    ("an dem", "am"),
    ("an das", "ans"),
    ("zu dem", "zum"),
    ("zu der", "zur"),
    ("bei dem", "beim"),
    ("von dem", "vom"),
)


@dataclass(frozen=True)
class NounPhrase:
    """A noun phrase in English and in the German cases nom, acc, dat and gen.

    Attributes:
        person: ``1sg``, ``3sg`` or ``pl``, which verbs agree with.
        gender: m, f, n, or p for the plural.
        kind: ``definite``, ``indefinite``, ``counted``, ``pronoun`` or ``name``.
        head: the English noun.
        en_object: English form as an object, where it differs.
    """

    en: str
    de: tuple[str, str, str, str]
    person: str
    gender: str
    kind: str
    head: str
    en_object: str = ""

    def german(self, case: str, preposition: str = "") -> str:
        """Return the German form, after a preposition where there is one."""
        form = self.de[CASES.index(case)]
        return (
            contracted(f"{preposition} {form}")
            if preposition and self.kind == "definite"
            else (f"{preposition} {form}".strip())
        )

    @property
    def as_object(self) -> str:
        """The English form as an object."""
        return self.en_object or self.en


def contracted(text: str) -> str:
    """Return a German prepositional phrase with ``in dem`` drawn together to ``im``, and so on."""
    for apart, together in CONTRACTIONS:
        if text.startswith(f"{apart} "):
            return together + text.removeprefix(apart)
    return text


def indefinite_article(text: str) -> str:
    """Return ``a`` or ``an`` before a text."""
    return "an" if re.match("[aeiouAEIOU]", text) and not text.startswith(SOUNDS_LIKE_A_CONSONANT) else "a"


def noun_phrase(
    determiner: str, adjectives: Sequence[Adjective], noun: Noun, plural: bool = False, number: int = 0
) -> NounPhrase:
    """Return a noun with its determiner (``the``, ``a``, ``my`` ...; a number takes its place) and adjectives."""
    plural = plural or number > 1
    gender = "p" if plural else noun.gender
    en_words = [adjective.en for adjective in adjectives] + [noun.en_plural if plural else noun.en]
    if number:
        first_en, stem, articles, endings = english(number), german(number), dict.fromkeys("mfnp", ("",) * 4), STRONG
    else:
        singular, many, stem, articles, endings = DETERMINERS[determiner]
        first_en = many if plural else singular
        if determiner == "a":
            first_en = "" if plural else indefinite_article(en_words[0])
            if plural:
                stem, articles, endings = "", dict.fromkeys("mfnp", ("",) * 4), STRONG
    forms = []
    for place, case in enumerate(CASES):
        words = [stem + articles[gender][place]]
        words += [adjective.stem + endings[gender][place] for adjective in adjectives]
        forms.append(" ".join([*words, noun.german(case, plural)]).strip())
    kind = "counted" if number else {"the": "definite", "a": "indefinite", "no": "indefinite"}.get(determiner, "other")
    en = " ".join([first_en, *en_words]).strip()
    return NounPhrase(en, (forms[0], forms[1], forms[2], forms[3]), "pl" if plural else "3sg", gender, kind, noun.en)


def pronoun(en: str, en_object: str, forms: tuple[str, str, str, str], person: str, gender: str) -> NounPhrase:
    """Return a personal pronoun."""
    return NounPhrase(en, forms, person, gender, "pronoun", en, en_object)


HE = pronoun("he", "him", ("er", "ihn", "ihm", "seiner"), "3sg", "m")
SHE = pronoun("she", "her", ("sie", "sie", "ihr", "ihrer"), "3sg", "f")
THEY = pronoun("they", "them", ("sie", "sie", "ihnen", "ihrer"), "pl", "p")
WE = pronoun("we", "us", ("wir", "uns", "uns", "unser"), "pl", "p")
I = pronoun("I", "me", ("ich", "mich", "mir", "meiner"), "1sg", "m")  # noqa: E741
PRONOUNS = (HE, SHE, THEY, WE, I)


def name(text: str, gender: str) -> NounPhrase:
    """Return a first name that does not end in an s."""
    return NounPhrase(text, (text, text, text, f"{text}s"), "3sg", gender, "name", text)


NAMES = tuple(
    name(text, gender)
    for gender, names in (
        ("f", "Anna Maria Julia Laura Sophie Emma Clara Eva Nina Lena Paula Martha Irene Helga"),
        ("m", "Peter Paul Martin David Daniel Simon Oskar Anton Robert Stefan Georg Karl Jakob Emil"),
    )
    for text in names.split()
)


def possessed(owner: NounPhrase, adjectives: Sequence[Adjective], noun: Noun, plural: bool) -> NounPhrase:
    """Return a noun with its owner: ``the teacher's old car``, ``das alte Auto des Lehrers``; ``Annas altes Auto``."""
    mark = "'" if owner.gender == "p" and owner.en.endswith("s") else "'s"
    words = [adjective.en for adjective in adjectives] + [noun.en_plural if plural else noun.en]
    en = f"{owner.en}{mark} {' '.join(words)}"
    if owner.kind == "name":
        bare = noun_phrase("a", adjectives, noun, plural)
        if plural:
            forms = tuple(f"{owner.de[3]} {form}" for form in bare.de)
        else:
            forms = tuple(
                f"{owner.de[3]} "
                + " ".join([*(a.stem + STRONG[noun.gender][i] for a in adjectives), noun.german(c, False)])
                for i, c in enumerate(CASES)
            )
        return replace(bare, en=en, de=(forms[0], forms[1], forms[2], forms[3]), kind="other")
    whole = noun_phrase("the", adjectives, noun, plural)
    forms = tuple(f"{form} {owner.german('gen')}" for form in whole.de)
    return replace(whole, en=en, de=(forms[0], forms[1], forms[2], forms[3]))


def closeness(adjective: Adjective) -> int:
    """Return how near to the noun an adjective stands.

    Adjectives of different nearness need no comma between them in German: ``ein schöner alter roter Hut``.
    """
    return {"age": 1, "colour": 2, "language": 3}.get(adjective.group, 0)


def some(draw: Draw, nouns: Sequence[Noun], adjectives: Sequence[Adjective], determiners: Sequence[str]) -> NounPhrase:
    """Return a random noun phrase: with a determiner or counted, with up to two adjectives."""
    noun = draw.pick(nouns)
    chosen = [draw.pick(adjectives) for _ in range(draw.pick((0, 0, 1, 1, 1, 2)))]
    chosen.sort(key=closeness)
    if len({closeness(adjective) for adjective in chosen}) < len(chosen):
        chosen = chosen[:1]
    for adjective in chosen:
        draw.note(adjective.en, noun.en)
    if draw.chance(0.1):
        number = draw.number(2, 99) if draw.chance(0.8) else draw.number(100, 999)
        if number % 100 != 1:
            draw.note("number", number)
            return noun_phrase("", chosen, noun, number=number)
    return noun_phrase(draw.pick(determiners), chosen, noun, plural=draw.chance(0.3))
