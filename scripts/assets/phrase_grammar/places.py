"""Places: cities and countries with the prepositions that German wants, and places in a town."""

from __future__ import annotations

from dataclasses import dataclass

from babel import Locale

from phrase_grammar.adjectives import OF_PLACES
from phrase_grammar.draw import Draw
from phrase_grammar.noun_phrases import noun_phrase
from phrase_grammar.nouns import Noun, parse

ENGLISH, GERMAN = Locale("en"), Locale("de")
Phrase = tuple[str, str]

CITIES: tuple[Phrase, ...] = tuple(
    (en.strip(), (de or en).strip())
    for en, _, de in (
        entry.partition("/")
        for entry in (
            "Berlin, Hamburg, Munich/München, Cologne/Köln, Nuremberg/Nürnberg, Hanover/Hannover, Vienna/Wien, "
            "Salzburg, Zurich/Zürich, Geneva/Genf, Bern, Rome/Rom, Milan/Mailand, Venice/Venedig, Naples/Neapel, "
            "Florence/Florenz, Turin, Paris, Lyon, Nice/Nizza, Madrid, Barcelona, Lisbon/Lissabon, Brussels/Brüssel, "
            "Antwerp/Antwerpen, Amsterdam, Copenhagen/Kopenhagen, Stockholm, Oslo, Helsinki, Warsaw/Warschau, "
            "Cracow/Krakau, Prague/Prag, Budapest, Bucharest/Bukarest, Sofia, Athens/Athen, Belgrade/Belgrad, Dublin, "
            "London, Edinburgh, Moscow/Moskau, Tokyo/Tokio, Beijing/Peking, Cairo/Kairo, Tehran/Teheran, "
            "Jerusalem, New York, Mexico City/Mexiko-Stadt, Singapore/Singapur"
        ).split(", ")
    )
)
PLAIN_COUNTRIES = (
    "DE AT FR IT ES PT BE DK SE NO FI IS PL CZ HU RO BG GR HR SI RS AL IE RU GB LU MT CY EE LV LT GE AM CN JP IN VN TH "
    "KR ID MY AU NZ CA MX BR AR CL PE CO BO EC CU EG MA DZ TN LY KE ET GH NG ZA ZW ZM AO MZ MG NA SY JO IL SA AF PK NP"
).split()
WITH_ARTICLE = {"CH": "f", "TR": "f", "UA": "f", "SK": "f", "MN": "f", "IQ": "m", "SD": "m", "NL": "p"}
LANGUAGES = (
    "de en fr es it pt nl da sv fi pl cs sk hu ro bg el hr sl sr ru uk tr ar fa he hi bn ur ta th vi zh ja ko id "
    "sw is ga eu ca et lv lt mt ka hy sq"
).split()


@dataclass(frozen=True)
class Place:
    """Where something is, where it goes and where it comes from, each in English and German."""

    at: Phrase
    to: Phrase
    since: Phrase
    key: str


def city(draw: Draw) -> Place:
    """Return a city."""
    en, de = draw.pick(CITIES)
    return Place((f"in {en}", f"in {de}"), (f"to {en}", f"nach {de}"), (f"from {en}", f"aus {de}"), en)


def country_names(code: str) -> Phrase:
    """Return CLDR's names of a country."""
    return ENGLISH.territories[code], GERMAN.territories[code]


def country(draw: Draw) -> Place:
    """Return a country; those with an article are as frequent as a third of the others."""
    code = draw.pick(tuple(WITH_ARTICLE)) if draw.chance(0.25) else draw.pick(PLAIN_COUNTRIES)
    en, de = country_names(code)
    if code == "NL":
        en = f"the {en}"
    gender = WITH_ARTICLE.get(code)
    at, to, since = {
        None: (f"in {de}", f"nach {de}", f"aus {de}"),
        "f": (f"in der {de}", f"in die {de}", f"aus der {de}"),
        "m": (f"im {de}", f"in den {de}", f"aus dem {de}"),
        "p": (f"in den {de}n", f"in die {de}", f"aus den {de}n"),
    }[gender]
    return Place((f"in {en}", at), (f"to {en}", to), (f"from {en}", since), en)


TOWN = (  # the noun, English preposition, German one for where, for where to and its case
    ("in", "in", "in", "acc", parse("garden; m Garten Gärten\nforest; m Wald Wälder\npark; m Park Parks")),
    ("at", "an", "zu", "dat", parse("station; m Bahnhof Bahnhöfe\nairport; m Flughafen Flughäfen")),
    ("at", "auf", "auf", "acc", parse("market; m Markt Märkte")),
    (
        "in",
        "in",
        "in",
        "acc",
        parse("museum; n Museum Museen\nhotel; n Hotel Hotels\nhospital; n Krankenhaus Krankenhäuser"),
    ),
    (
        "at",
        "in",
        "in",
        "acc",
        parse("cinema; n Kino Kinos\ntheatre; n Theater Theater\nlibrary; f Bibliothek Bibliotheken"),
    ),
    ("in", "in", "in", "acc", parse("church; f Kirche Kirchen\nschool; f Schule Schulen\nfactory; f Fabrik Fabriken")),
    (
        "at",
        "an",
        "an",
        "acc",
        parse("lake; m See Seen\nuniversity; f Universität Universitäten\nriver; m Fluss Flüsse"),
    ),
    (
        "in",
        "in",
        "in",
        "acc",
        parse("village; n Dorf Dörfer\ncity; f Stadt Städte\nrestaurant; n Restaurant Restaurants"),
    ),
)
ALL_TOWN: tuple[tuple[str, str, str, str, Noun], ...] = tuple((*row[:4], noun) for row in TOWN for noun in row[4])


def town(draw: Draw) -> Place:
    """Return a place in a town, such as ``at the old station``."""
    en_at, de_at, de_to, to_case, noun = draw.pick(ALL_TOWN)
    adjectives = [draw.pick(OF_PLACES)] if draw.chance(0.5) else []
    for adjective in adjectives:
        draw.note(adjective.en, noun.en)
    phrase = noun_phrase("the" if draw.chance(0.75) else draw.pick(("a", "this", "our")), adjectives, noun)
    since = "aus" if de_at == "in" else "von"
    return Place(
        (f"{en_at} {phrase.en}", phrase.german("dat", de_at)),
        (f"to {phrase.en}", phrase.german(to_case, de_to)),
        (f"from {phrase.en}", phrase.german("dat", since)),
        noun.en,
    )


def somewhere(draw: Draw) -> Place:
    """Return any place."""
    return draw.pick((city, country, town, town))(draw)


def far(draw: Draw) -> Place:
    """Return a city or country."""
    return draw.pick((city, country))(draw)


def language(draw: Draw) -> Phrase:
    """Return CLDR's names of a language."""
    code = draw.pick(LANGUAGES)
    return ENGLISH.languages[code], GERMAN.languages[code]
