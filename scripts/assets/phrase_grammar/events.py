"""What can happen: which subjects, verbs, objects, times and places go together."""

from __future__ import annotations

from dataclasses import replace

from phrase_grammar import adjectives, nouns, verbs
from phrase_grammar.clauses import Clause, Object
from phrase_grammar.draw import Draw
from phrase_grammar.noun_phrases import NAMES, PRONOUNS, NounPhrase, noun_phrase, possessed, some
from phrase_grammar.places import far, language, somewhere, town
from phrase_grammar.times import duration, time_phrase

OWNED = ("the", "the", "a", "this", "my", "our", "her", "his", "their")
COMMON = ("the", "the", "the", "a", "this", "my", "our")


def person(draw: Draw) -> NounPhrase:
    """Return somebody: a person, a name or a pronoun."""
    kind = draw.number(1, 10)
    if kind <= 2:
        return draw.pick(PRONOUNS)
    if kind <= 4:
        return draw.pick(NAMES)
    return some(draw, nouns.PERSONS, adjectives.OF_PERSONS, COMMON)


def third_person(draw: Draw) -> NounPhrase:
    """Return somebody who is neither a pronoun nor the speaker."""
    if draw.chance(0.25):
        return draw.pick(NAMES)
    return some(draw, nouns.PERSONS, adjectives.OF_PERSONS, COMMON)


def thing(draw: Draw) -> NounPhrase:
    """Return a thing, a compound or something with its owner."""
    kind = draw.number(1, 10)
    colours = adjectives.OF_THINGS + adjectives.COLOURS
    if kind <= 2:
        modifier, head = draw.pick(nouns.MODIFIERS), draw.pick(nouns.HEADS)
        draw.note(modifier[0], head.en)
        return some(draw, (nouns.compound(modifier, head),), colours, OWNED)
    if kind <= 4:
        owner = (
            draw.pick(NAMES)
            if draw.chance(0.4)
            else noun_phrase("the", (), draw.pick(nouns.PERSONS), plural=draw.chance(0.2))
        )
        chosen = [draw.pick(colours)] if draw.chance(0.5) else []
        noun = draw.pick(nouns.THINGS)
        draw.note(owner.head, noun.en)
        return possessed(owner, chosen, noun, draw.chance(0.25))
    return some(draw, nouns.THINGS, colours, OWNED)


def tense_of(draw: Draw) -> str:
    """Return a tense; modals make up a third."""
    return draw.pick(("present", "past", "past", "perfect", "future", draw.pick(tuple(verbs.MODALS)), "present"))


def with_object(draw: Draw) -> tuple[verbs.Verb, NounPhrase]:
    """Return a verb and an object that it can have."""
    kind = draw.number(1, 12)
    if kind <= 4:
        return draw.pick(verbs.WITH_THINGS), thing(draw)
    if kind <= 7:
        known = person(draw)
        return draw.pick(verbs.WITH_PERSONS), known
    table, things, qualities = draw.pick(
        (
            (verbs.WITH_TEXTS, nouns.TEXTS, adjectives.OF_TEXTS),
            (verbs.WITH_FOODS, nouns.FOODS, adjectives.OF_FOODS),
            (verbs.WITH_ANIMALS, nouns.ANIMALS, adjectives.OF_THINGS[:4] + adjectives.COLOURS),
            (verbs.WITH_EVENTS, nouns.EVENTS[:1] + nouns.EVENTS[2:], adjectives.OF_EVENTS[:3]),
        )
    )
    return draw.pick(table), some(draw, things, qualities, OWNED)


def differs(draw: Draw, subject: NounPhrase, other: NounPhrase) -> NounPhrase:
    """Return the other noun phrase, or another person where it is the subject itself or would need a reflexive."""
    if other.kind == "pronoun" and (subject.kind == "pronoun" or subject.person == other.person == "pl"):
        return third_person(draw)
    if other.head == subject.head and other.kind in ("name", "pronoun"):
        return noun_phrase("the", (), draw.pick(nouns.PERSONS))
    return other


def acting(draw: Draw, subject: NounPhrase, tense: str) -> Clause:
    """Return somebody who acts on something or somebody."""
    verb, phrase = with_object(draw)
    phrase = differs(draw, subject, phrase)
    draw.note(verb.en, verb.particle, phrase.head)
    return Clause(subject, verb, tense, (Object(phrase, verb.case, verb.en_preposition, verb.preposition),))


def giving(draw: Draw, subject: NounPhrase, tense: str) -> Clause:
    """Return somebody who gives something to somebody."""
    verb = draw.pick(verbs.GIVING)
    receiver, gift = differs(draw, subject, person(draw)), thing(draw)
    draw.note(verb.en, gift.head)
    draw.note(verb.en, receiver.head)
    return Clause(subject, verb, tense, (Object(receiver, "dat"), Object(gift)))


def moving(draw: Draw, subject: NounPhrase, tense: str) -> Clause:
    """Return somebody who goes somewhere."""
    table, place = draw.pick(((verbs.MOTION, far(draw)), (verbs.WALKING, town(draw))))
    verb = draw.pick(table)
    draw.note(verb.en, place.key)
    return Clause(subject, verb, tense, where=place.to)


def staying(draw: Draw, subject: NounPhrase, tense: str) -> Clause:
    """Return somebody who is somewhere."""
    verb, place = draw.pick(verbs.STAYING), somewhere(draw)
    draw.note(verb.en, place.key)
    return Clause(subject, verb, tense, where=place.at)


def speaking(draw: Draw, subject: NounPhrase, tense: str) -> Clause:
    """Return somebody who speaks or learns a language."""
    verb, (en, de) = draw.pick(verbs.LANGUAGES), language(draw)
    draw.note(verb.en, en)
    tongue = NounPhrase(en, (de, de, de, de), "3sg", "n", "language", en)
    return Clause(subject, verb, tense, (Object(tongue),))


KINDS = (acting, acting, acting, acting, giving, moving, staying, speaking)


def event(draw: Draw, subject: NounPhrase | None = None, tense: str | None = None) -> Clause:
    """Return something that somebody does, with a time or a place in many cases, and sometimes negated."""
    subject = subject or person(draw)
    tense = tense or tense_of(draw)
    clause = draw.pick(KINDS)(draw, subject, tense)
    if draw.chance(0.55):
        clause = replace(clause, when=time_phrase(draw, tense))
    elif clause.where and tense in ("past", "future") and clause.verb in verbs.STAYING and draw.chance(0.5):
        en, de = duration(draw)
        clause = replace(clause, when=(f"for {en}", f"{de} lang"))
    if draw.chance(0.18):
        often = clause.when is not None and clause.when[0].startswith("every ")  # German would say "nicht jeden Tag"
        return negated(replace(clause, when=None) if often else clause)
    if (
        clause.objects
        and clause.objects[-1].phrase.kind != "language"
        and draw.chance(0.2)
        and not clause.objects[-1].preposition
    ):
        clause = replace(clause, where=somewhere(draw).at)
    return clause


def negated(clause: Clause) -> Clause:
    """Return the clause's negation: with ``kein`` before a language or instead of ``ein``, else with ``nicht``.

    The clause itself is returned where German would need more than that.
    """
    kinds = [item.phrase.kind for item in clause.objects]
    if clause.subject.kind in ("counted", "indefinite") or "counted" in kinds or "indefinite" in kinds[:-1]:
        return clause
    if kinds[-1:] == ["language"]:
        return with_kein(clause, "kein ")
    if kinds[-1:] == ["indefinite"]:
        last = clause.objects[-1]
        return clause if last.phrase.person == "pl" or last.preposition else with_kein(clause, "k")
    return replace(clause, negated=True)


def with_kein(clause: Clause, start: str) -> Clause:
    """Return the clause's negation with ``start`` before the last object's German forms."""
    *others, last = clause.objects
    forms = tuple(start + form for form in last.phrase.de)
    phrase = replace(last.phrase, de=(forms[0], forms[1], forms[2], forms[3]))
    return replace(clause, negated=True, objects=(*others, replace(last, phrase=phrase)))
