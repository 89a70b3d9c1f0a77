"""Times: CLDR's dates and clock times, spoken clock times, weekdays, seasons and durations."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Literal

from babel.dates import format_date, format_interval, format_time, format_timedelta, get_day_names, get_month_names

from phrase_grammar.draw import Draw
from phrase_grammar.numbers import english, german

Phrase = tuple[str, str]

WEEKDAYS: tuple[Phrase, ...] = tuple(
    zip(get_day_names(locale="en").values(), get_day_names(locale="de").values(), strict=True)
)
MONTHS: tuple[Phrase, ...] = tuple(
    zip(get_month_names(locale="en").values(), get_month_names(locale="de").values(), strict=True)
)
SEASONS = (("spring", "Frühling"), ("summer", "Sommer"), ("autumn", "Herbst"), ("winter", "Winter"))
DAYTIMES = (("morning", "morgen"), ("afternoon", "nachmittag"), ("evening", "abend"))
UNITS = (  # English singular and plural, German accusative singular and plural, dative plural
    ("second", "seconds", "eine Sekunde", "Sekunden", "Sekunden"),
    ("minute", "minutes", "eine Minute", "Minuten", "Minuten"),
    ("hour", "hours", "eine Stunde", "Stunden", "Stunden"),
    ("day", "days", "einen Tag", "Tage", "Tagen"),
    ("week", "weeks", "eine Woche", "Wochen", "Wochen"),
    ("month", "months", "einen Monat", "Monate", "Monaten"),
    ("year", "years", "ein Jahr", "Jahre", "Jahren"),
)

SPANS: tuple[tuple[Literal["day", "week", "month", "year"], int], ...] = (
    ("day", 1),
    ("week", 7),
    ("month", 30),
    ("year", 365),
)


def plain(text: str) -> str:
    """Return CLDR's text with ordinary spaces."""
    return " ".join(text.replace("\u202f", " ").replace("\xa0", " ").replace("\u2009", " ").split())


THIS_YEAR = 2025  # the past ends with it, wherever and whenever the phrases are built


def day(draw: Draw, first: int, last: int) -> date:
    """Return a day of the years from ``first`` to ``last``."""
    start = date(first, 1, 1)
    chosen = start + timedelta(days=draw.number(0, (date(last, 12, 31) - start).days))
    draw.note("day", chosen.month, chosen.day)
    return chosen


def past_date(draw: Draw) -> Phrase:
    """Return a date of the past."""
    return written_date(draw, 1900, THIS_YEAR)


def coming_date(draw: Draw) -> Phrase:
    """Return a date of the future."""
    return written_date(draw, THIS_YEAR + 2, 2060)


def written_date(draw: Draw, first: int = 1900, last: int = 2060) -> Phrase:
    """Return ``on May 3, 2021`` and ``am 3. Mai 2021``, perhaps with the weekday (an apposition between commas)."""
    chosen = day(draw, first, last)
    en, de = (plain(format_date(chosen, "long", locale)) for locale in ("en", "de"))
    if draw.chance(0.3):
        name_en, name_de = WEEKDAYS[chosen.weekday()]
        return f"on {name_en}, {en}", f"am {name_de}, dem {de},"
    return f"on {en}", f"am {de}"


def spoken_clock(draw: Draw) -> Phrase:
    """Return ``half past three`` and ``halb vier``, and the like."""
    hour, minute = draw.number(1, 12), draw.pick((0, 5, 10, 15, 20, 30, 40, 45, 50, 55))
    following = hour % 12 + 1
    draw.note("clock", hour, minute)
    if minute == 0:
        return f"{english(hour)} o'clock", f"{'ein' if hour == 1 else german(hour)} Uhr"
    if minute == 30:
        return f"half past {english(hour)}", f"halb {german(following)}"
    past = minute < 30
    span = minute if past else 60 - minute
    en, de = ("quarter", "Viertel") if span == 15 else (english(span), german(span))
    named = hour if past else following
    return f"{en} {'past' if past else 'to'} {english(named)}", f"{de} {'nach' if past else 'vor'} {german(named)}"


def clock(draw: Draw) -> Phrase:
    """Return CLDR's short clock time, such as ``2:30 PM`` and ``14:30 Uhr``."""
    chosen = time(draw.number(0, 23), 5 * draw.number(0, 11))
    draw.note("time", chosen)
    return plain(format_time(chosen, "short", locale="en")), plain(format_time(chosen, "short", locale="de")) + " Uhr"


def at_time(draw: Draw) -> Phrase:
    """Return ``at half past three`` and ``um halb vier``, and the like."""
    en, de = draw.pick((spoken_clock, spoken_clock, clock))(draw)
    return f"at {en}", f"um {de}"


def count(draw: Draw, high: int = 40) -> tuple[int, str, str]:
    """Return a number from 2 on, in digits or words of both languages."""
    number = draw.number(2, high)
    draw.note("number", number)
    if draw.chance(0.5):
        return number, str(number), str(number)
    return number, english(number), german(number)


def duration(draw: Draw) -> Phrase:
    """Return ``three weeks`` and ``drei Wochen``, in the accusative."""
    singular, plural, one, many, _ = draw.pick(UNITS[1:])
    if draw.chance(0.15):
        return f"one {singular}", one
    _, en, de = count(draw)
    return f"{en} {plural}", f"{de} {many}"


def in_time(draw: Draw) -> Phrase:
    """Return ``in three weeks`` and ``in drei Wochen``; CLDR's relative time where the number is in digits."""
    if draw.chance(0.4):
        unit, days = draw.pick(SPANS)
        number = draw.number(2, 30)
        draw.note("number", number)
        span = timedelta(days=days * number)
        en, de = (
            format_timedelta(span, granularity=unit, threshold=99, add_direction=True, locale=locale)
            for locale in ("en", "de")
        )
        return plain(en), plain(de)
    _, plural, _, _, dative = draw.pick(UNITS[1:])
    _, en, de = count(draw)
    return f"in {en} {plural}", f"in {de} {dative}"


def ago(draw: Draw) -> Phrase:
    """Return ``three weeks ago`` and ``vor drei Wochen``."""
    _, plural, _, _, dative = draw.pick(UNITS)
    _, en, de = count(draw)
    return f"{en} {plural} ago", f"vor {de} {dative}"


def weekday(draw: Draw) -> Phrase:
    """Return a weekday, perhaps with a part of the day or a clock time."""
    en, de = draw.pick(WEEKDAYS)
    if draw.chance(0.4):
        part_en, part_de = draw.pick(DAYTIMES)
        return f"on {en} {part_en}", f"am {de}{part_de}"
    if draw.chance(0.4):
        at_en, at_de = at_time(draw)
        return f"on {en} {at_en}", f"am {de} {at_de}"
    return f"on {en}", f"am {de}"


def month(draw: Draw) -> Phrase:
    """Return a month or season."""
    en, de = draw.pick(MONTHS + SEASONS)
    return f"in {en}", f"im {de}"


def month_of_year(draw: Draw) -> Phrase:
    """Return a month or season of a year of the past."""
    (en, de), chosen = month(draw), draw.number(1900, THIS_YEAR)
    draw.note("year", chosen)
    return f"{en} {chosen}", f"{de} {chosen}"


def year(draw: Draw) -> Phrase:
    """Return a year of the past."""
    chosen = draw.number(1800, THIS_YEAR)
    draw.note("year", chosen)
    return f"in {chosen}", f"im Jahr {chosen}"


def past_day(draw: Draw) -> Phrase:
    """Return ``yesterday`` and the like."""
    en, de = draw.pick(WEEKDAYS)
    return draw.pick(
        (
            ("yesterday", "gestern"),
            ("last week", "letzte Woche"),
            ("last year", "letztes Jahr"),
            ("last month", "letzten Monat"),
            (f"last {en}", f"letzten {de}"),
            ("the day before yesterday", "vorgestern"),
        )
    )


def coming_day(draw: Draw) -> Phrase:
    """Return ``tomorrow`` and the like, perhaps with a clock time."""
    en, de = draw.pick(WEEKDAYS)
    phrase = draw.pick(
        (
            ("tomorrow", "morgen"),
            ("next week", "nächste Woche"),
            ("next year", "nächstes Jahr"),
            ("next month", "nächsten Monat"),
            (f"next {en}", f"nächsten {de}"),
            ("the day after tomorrow", "übermorgen"),
        )
    )
    if phrase[0] == "tomorrow" and draw.chance(0.7):
        at_en, at_de = at_time(draw)
        return f"tomorrow {at_en}", f"morgen {at_de}"
    return phrase


def habit(draw: Draw) -> Phrase:
    """Return ``every Monday`` and the like."""
    en, de = draw.pick(WEEKDAYS)
    return draw.pick(
        (
            (f"every {en}", f"jeden {de}"),
            ("every day", "jeden Tag"),
            ("every week", "jede Woche"),
            ("every year", "jedes Jahr"),
            ("today", "heute"),
            ("in the evening", "am Abend"),
            ("at the weekend", "am Wochenende"),
        )
    )


BY_TENSE = {  # what goes with each tense
    "present": (habit, habit, at_time, weekday, month),
    "past": (past_day, ago, past_date, weekday, month_of_year, year),
    "future": (coming_day, in_time, coming_date, weekday, at_time),
    "modal": (coming_day, in_time, weekday, at_time, habit),
}


def time_phrase(draw: Draw, tense: str) -> Phrase | None:
    """Return when something of a tense happens; None for the perfect, which English uses without a time."""
    if tense == "perfect":
        return None
    return draw.pick(BY_TENSE.get(tense, BY_TENSE["modal"]))(draw)


def interval(draw: Draw) -> Phrase:
    """Return CLDR's interval between two dates."""
    first = day(draw, 1950, 2050)
    last = first + timedelta(days=draw.number(1, 40))
    en, de = (plain(format_interval(first, last, "yMMMd", locale=locale)) for locale in ("en", "de"))
    return en, de
