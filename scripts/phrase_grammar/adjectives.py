"""Adjectives: English, the German stem that endings are put on, the German predicative form, and comparatives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Adjective:
    """One adjective; two of the same ``group`` don't stand side by side."""

    en: str
    en_comparative: str
    stem: str
    de: str
    de_comparative: str
    group: str


def parse(text: str) -> tuple[Adjective, ...]:
    """Return the adjectives of lines ``english, comparative; German[/stem], comparative; group``."""
    adjectives = []
    for line in text.strip().splitlines():
        english, german, group = line.split("; ")
        en, en_comparative = english.split(", ")
        de, de_comparative = german.split(", ")
        predicative, _, stem = de.partition("/")
        adjectives.append(Adjective(en, en_comparative, stem or predicative, predicative, de_comparative, group))
    return tuple(adjectives)


OF_THINGS = parse("""
new, newer; neu, neuer; age
old, older; alt, älter; age
small, smaller; klein, kleiner; size
big, bigger; groß, größer; size
cheap, cheaper; billig, billiger; price
expensive, more expensive; teuer/teur, teurer; price
beautiful, more beautiful; schön, schöner; looks
ugly, uglier; hässlich, hässlicher; looks
heavy, heavier; schwer, schwerer; weight
light, lighter; leicht, leichter; weight
modern, more modern; modern, moderner; age
strange, stranger; seltsam, seltsamer; use
famous, more famous; berühmt, berühmter; fame
useful, more useful; nützlich, nützlicher; use
practical, more practical; praktisch, praktischer; use
dirty, dirtier; schmutzig, schmutziger; dirt
clean, cleaner; sauber, sauberer; dirt
simple, simpler; einfach, einfacher; use
valuable, more valuable; wertvoll, wertvoller; price
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
tall, taller; groß, größer; size
friendly, friendlier; freundlich, freundlicher; manners
tired, more tired; müde/müd, müder; mood
happy, happier; glücklich, glücklicher; mood
sad, sadder; traurig, trauriger; mood
clever, cleverer; klug, klüger; mind
brave, braver; mutig, mutiger; mind
rich, richer; reich, reicher; money
poor, poorer; arm, ärmer; money
lazy, lazier; faul, fauler; mind
curious, more curious; neugierig, neugieriger; mind
polite, politer; höflich, höflicher; manners
patient, more patient; geduldig, geduldiger; manners
famous, more famous; berühmt, berühmter; fame
strong, stronger; stark, stärker; size
""")
OF_TEXTS = parse("""
long, longer; lang, länger; size
short, shorter; kurz, kürzer; size
interesting, more interesting; interessant, interessanter; use
boring, more boring; langweilig, langweiliger; use
important, more important; wichtig, wichtiger; use
difficult, more difficult; schwierig, schwieriger; use
secret, more secret; geheim, geheimer; use
funny, funnier; lustig, lustiger; mood
sad, sadder; traurig, trauriger; mood
English, more English; englisch, englischer; language
German, more German; deutsch, deutscher; language
""")
OF_FOODS = parse("""
fresh, fresher; frisch, frischer; age
ripe, riper; reif, reifer; age
sweet, sweeter; süß, süßer; taste
sour, sourer; sauer/saur, saurer; taste
cold, colder; kalt, kälter; heat
warm, warmer; warm, wärmer; heat
big, bigger; groß, größer; size
small, smaller; klein, kleiner; size
""")
OF_PLACES = parse("""
old, older; alt, älter; age
new, newer; neu, neuer; age
big, bigger; groß, größer; size
small, smaller; klein, kleiner; size
quiet, quieter; ruhig, ruhiger; use
famous, more famous; berühmt, berühmter; fame
""")
OF_EVENTS = parse("""
long, longer; lang, länger; size
short, shorter; kurz, kürzer; size
important, more important; wichtig, wichtiger; use
next, later; nächst, später; order
first, earlier; erst, früher; order
last, later; letzt, später; order
""")
