"""Adjectives: English, the German stem that endings are put on, the German predicative form, and comparatives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Adjective:
    """One adjective; ``group`` is age, colour or language, which stand near to the noun."""

    en: str
    en_comparative: str
    stem: str
    de: str
    de_comparative: str
    group: str = ""


def parse(text: str) -> tuple[Adjective, ...]:
    """Return the adjectives of lines ``english, comparative; German[/stem], comparative[; group]``."""
    adjectives = []
    for line in text.strip().splitlines():
        english, german, *group = line.split("; ")
        en, en_comparative = english.split(", ")
        de, de_comparative = german.split(", ")
        predicative, _, stem = de.partition("/")
        adjectives.append(Adjective(en, en_comparative, stem or predicative, predicative, de_comparative, *group))
    return tuple(adjectives)


OF_THINGS = parse("""
new, newer; neu, neuer; age
old, older; alt, älter; age
small, smaller; klein, kleiner
big, bigger; groß, größer
cheap, cheaper; billig, billiger
expensive, more expensive; teuer/teur, teurer
beautiful, more beautiful; schön, schöner
ugly, uglier; hässlich, hässlicher
heavy, heavier; schwer, schwerer
light, lighter; leicht, leichter
modern, more modern; modern, moderner; age
strange, stranger; seltsam, seltsamer
famous, more famous; berühmt, berühmter
useful, more useful; nützlich, nützlicher
practical, more practical; praktisch, praktischer
dirty, dirtier; schmutzig, schmutziger
clean, cleaner; sauber, sauberer
simple, simpler; einfach, einfacher
valuable, more valuable; wertvoll, wertvoller
dark, darker; dunkel/dunkl, dunkler; colour
bright, brighter; hell, heller; colour
""")
COLOURS = tuple(
    Adjective(en, "", de, de, "", "colour")
    for en, de in (
        ("red", "rot"),
        ("blue", "blau"),
        ("green", "grün"),
        ("yellow", "gelb"),
        ("black", "schwarz"),
        ("white", "weiß"),
        ("brown", "braun"),
        ("grey", "grau"),
    )
)
OF_PERSONS = parse("""
young, younger; jung, jünger; age
old, older; alt, älter; age
tall, taller; groß, größer
friendly, friendlier; freundlich, freundlicher
tired, more tired; müde/müd, müder
happy, happier; glücklich, glücklicher
sad, sadder; traurig, trauriger
clever, cleverer; klug, klüger
brave, braver; mutig, mutiger
rich, richer; reich, reicher
poor, poorer; arm, ärmer
lazy, lazier; faul, fauler
curious, more curious; neugierig, neugieriger
polite, politer; höflich, höflicher
patient, more patient; geduldig, geduldiger
famous, more famous; berühmt, berühmter
strong, stronger; stark, stärker
""")
OF_TEXTS = parse("""
long, longer; lang, länger
short, shorter; kurz, kürzer
interesting, more interesting; interessant, interessanter
boring, more boring; langweilig, langweiliger
important, more important; wichtig, wichtiger
difficult, more difficult; schwierig, schwieriger
secret, more secret; geheim, geheimer
funny, funnier; lustig, lustiger
sad, sadder; traurig, trauriger
English, more English; englisch, englischer; language
German, more German; deutsch, deutscher; language
""")
OF_FOODS = parse("""
fresh, fresher; frisch, frischer; age
ripe, riper; reif, reifer; age
sweet, sweeter; süß, süßer
sour, sourer; sauer/saur, saurer
cold, colder; kalt, kälter
warm, warmer; warm, wärmer
big, bigger; groß, größer
small, smaller; klein, kleiner
""")
OF_PLACES = parse("""
old, older; alt, älter; age
new, newer; neu, neuer; age
big, bigger; groß, größer
small, smaller; klein, kleiner
quiet, quieter; ruhig, ruhiger
famous, more famous; berühmt, berühmter
""")
OF_EVENTS = parse("""
long, longer; lang, länger
short, shorter; kurz, kürzer
important, more important; wichtig, wichtiger
next, later; nächst, später
first, earlier; erst, früher
last, later; letzt, später
""")
