"""Quantities and prices as CLDR writes them."""

from __future__ import annotations

from typing import Literal

from babel.lists import format_list
from babel.numbers import format_currency, format_decimal
from babel.units import format_unit

from phrase_grammar.adjectives import OF_FOODS
from phrase_grammar.draw import Draw
from phrase_grammar.noun_phrases import STRONG
from phrase_grammar.nouns import LIQUIDS, MATERIALS
from phrase_grammar.places import country_names
from phrase_grammar.times import plain

Phrase = tuple[str, str]

CURRENCIES = ("USD", "EUR", "GBP", "CHF", "JPY", "DKK", "PLN")
LENGTHS = ("length-meter", "length-centimeter", "length-millimeter")
WEIGHTS = ("mass-kilogram", "mass-gram")
VOLUMES = ("volume-liter", "volume-milliliter")


def amount(draw: Draw, high: int) -> float:
    """Return a number, whole or with one or two decimals."""
    digits = draw.pick((0, 0, 1, 2))
    unit: int = 10**digits
    value = draw.number(2 * unit, high * unit) / unit
    draw.note("amount", value)
    return value


def quantity(draw: Draw, units: tuple[str, ...], high: int) -> Phrase:
    """Return a quantity with its unit."""
    unit, value = draw.pick(units), amount(draw, high)
    en, de = (plain(format_unit(value, unit, length="long", locale=locale)) for locale in ("en", "de"))
    return en, de


def price(draw: Draw) -> Phrase:
    """Return a price, with the currency's sign or name."""
    currency = draw.pick(CURRENCIES)
    value = draw.number(100, 10 ** draw.number(3, 6)) / 100
    value = float(round(value) + 2) if currency == "JPY" or draw.chance(0.3) else value
    draw.note("price", value)
    kind: Literal["name", "standard"] = "name" if draw.chance(0.3) else "standard"
    en, de = (plain(format_currency(value, currency, locale=locale, format_type=kind)) for locale in ("en", "de"))
    return en, de


def number(draw: Draw) -> Phrase:
    """Return a large number in digits."""
    value = draw.number(1000, 10 ** draw.number(4, 9))
    draw.note("number", value)
    return format_decimal(value, locale="en"), format_decimal(value, locale="de")


def portion(draw: Draw) -> Phrase:
    """Return ``5 kilograms of fresh butter`` and ``5 Kilogramm frische Butter``, in the accusative."""
    goods, units = draw.pick(((MATERIALS, WEIGHTS), (LIQUIDS, VOLUMES)))
    en, gender, de = draw.pick(goods)
    quantity_en, quantity_de = quantity(draw, units, 900)
    draw.note(en, quantity_en.split()[-1])
    if draw.chance(0.3):
        adjective = draw.pick(tuple(a for a in OF_FOODS if a.en in ("fresh", "cold", "warm", "sweet")))
        draw.note(adjective.en, en)
        return f"{quantity_en} of {adjective.en} {en}", f"{quantity_de} {adjective.stem}{STRONG[gender][1]} {de}"
    return f"{quantity_en} of {en}", f"{quantity_de} {de}"


def listing(parts: list[Phrase]) -> Phrase:
    """Return CLDR's list of phrases."""
    en, de = zip(*parts, strict=True)
    return format_list(en, locale="en"), format_list(de, locale="de")


def countries(draw: Draw) -> Phrase:
    """Return a list of two to four countries without articles."""
    codes = [draw.pick(("DE", "FR", "IT", "ES", "PL", "SE", "NO", "GR", "JP", "BR", "EG", "IN")) for _ in range(4)]
    distinct = list(dict.fromkeys(codes))[: draw.number(2, 4)]
    draw.note(*distinct)
    return listing([country_names(code) for code in distinct])
