"""Sentences about what somebody does: statements, subordinate clauses and questions."""

from __future__ import annotations

from dataclasses import replace

from phrase_grammar import adjectives, nouns, verbs
from phrase_grammar.clauses import Clause
from phrase_grammar.draw import Draw
from phrase_grammar.events import acting, event, giving, person, third_person
from phrase_grammar.finish import Phrase, finished
from phrase_grammar.noun_phrases import HE, SHE, THEY, NounPhrase, some
from phrase_grammar.places import city, country
from phrase_grammar.times import time_phrase


def he_or_she(subject: NounPhrase) -> NounPhrase:
    """Return the pronoun that stands for somebody whose sex the noun tells."""
    if subject.kind == "pronoun":
        return subject
    return {"p": THEY, "f": SHE}.get(subject.gender, HE)


RELATIVE = {"m": "der", "f": "die", "n": "das", "p": "die"}
RELATIVE_OBJECT = {"m": "den", "f": "die", "n": "das", "p": "die"}


def relative(draw: Draw, phrase: NounPhrase) -> NounPhrase:
    """Return a noun phrase with a clause that it is the subject of."""
    clause = event(draw, phrase, draw.pick(("present", "past")))
    en = clause.english().removeprefix(phrase.en + " ")
    de = clause.subordinate(RELATIVE[phrase.gender])
    forms = tuple(f"{form}, {de}," for form in phrase.de)
    return replace(phrase, en=f"{phrase.en} who {en}", de=(forms[0], forms[1], forms[2], forms[3]))


def statement(draw: Draw) -> Phrase:
    """Return one main clause, in some cases with the time in front."""
    clause = event(draw)
    front = draw.chance(0.35)
    return finished(clause.english(front), clause.german(front))


def with_relative_subject(draw: Draw) -> Phrase:
    """Return a main clause whose subject has a relative clause."""
    subject = some(draw, nouns.PERSONS, adjectives.OF_PERSONS, ("the",))
    if subject.kind == "counted":
        return statement(draw)
    clause = event(draw, relative(draw, subject), draw.pick(("present", "past", "future")))
    return finished(clause.english(), clause.german())


def with_relative_object(draw: Draw) -> Phrase:
    """Return a main clause whose last object has a relative clause, which German puts behind the last verb."""
    tense = draw.pick(("past", "perfect", "future", "present"))
    clause = draw.pick((acting, giving))(draw, person(draw), tense)
    last = clause.objects[-1].phrase
    if last.kind in ("pronoun", "name") or last.kind == "other":
        return statement(draw)
    own = draw.pick(verbs.WITH_THINGS)
    subject = third_person(draw)
    past = draw.pick(("past", "present"))
    inner = Clause(subject, own, past, when=time_phrase(draw, past))
    draw.note(own.en, last.head)
    en = f"that {inner.english()}" if last.head not in {noun.en for noun in nouns.PERSONS} else ""
    if not en:
        return statement(draw)
    de = f"{RELATIVE_OBJECT[last.gender]} {inner.subordinate()}"
    clause = replace(clause, addition=(en, de))
    return finished(clause.english(), clause.german())


def reason(draw: Draw) -> Phrase:
    """Return a main clause with because or although, before or behind it."""
    main = event(draw)
    other = event(draw, he_or_she(main.subject) if draw.chance(0.6) else None)
    en, de = draw.pick((("because", "weil"), ("although", "obwohl")))
    if draw.chance(0.4):
        swapped = replace(other, subject=main.subject) if other.subject == he_or_she(main.subject) else other
        main = replace(main, subject=he_or_she(main.subject)) if swapped is not other else main
        return finished(
            f"{en} {swapped.english()}, {main.english()}", f"{de} {swapped.subordinate()}, {main.inverted()}"
        )
    return finished(f"{main.english()} {en} {other.english()}", f"{main.german()}, {de} {other.subordinate()}")


def condition(draw: Draw) -> Phrase:
    """Return what happens if something happens."""
    subject = person(draw)
    premise = event(draw, subject, "present")
    result = event(draw, he_or_she(subject), draw.pick(("future", "can", "have to", "should")))
    if draw.chance(0.5):
        return finished(
            f"if {premise.english()}, {result.english()}", f"wenn {premise.subordinate()}, {result.inverted()}"
        )
    result, premise = replace(result, subject=premise.subject), replace(premise, subject=result.subject)
    return finished(f"{result.english()} if {premise.english()}", f"{result.german()}, wenn {premise.subordinate()}")


def report(draw: Draw) -> Phrase:
    """Return what somebody says or knows."""
    verb, subject = draw.pick(verbs.SAYING), person(draw)
    main = Clause(subject, verb, draw.pick(("present", "past")))
    clause = event(draw, he_or_she(subject) if draw.chance(0.3) else None)
    draw.note(verb.en, clause.verb.en)
    return finished(f"{main.english()} that {clause.english()}", f"{main.german()}, dass {clause.subordinate()}")


def wondering(draw: Draw) -> Phrase:
    """Return an indirect question."""
    ask = Clause(
        third_person(draw), verbs.parse("ask; fragen fragt gefragt")[0], draw.pick(("present", "past", "want to"))
    )
    clause = event(draw)
    en, de = draw.pick((("whether", "ob"), ("why", "warum"), ("when", "wann")))
    if en == "when":
        clause = replace(clause, when=None, negated=False)
    return finished(f"{ask.english()} {en} {clause.english()}", f"{ask.german()}, {de} {clause.subordinate()}")


def purpose(draw: Draw) -> Phrase:
    """Return where somebody goes in order to do something."""
    subject, tense = third_person(draw), draw.pick(("present", "past", "future", "want to", "have to"))
    place = draw.pick((city, country))(draw)
    verb = draw.pick(verbs.MOTION[:3])
    main = Clause(subject, verb, tense, where=place.to, when=time_phrase(draw, tense) if draw.chance(0.5) else None)
    aim = draw.pick((acting, giving))(draw, subject, "present")
    draw.note(verb.en, place.key)
    return finished(f"{main.english(True)} {aim.english_purpose()}", f"{main.german(True)}, {aim.german_purpose()}")


def joined(draw: Draw) -> Phrase:
    """Return two main clauses."""
    first, second = event(draw), event(draw)
    en, de = draw.pick((("and", "und"), ("but", "aber")))
    if en == "and":
        return finished(f"{first.english()} and {second.english()}", f"{first.german()} und {second.german()}")
    return finished(f"{first.english()}, {en} {second.english()}", f"{first.german()}, {de} {second.german()}")


def yes_or_no(draw: Draw) -> Phrase:
    """Return a question that is answered with yes or no."""
    clause = event(draw)
    clause = replace(clause, negated=False) if not clause.negated_by_article else clause
    if clause.negated_by_article:
        return statement(draw)
    return finished(clause.english(question=True), clause.german(question=True), "?")


def asking(draw: Draw) -> Phrase:
    """Return a question with where, when, why or who."""
    clause = replace(event(draw, tense=draw.pick(("present", "past", "future", "have to"))), negated=False)
    if clause.negated_by_article:
        return statement(draw)
    en, de = draw.pick((("when", "wann"), ("why", "warum"), ("who", "wer"), ("where", "wo")))
    if en == "who":
        clause = replace(clause, subject=NounPhrase("who", ("wer", "wen", "wem", "wessen"), "3sg", "m", "other", "who"))
        return finished(clause.english(), clause.german(), "?")
    if en == "when":
        clause = replace(clause, when=None)
    if en == "where":
        if clause.where and clause.where[0].startswith("to "):
            de = "wohin"
        clause = replace(clause, where=None)
    return finished(f"{en} {clause.english(question=True)}", f"{de} {clause.german(question=True)}", "?")
