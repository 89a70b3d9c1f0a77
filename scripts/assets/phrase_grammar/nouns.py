"""Nouns of both languages, by what can be said of them.

A line is ``english; gender German plural``; gender m, f or n, mw for the weak declension. An irregular English plural
stands behind a slash, an irregular German genitive behind a second semicolon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Noun:
    """One noun; ``weak``: all forms but the nominative singular are like the plural."""

    en: str
    en_plural: str
    gender: str
    de: str
    de_plural: str
    genitive: str
    weak: bool = False

    def german(self, case: str, plural: bool) -> str:
        """Return the form of one case: nom, acc, dat or gen."""
        if plural:
            return self.de_plural + ("n" if case == "dat" and self.de_plural[-1] not in "ns" else "")
        if self.weak and case != "nom":
            return self.de_plural
        return self.genitive if case == "gen" else self.de


def english_plural(noun: str) -> str:
    """Return the regular plural of the last word."""
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search(r"(s|x|ch|sh)$", noun) else "s")


def german_genitive(noun: str, gender: str) -> str:
    """Return the regular genitive singular."""
    if gender == "f":
        return noun
    syllables = len(re.findall(r"[aeiouyäöü]+", noun.lower()))
    return noun + ("es" if syllables == 1 or noun[-1] in "sßxz" else "s")


def parse(text: str) -> tuple[Noun, ...]:
    """Return the nouns of a table."""
    nouns = []
    for line in text.strip().splitlines():
        english, german, *genitive = (part.strip() for part in line.split(";"))
        singular, _, plural = english.partition("/")
        gender, de, de_plural = german.split()
        own = genitive[0] if genitive else german_genitive(de, gender[0])
        nouns.append(
            Noun(singular, plural or english_plural(singular), gender[0], de, de_plural, own, gender.endswith("w"))
        )
    return tuple(nouns)


PERSONS = parse("""
man/men; m Mann Männer
woman/women; f Frau Frauen
child/children; n Kind Kinder
boy; mw Junge Jungen
girl; n Mädchen Mädchen
teacher; m Lehrer Lehrer
doctor; f Ärztin Ärztinnen
nurse; f Krankenschwester Krankenschwestern
farmer; m Bauer Bauern; Bauern
baker; m Bäcker Bäcker
painter; f Malerin Malerinnen
singer; f Sängerin Sängerinnen
neighbour; mw Nachbar Nachbarn
colleague; mw Kollege Kollegen
student; mw Student Studenten
tourist; mw Tourist Touristen
customer; mw Kunde Kunden
policeman/policemen; mw Polizist Polizisten
president; mw Präsident Präsidenten
lawyer; f Anwältin Anwältinnen
judge; f Richterin Richterinnen
engineer; m Ingenieur Ingenieure
scientist; f Wissenschaftlerin Wissenschaftlerinnen
journalist; f Journalistin Journalistinnen
waiter; m Kellner Kellner
cook; m Koch Köche
pilot; mw Pilot Piloten
driver; m Fahrer Fahrer
gardener; m Gärtner Gärtner
mayor; f Bürgermeisterin Bürgermeisterinnen
aunt; f Tante Tanten
uncle; m Onkel Onkel
brother; m Bruder Brüder
sister; f Schwester Schwestern
grandmother; f Großmutter Großmütter
grandfather; m Großvater Großväter
daughter; f Tochter Töchter
son; m Sohn Söhne
friend; m Freund Freunde
guest; m Gast Gäste
director; f Direktorin Direktorinnen
musician; m Musiker Musiker
""")

THINGS = parse("""
car; n Auto Autos
bicycle; n Fahrrad Fahrräder
table; m Tisch Tische
chair; m Stuhl Stühle
lamp; f Lampe Lampen
clock; f Uhr Uhren
mirror; m Spiegel Spiegel
carpet; m Teppich Teppiche
cupboard; m Schrank Schränke
bed; n Bett Betten
sofa; n Sofa Sofas
key; m Schlüssel Schlüssel
bag; f Tasche Taschen
suitcase; m Koffer Koffer
umbrella; m Regenschirm Regenschirme
coat; m Mantel Mäntel
shirt; n Hemd Hemden
dress; n Kleid Kleider
hat; m Hut Hüte
shoe; m Schuh Schuhe
ring; m Ring Ringe
necklace; f Kette Ketten
knife/knives; n Messer Messer
spoon; m Löffel Löffel
plate; m Teller Teller
cup; f Tasse Tassen
bottle; f Flasche Flaschen
pot; m Topf Töpfe
camera; f Kamera Kameras
computer; m Computer Computer
printer; m Drucker Drucker
phone; n Telefon Telefone
radio; n Radio Radios
guitar; f Gitarre Gitarren
piano; n Klavier Klaviere
violin; f Geige Geigen
drum; f Trommel Trommeln
picture; n Bild Bilder
map; f Karte Karten
box; f Kiste Kisten
basket; m Korb Körbe
ladder; f Leiter Leitern
hammer; m Hammer Hämmer
saw; f Säge Sägen
rope; n Seil Seile
ball; m Ball Bälle
doll; f Puppe Puppen
boat; n Boot Boote
tent; n Zelt Zelte
blanket; f Decke Decken
pillow; n Kissen Kissen
candle; f Kerze Kerzen
gift; n Geschenk Geschenke
flower; f Blume Blumen
stamp; f Briefmarke Briefmarken
coin; f Münze Münzen
ticket; f Fahrkarte Fahrkarten
pencil; m Bleistift Bleistifte
""")

TEXTS = parse("""
book; n Buch Bücher
letter; m Brief Briefe
poem; n Gedicht Gedichte
novel; m Roman Romane
report; m Bericht Berichte
contract; m Vertrag Verträge
recipe; n Rezept Rezepte
article; m Artikel Artikel
newspaper; f Zeitung Zeitungen
magazine; f Zeitschrift Zeitschriften
invoice; f Rechnung Rechnungen
message; f Nachricht Nachrichten
list; f Liste Listen
speech; f Rede Reden
story; f Geschichte Geschichten
song; n Lied Lieder
dictionary; n Wörterbuch Wörterbücher
sentence; m Satz Sätze
answer; f Antwort Antworten
question; f Frage Fragen
""")

FOODS = parse("""
apple; m Apfel Äpfel
pear; f Birne Birnen
cherry; f Kirsche Kirschen
tomato/tomatoes; f Tomate Tomaten
potato/potatoes; f Kartoffel Kartoffeln
carrot; f Karotte Karotten
onion; f Zwiebel Zwiebeln
cake; m Kuchen Kuchen
pizza; f Pizza Pizzas
soup; f Suppe Suppen
salad; m Salat Salate
egg; n Ei Eier
sandwich; n Brot Brote
fish/fish; m Fisch Fische
sausage; f Wurst Würste
orange; f Orange Orangen
mushroom; m Pilz Pilze
pancake; m Pfannkuchen Pfannkuchen
""")

ANIMALS = parse("""
dog; m Hund Hunde
cat; f Katze Katzen
horse; n Pferd Pferde
cow; f Kuh Kühe
sheep/sheep; n Schaf Schafe
bird; m Vogel Vögel
bear; mw Bär Bären
lion; mw Löwe Löwen
elephant; mw Elefant Elefanten
mouse/mice; f Maus Mäuse
goat; f Ziege Ziegen
rabbit; n Kaninchen Kaninchen
monkey; mw Affe Affen
snake; f Schlange Schlangen
""")

EVENTS = parse("""
concert; n Konzert Konzerte
lesson; m Unterricht Unterrichte
meeting; f Sitzung Sitzungen
film; m Film Filme
party; f Feier Feiern
race; n Rennen Rennen
course; m Kurs Kurse
exam; f Prüfung Prüfungen
wedding; f Hochzeit Hochzeiten
exhibition; f Ausstellung Ausstellungen
lecture; f Vorlesung Vorlesungen
conference; f Konferenz Konferenzen
festival; n Festival Festivals
""")

VEHICLES = parse("""
train; m Zug Züge
bus; m Bus Busse; Busses
ship; n Schiff Schiffe
ferry; f Fähre Fähren
night train; m Nachtzug Nachtzüge
""")

MATERIALS = (  # no plural; gender for adjectives without an article
    ("flour", "n", "Mehl"),
    ("sugar", "m", "Zucker"),
    ("butter", "f", "Butter"),
    ("rice", "m", "Reis"),
    ("cheese", "m", "Käse"),
    ("salt", "n", "Salz"),
    ("honey", "m", "Honig"),
    ("chocolate", "f", "Schokolade"),
    ("meat", "n", "Fleisch"),
    ("coal", "f", "Kohle"),
)
LIQUIDS = (
    ("milk", "f", "Milch"),
    ("water", "n", "Wasser"),
    ("oil", "n", "Öl"),
    ("wine", "m", "Wein"),
    ("beer", "n", "Bier"),
    ("coffee", "m", "Kaffee"),
    ("tea", "m", "Tee"),
    ("juice", "m", "Saft"),
)

MODIFIERS = (  # first parts of compounds
    ("kitchen", "Küchen"),
    ("garden", "Garten"),
    ("office", "Büro"),
    ("school", "Schul"),
    ("children's", "Kinder"),
    ("holiday", "Ferien"),
    ("winter", "Winter"),
    ("summer", "Sommer"),
    ("wooden", "Holz"),
    ("metal", "Metall"),
    ("paper", "Papier"),
    ("leather", "Leder"),
    ("travel", "Reise"),
    ("wall", "Wand"),
    ("toy", "Spielzeug"),
    ("hotel", "Hotel"),
)
HEADS = parse("""
table; m Tisch Tische
chair; m Stuhl Stühle
door; f Tür Türen
lamp; f Lampe Lampen
shelf/shelves; n Regal Regale
bag; f Tasche Taschen
book; n Buch Bücher
box; f Kiste Kisten
clock; f Uhr Uhren
picture; n Bild Bilder
key; m Schlüssel Schlüssel
house; n Haus Häuser
""")


def compound(modifier: tuple[str, str], head: Noun) -> Noun:
    """Return the compound of a modifier and a noun: wooden + table, Holztisch."""
    english, german = modifier
    return Noun(
        f"{english} {head.en}",
        f"{english} {head.en_plural}",
        head.gender,
        german + head.de.lower(),
        german + head.de_plural.lower(),
        german + head.genitive.lower(),
    )
