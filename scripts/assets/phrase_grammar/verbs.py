"""Verbs and their conjugation in both languages."""

from __future__ import annotations

import re
from dataclasses import dataclass

PERSONS = ("1sg", "3sg", "pl")


@dataclass(frozen=True)
class Verb:
    """One verb; ``particle`` follows the English verb, ``prefix`` is the German separable one."""

    en: str
    particle: str
    en_past: str
    en_participle: str
    prefix: str
    infinitive: str  # without the prefix
    third: str  # of the singular, without the prefix
    participle: str
    auxiliary: str
    preposition: str = ""  # German, before the object
    en_preposition: str = ""
    case: str = "acc"

    def present(self, person: str) -> str:
        """Return the German present tense without the prefix."""
        if person == "pl":
            return self.infinitive
        if person == "3sg" or self.infinitive == "wissen":
            return self.third
        return re.sub("e?n$", "e", self.infinitive)

    @property
    def full_infinitive(self) -> str:
        """The German infinitive."""
        return self.prefix + self.infinitive

    @property
    def zu_infinitive(self) -> str:
        """The German infinitive with zu: ``zu kaufen``, ``abzuholen``."""
        return f"{self.prefix}zu{self.infinitive}" if self.prefix else f"zu {self.infinitive}"

    def english_third(self) -> str:
        """Return the English third person singular, without the particle."""
        if re.search(r"[^aeiou]y$", self.en):
            return self.en[:-1] + "ies"
        return self.en + ("es" if re.search(r"(s|x|ch|sh|o)$", self.en) else "s")


def english_past(verb: str) -> str:
    """Return the regular past tense."""
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ied"
    return verb + ("d" if verb.endswith("e") else "ed")


def parse(text: str) -> tuple[Verb, ...]:
    """Return the verbs of lines ``english [past participle] (particle); German third participle [ist]; [object]``.

    The object is ``English preposition + German preposition + case``, with - for none.
    """
    verbs = []
    for line in text.strip().splitlines():
        english, german, *rest = (part.strip() for part in line.split(";"))
        plain, _, particle = english.partition(" +")
        words = plain.split()
        past = words[1] if len(words) > 1 else english_past(words[0])
        participle = words[2] if len(words) > 2 else past
        forms = german.split()
        prefix, _, infinitive = forms[0].rpartition("|")
        auxiliary = "sein" if forms[3:] == ["ist"] else "haben"
        en_preposition, preposition, case = (
            ("" if word == "-" else word.replace("_", " ") for word in rest[0].split()) if rest else ("", "", "acc")
        )
        verbs.append(
            Verb(
                words[0],
                particle.strip(),
                past,
                participle,
                prefix,
                infinitive,
                forms[1],
                forms[2],
                auxiliary,
                preposition,
                en_preposition,
                case,
            )
        )
    return tuple(verbs)


WITH_THINGS = parse("""
buy bought; kaufen kauft gekauft
sell sold; verkaufen verkauft verkauft
need; brauchen braucht gebraucht
find found; finden findet gefunden
lose lost; verlieren verliert verloren
carry; tragen trägt getragen
repair; reparieren repariert repariert
clean; putzen putzt geputzt
describe; beschreiben beschreibt beschrieben
hide hid hidden; verstecken versteckt versteckt
forget forgot forgotten; vergessen vergisst vergessen
steal stole stolen; stehlen stiehlt gestohlen
borrow; aus|leihen leiht ausgeliehen
admire; bewundern bewundert bewundert
bring brought + along; mit|bringen bringt mitgebracht
take took taken + along; mit|nehmen nimmt mitgenommen
pick + up; ab|holen holt abgeholt
throw threw thrown + away; weg|werfen wirft weggeworfen
unpack; aus|packen packt ausgepackt
try tried + out; aus|probieren probiert ausprobiert
draw drew drawn; zeichnen zeichnet gezeichnet
""")
WITH_PERSONS = parse("""
visit; besuchen besucht besucht
meet met; treffen trifft getroffen
know knew known; kennen kennt gekannt
invite; ein|laden lädt eingeladen
call; an|rufen ruft angerufen
see saw seen; sehen sieht gesehen
understand understood; verstehen versteht verstanden
pick + up; ab|holen holt abgeholt
greet; grüßen grüßt gegrüßt
interrupt; unterbrechen unterbricht unterbrochen
help; helfen hilft geholfen; - - dat
thank; danken dankt gedankt; - - dat
follow; folgen folgt gefolgt ist; - - dat
trust; vertrauen vertraut vertraut; - - dat
answer; antworten antwortet geantwortet; - - dat
listen; zu|hören hört zugehört; to - dat
congratulate; gratulieren gratuliert gratuliert; - - dat
wait; warten wartet gewartet; for auf acc
think thought; denken denkt gedacht; of an acc
dream; träumen träumt geträumt; of von dat
talk; sprechen spricht gesprochen; to mit dat
laugh; lachen lacht gelacht; about über acc
work; arbeiten arbeitet gearbeitet; with mit dat
ask; fragen fragt gefragt; about nach dat
""")
WITH_TEXTS = parse("""
read read; lesen liest gelesen
write wrote written; schreiben schreibt geschrieben
translate; übersetzen übersetzt übersetzt
copy; ab|schreiben schreibt abgeschrieben
print + out; aus|drucken druckt ausgedruckt
correct; korrigieren korrigiert korrigiert
understand understood; verstehen versteht verstanden
explain; erklären erklärt erklärt
read read + aloud; vor|lesen liest vorgelesen
send sent + off; ab|schicken schickt abgeschickt
talk; sprechen spricht gesprochen; about über acc
wait; warten wartet gewartet; for auf acc
""")
WITH_FOODS = parse("""
eat ate eaten; essen isst gegessen
order; bestellen bestellt bestellt
cook; kochen kocht gekocht
prepare; zu|bereiten bereitet zubereitet
taste; probieren probiert probiert
share; teilen teilt geteilt
""")
WITH_ANIMALS = parse("""
feed fed; füttern füttert gefüttert
see saw seen; sehen sieht gesehen
paint; malen malt gemalt
look looked + after; betreuen betreut betreut
photograph; fotografieren fotografiert fotografiert
""")
WITH_EVENTS = parse("""
miss; verpassen verpasst verpasst
plan planned; planen plant geplant
cancel cancelled; ab|sagen sagt abgesagt
postpone; verschieben verschiebt verschoben
prepare; vor|bereiten bereitet vorbereitet
organise; organisieren organisiert organisiert
take took taken + part; teil|nehmen nimmt teilgenommen; in an dat
""")
GIVING = parse("""
give gave given; geben gibt gegeben
show showed shown; zeigen zeigt gezeigt
send sent; schicken schickt geschickt
lend lent; leihen leiht geliehen
sell sold; verkaufen verkauft verkauft
bring brought; bringen bringt gebracht
offer; an|bieten bietet angeboten
promise; versprechen verspricht versprochen
""")
MOTION = parse("""
travel travelled; reisen reist gereist ist
drive drove driven; fahren fährt gefahren ist
fly flew flown; fliegen fliegt geflogen ist
come came come; kommen kommt gekommen ist
return; zurück|kehren kehrt zurückgekehrt ist
""")
WALKING = parse("""
go went gone; gehen geht gegangen ist
run ran run; laufen läuft gelaufen ist
come came come; kommen kommt gekommen ist
drive drove driven; fahren fährt gefahren ist
""")
STAYING = parse("""
live; wohnen wohnt gewohnt
work; arbeiten arbeitet gearbeitet
stay; bleiben bleibt geblieben ist
wait; warten wartet gewartet
sleep slept; schlafen schläft geschlafen
sing sang sung; singen singt gesungen
dance; tanzen tanzt getanzt
""")
LANGUAGES = parse("""
speak spoke spoken; sprechen spricht gesprochen
learn; lernen lernt gelernt
understand understood; verstehen versteht verstanden
teach taught; unterrichten unterrichtet unterrichtet
""")
SAYING = parse("""
say said; sagen sagt gesagt
believe; glauben glaubt geglaubt
hope; hoffen hofft gehofft
know knew known; wissen weiß gewusst
think thought; denken denkt gedacht
claim; behaupten behauptet behauptet
hear heard; hören hört gehört
""")
HAPPENING = parse("""
begin began begun; beginnen beginnt begonnen
end; enden endet geendet
take took taken + place; statt|finden findet stattgefunden
""")
GERMAN_AUXILIARIES = {
    "haben": ("habe", "hat", "haben"),
    "sein": ("bin", "ist", "sind"),
    "werden": ("werde", "wird", "werden"),
    "müssen": ("muss", "muss", "müssen"),
    "können": ("kann", "kann", "können"),
    "sollen": ("soll", "soll", "sollen"),
    "wollen": ("will", "will", "wollen"),
    "dürfen": ("darf", "darf", "dürfen"),
    "möchten": ("möchte", "möchte", "möchten"),
}
MODALS = {  # English, and what it is in German
    "can": "können",
    "should": "sollen",
    "may": "dürfen",
    "have to": "müssen",
    "want to": "wollen",
    "would like to": "möchten",
}
TENSES = ("present", "past", "perfect", "future", *MODALS)


def german_forms(verb: Verb, tense: str, person: str) -> tuple[str, str]:
    """Return the finite verb and what stands at the end of a main clause."""
    place = PERSONS.index(person)
    if tense == "present":
        return verb.present(person), verb.prefix
    if tense in ("past", "perfect"):
        return GERMAN_AUXILIARIES[verb.auxiliary][place], verb.participle
    name = "werden" if tense == "future" else MODALS[tense]
    return GERMAN_AUXILIARIES[name][place], verb.full_infinitive


def german_final(verb: Verb, tense: str, person: str) -> str:
    """Return all verbs at the end of a subordinate clause."""
    finite, end = german_forms(verb, tense, person)
    return end + finite if tense == "present" else f"{end} {finite}"


def english_forms(verb: Verb, tense: str, person: str) -> tuple[str, str, str]:
    """Return auxiliary and main verb as questions and negations need them, and the plain finite verb (or "")."""
    does = "does" if person == "3sg" else "do"
    if tense == "present":
        return does, verb.en, verb.english_third() if person == "3sg" else verb.en
    if tense == "past":
        return "did", verb.en, verb.en_past
    if tense == "perfect":
        return "has" if person == "3sg" else "have", verb.en_participle, ""
    if tense in ("have to", "want to"):
        plain = {"have to": "has to", "want to": "wants to"}[tense] if person == "3sg" else tense
        return does, f"{tense} {verb.en}", f"{plain} {verb.en}"
    if tense == "would like to":
        return "would", f"like to {verb.en}", ""
    return {"future": "will"}.get(tense, tense), verb.en, ""
