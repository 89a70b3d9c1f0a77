"""Sentences about prices, sizes, journeys, dates and numbers, and fragments of them."""

from __future__ import annotations

from dataclasses import replace

from phrase_grammar import adjectives, measures, nouns, verbs
from phrase_grammar.clauses import Clause, Object
from phrase_grammar.draw import Draw
from phrase_grammar.events import person, thing, third_person
from phrase_grammar.finish import Phrase, finished
from phrase_grammar.noun_phrases import NAMES, NounPhrase, noun_phrase, some
from phrase_grammar.numbers import english, german
from phrase_grammar.places import CITIES, city, country, language
from phrase_grammar.times import (
    at_time,
    clock,
    coming_date,
    coming_day,
    duration,
    interval,
    month_of_year,
    past_date,
    spoken_clock,
    time_phrase,
    weekday,
    written_date,
)


def costing(draw: Draw) -> Phrase:
    """Return what something costs, weighs or measures."""
    subject = thing(draw)
    one = subject.person == "3sg"
    cost_en, weigh_en, is_en, is_de = ("costs", "weighs", "is", "ist") if one else ("cost", "weigh", "are", "sind")
    cost_de, weigh_de = ("kostet", "wiegt") if one else ("kosten", "wiegen")
    kind = draw.number(1, 4)
    if kind <= 2:
        price_en, price_de = measures.price(draw)
        draw.note("cost", subject.head)
        return finished(f"{subject.en} {cost_en} {price_en}", f"{subject.german('nom')} {cost_de} {price_de}")
    if kind == 3:
        weight_en, weight_de = measures.quantity(draw, measures.WEIGHTS, 900)
        return finished(f"{subject.en} {weigh_en} {weight_en}", f"{subject.german('nom')} {weigh_de} {weight_de}")
    length_en, length_de = measures.quantity(draw, measures.LENGTHS, 300)
    en, de = draw.pick((("long", "lang"), ("wide", "breit"), ("high", "hoch"), ("thick", "dick")))
    return finished(f"{subject.en} {is_en} {length_en} {en}", f"{subject.german('nom')} {is_de} {length_de} {de}")


def bought_for(draw: Draw) -> Phrase:
    """Return what somebody paid or was offered for something."""
    verb = draw.pick(verbs.WITH_THINGS[:2])
    tense = draw.pick(("past", "present", "future", "would like to", "want to"))
    subject, goods, (en, de) = person(draw), thing(draw), measures.price(draw)
    draw.note(verb.en, goods.head)
    clause = Clause(subject, verb, tense, (Object(goods),), where=(f"for {en}", f"für {de}"))
    clause = replace(clause, when=time_phrase(draw, tense) if draw.chance(0.4) else None)
    return finished(clause.english(True), clause.german(True))


def comparing(draw: Draw) -> Phrase:
    """Return a comparison of two things or persons."""
    if draw.chance(0.6):
        first, second, quality = thing(draw), thing(draw), draw.pick(adjectives.OF_THINGS)
    else:
        first, second, quality = third_person(draw), third_person(draw), draw.pick(adjectives.OF_PERSONS)
    draw.note(quality.en, first.head, second.head)
    is_en, is_de = ("is", "ist") if first.person == "3sg" else ("are", "sind")
    de_first, de_second = first.german("nom"), second.german("nom")
    kind = draw.number(1, 3)
    if kind == 1:
        return finished(
            f"{first.en} {is_en} as {quality.en} as {second.en}", f"{de_first} {is_de} so {quality.de} wie {de_second}"
        )
    much_en, much_de = draw.pick((("", ""), ("much ", "viel "), ("a little ", "ein wenig ")))
    return finished(
        f"{first.en} {is_en} {much_en}{quality.en_comparative} than {second.en}",
        f"{de_first} {is_de} {much_de}{quality.de_comparative} als {de_second}",
    )


def cooking(draw: Draw) -> Phrase:
    """Return what a recipe needs: German puts the dish first."""
    dish = some(draw, nouns.FOODS[7:11], adjectives.OF_FOODS[:1], ("the", "this"))
    parts = [measures.portion(draw) for _ in range(draw.number(1, 3))]
    if draw.chance(0.6):
        number, food = draw.number(2, 24), draw.pick(nouns.FOODS[:12])
        draw.note(number, food.en)
        phrase = noun_phrase("", (), food, number=number)
        parts.append((phrase.en, phrase.german("acc")))
    en, de = measures.listing(parts)
    return finished(f"you need {en} for {dish.en}", f"für {dish.german('acc')} braucht man {de}")


def travelling(draw: Draw) -> Phrase:
    """Return when a train or ship departs and arrives."""
    vehicle = draw.pick(nouns.VEHICLES)
    (en, de), (leave_en, leave_de), (reach_en, reach_de) = draw.pick(CITIES), at_time(draw), at_time(draw)
    draw.note(vehicle.en, en)
    subject = noun_phrase("the", (), vehicle)
    day_en, day_de = draw.pick((weekday, coming_day))(draw) if draw.chance(0.3) else ("", "")
    if day_en and " at " not in day_en:
        return finished(
            f"{day_en}, {subject.en} to {en} departs {leave_en} and arrives {reach_en}",
            f"{day_de} fährt {subject.german('nom')} nach {de} {leave_de} ab und kommt {reach_de} an",
        )
    return finished(
        f"{subject.en} to {en} departs {leave_en} and arrives {reach_en}",
        f"{subject.german('nom')} nach {de} fährt {leave_de} ab und kommt {reach_de} an",
    )


def distance(draw: Draw) -> Phrase:
    """Return how far or how long the way between two cities is."""
    (en, de), (to_en, to_de) = draw.pick(CITIES), draw.pick(CITIES)
    draw.note(en, to_en)
    if draw.chance(0.5):
        far_en, far_de = measures.quantity(draw, ("length-kilometer",), 2500)
        return finished(f"{en} is {far_en} away from {to_en}", f"{de} liegt {far_de} von {to_de} entfernt")
    long_en, long_de = duration(draw)
    way_en, way_de = draw.pick((("journey", "Reise"), ("flight", "Flug"), ("crossing", "Überfahrt")))
    article = "der" if way_de == "Flug" else "die"
    return finished(
        f"the {way_en} from {en} to {to_en} takes {long_en}",
        f"{article} {way_de} von {de} nach {to_de} dauert {long_de}",
    )


def weather(draw: Draw) -> Phrase:
    """Return how warm it is somewhere."""
    place = city(draw)
    degrees_en, degrees_de = measures.quantity(draw, ("temperature-celsius",), 39)
    draw.note(place.key, degrees_en)
    if draw.chance(0.5):
        return finished(f"it is {degrees_en} {place.at[0]} today", f"heute sind es {place.at[1]} {degrees_de}")
    return finished(f"yesterday it was {degrees_en} {place.at[0]}", f"gestern waren es {place.at[1]} {degrees_de}")


def born(draw: Draw) -> Phrase:
    """Return when and where somebody was born."""
    subject = third_person(draw)
    (en, de), place = draw.pick((past_date, month_of_year))(draw), draw.pick((city, country))(draw)
    draw.note("born", place.key)
    was_en, was_de = ("was", "wurde") if subject.person == "3sg" else ("were", "wurden")
    return finished(
        f"{subject.en} {was_en} born {place.at[0]} {en}", f"{subject.german('nom')} {was_de} {de} {place.at[1]} geboren"
    )


def origin(draw: Draw) -> Phrase:
    """Return where somebody comes from, lives, and what language is spoken."""
    subject, home, now = third_person(draw), country(draw), draw.pick((city, country))(draw)
    en, de = language(draw)
    draw.note("from", home.key)
    draw.note("speak", en)
    one = subject.person == "3sg"
    come, live, speak = ("comes", "lives", "speaks") if one else ("come", "live", "speak")
    kommt, wohnt, spricht = ("kommt", "wohnt", "spricht") if one else ("kommen", "wohnen", "sprechen")
    first = f"{subject.german('nom')} {kommt} {home.since[1]}"
    if draw.chance(0.5):
        return finished(
            f"{subject.en} {come} {home.since[0]} but {live} {now.at[0]}", f"{first}, {wohnt} aber {now.at[1]}"
        )
    return finished(f"{subject.en} {come} {home.since[0]} and {speak} {en}", f"{first} und {spricht} {de}")


def happening(draw: Draw) -> Phrase:
    """Return when an event begins, ends or takes place."""
    subject = some(draw, nouns.EVENTS, adjectives.OF_EVENTS, ("the", "our", "this"))
    if subject.kind == "counted" or (subject.head == "lesson" and subject.person == "pl"):
        return costing(draw)
    verb, tense = draw.pick(verbs.HAPPENING), draw.pick(("past", "future", "present", "have to", "should"))
    draw.note(verb.en, subject.head)
    if tense == "past":
        when = draw.pick((past_date, weekday, month_of_year))(draw)
    else:
        when = draw.pick((coming_date, weekday, at_time) if tense != "present" else (weekday, at_time))(draw)
    clause = Clause(subject, verb, tense, when=when)
    if verb.prefix:
        clause = replace(clause, where=draw.pick((city, country))(draw).at)
    front = draw.chance(0.4)
    return finished(clause.english(front), clause.german(front))


def opening(draw: Draw) -> Phrase:
    """Return from when to when something is open."""
    en, de = draw.pick(
        (("shop", "das Geschäft"), ("museum", "das Museum"), ("bank", "die Bank"), ("bakery", "die Bäckerei"))
    )
    (from_en, from_de), (to_en, to_de) = clock(draw), clock(draw)
    if draw.chance(0.5):
        (day_en, day_de) = draw.pick(
            (("on Sundays", "sonntags"), ("on Mondays", "montags"), ("on Fridays", "freitags"))
        )
        return finished(
            f"{day_en} the {en} is open from {from_en} to {to_en}",
            f"{day_de} ist {de} von {from_de} bis {to_de} geöffnet",
        )
    return finished(f"the {en} is open from {from_en} to {to_en}", f"{de} ist von {from_de} bis {to_de} geöffnet")


def adding(draw: Draw) -> Phrase:
    """Return a sum in words."""
    first, second = draw.number(2, 10 ** draw.number(2, 5)), draw.number(2, 10 ** draw.number(2, 4))
    draw.note("number", first)
    draw.note("number", second)
    if draw.chance(0.6):
        en, de, total = "plus", "plus", first + second
    else:
        first, second = max(first, second), min(first, second)
        en, de, total = "minus", "minus", first - second
    return finished(
        f"{english(first)} {en} {english(second)} is {english(total)}",
        f"{german(first)} {de} {german(second)} ist {german(total)}",
    )


def counting(draw: Draw) -> Phrase:
    """Return a number of inhabitants, in digits or words."""
    (en, de), (many_en, many_de) = draw.pick(CITIES), measures.number(draw)
    draw.note(en, many_en)
    verb_en, verb_de = draw.pick((("has", "hat"), ("had", "hatte")))
    front_en, front_de = ("", f"{de} {verb_de}")
    if verb_en == "had":
        year = draw.number(1800, 2020)
        front_en, front_de = f"in {year} ", f"im Jahr {year} {verb_de} {de}"
    return finished(f"{front_en}{en} {verb_en} {many_en} inhabitants", f"{front_de} {many_de} Einwohner")


def visiting(draw: Draw) -> Phrase:
    """Return which countries somebody visits, as CLDR lists them."""
    subject, (en, de) = person(draw), measures.countries(draw)
    verb = verbs.WITH_PERSONS[0]
    where = NounPhrase(en, (de, de, de, de), "pl", "p", "other", "countries")
    tense = draw.pick(("past", "perfect", "future", "want to"))
    clause = Clause(subject, verb, tense, (Object(where),), when=time_phrase(draw, tense))
    return finished(clause.english(True), clause.german(True))


def fragment(draw: Draw) -> Phrase:
    """Return a date, time, price, quantity or number on its own."""
    kind = draw.pick((interval, written_date, spoken_clock, measures.price, measures.portion, measures.countries))
    return finished(*kind(draw), mark="")


def invoice(draw: Draw) -> Phrase:
    """Return a sum that is due."""
    (en, de), name = measures.price(draw), draw.pick(NAMES)
    when_en, when_de = coming_date(draw)
    draw.note(name.en, en)
    return finished(f"{name.en} has to pay {en} {when_en}", f"{name.en} muss {when_de} {de} bezahlen")
