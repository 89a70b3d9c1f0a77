"""The embedded phrases are what the grammar generates, in correct German, and validation asks for composition."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from build_phrases import SEED, TRAINING, VALIDATION, distinct, held_out
from dynas import DynasError
from dynas.core.translation import UNK
from dynas.data.phrases import EMBEDDED, phrases
from dynas.data.text.parallel_files import TextPairs, near_duplicate_key, read_pairs
from dynas.data.text.translation import Translation
from phrase_grammar import adjectives, nouns, verbs
from phrase_grammar.clauses import Clause, Object
from phrase_grammar.draw import Draw
from phrase_grammar.noun_phrases import NAMES, SHE, NounPhrase, noun_phrase, possessed
from phrase_grammar.numbers import english, german

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data() -> Translation:
    return phrases(None, 0)


@pytest.fixture(scope="module")
def training() -> TextPairs:
    return read_pairs(str(EMBEDDED / "train.tsv.xz"), None)


@pytest.fixture(scope="module")
def validation() -> TextPairs:
    return read_pairs(str(EMBEDDED / "validation.tsv.xz"), None)


def test_the_embedded_data_is_small_and_large_enough(data: Translation) -> None:
    assert len(data.validation) == len(data.references) == VALIDATION == 1200
    assert data.source_vocabulary == data.target_vocabulary <= 2000
    assert data.source_vocabulary % 8 == 0
    assert sum(path.stat().st_size for path in EMBEDDED.iterdir()) < 1_000_000


def test_references_are_what_their_ids_say(data: Translation) -> None:
    assert [data.detokenise(target) for _, target in data.validation] == data.references
    assert not any(UNK in source + target for source, target in data.validation)
    assert max(len(side) for pair in data.validation for side in pair) <= 60


def test_a_sample_is_decided_by_its_seed(data: Translation) -> None:
    first, same, other = (phrases(50, seed).references for seed in (1, 1, 2))
    assert first == same
    assert first != other
    assert set(first) <= set(data.references)
    with pytest.raises(DynasError, match=r"data\.validation_size=1201 must be between 1 and the 1200"):
        phrases(1201, 0)


def test_no_sentence_stands_twice_even_with_other_punctuation(training: TextPairs, validation: TextPairs) -> None:
    for side in ("sources", "targets"):
        keys = [near_duplicate_key(text) for pairs in (training, validation) for text in getattr(pairs, side)]
        assert len(set(keys)) == len(keys) == TRAINING + VALIDATION


def test_validation_is_put_together_from_known_words(training: TextPairs, validation: TextPairs) -> None:
    """Whole words that training never shows are numbers, dates and prices above all."""
    for side in ("sources", "targets"):
        known, asked = (set(re.findall(r"[^\W\d_]+", " ".join(getattr(p, side)))) for p in (training, validation))
        words = [word for word in asked - known if not re.search(r"hundert|und|tausend|zig", word)]
        assert len(words) < 0.02 * len(asked), words


def test_an_epoch_shows_all_training_pairs(data: Translation) -> None:
    assert len(data) == TRAINING
    batches = list(data.training_batches(4096, np.random.default_rng(0)))
    assert sum(len(source) for source, _, _ in batches) == TRAINING
    assert len(batches) == data.training_steps(4096)


def test_the_embedded_pairs_are_what_the_grammar_generates(training: TextPairs, validation: TextPairs) -> None:
    babel = pytest.importorskip("babel")
    if f"Babel {babel.__version__} " not in (EMBEDDED / "LICENCE").read_text():
        pytest.skip("the installed Babel brings another CLDR than the one that the phrases were made with")
    generated = list(itertools.islice(distinct(Draw(SEED)), 600))
    for pairs, is_new in ((training, False), (validation, True)):
        own = [pair for pair, new in generated if new == is_new]
        assert len(own) > 50
        assert list(zip(pairs.sources, pairs.targets, strict=True))[: len(own)] == own


def test_validation_has_what_training_lacks() -> None:
    draw = Draw(1)
    for _, is_new in itertools.islice(distinct(draw), 300):
        assert any(map(held_out, draw.combinations)) == is_new


GERMAN = {word: number for number, word in enumerate("null ein zwei drei vier fünf sechs sieben acht neun".split())}
GERMAN |= {"zehn": 10, "elf": 11, "zwölf": 12, "sechzehn": 16, "siebzehn": 17}
GERMAN |= {f"{word}zehn": 10 + GERMAN[word] for word in ("drei", "vier", "fünf", "acht", "neun")}
TENS = {"zwanzig": 20, "dreißig": 30, "vierzig": 40, "fünfzig": 50, "sechzig": 60, "siebzig": 70, "achtzig": 80}
TENS["neunzig"] = 90


def read_german(word: str) -> int:
    """Return the number that German number words mean, by rules of their own."""
    for name, factor in (("tausend", 1000), ("hundert", 100)):
        head, found, rest = word.partition(name)
        if found:
            return (read_german(head) if head else 1) * factor + (read_german(rest) if rest else 0)
    for name, value in TENS.items():
        if word.endswith(name):
            ones = word.removesuffix(name).removesuffix("und")
            return value + (GERMAN[ones] if ones else 0)
    return GERMAN[word.removesuffix("s") if word == "eins" else word]


@given(st.integers(0, 999_999))
def test_german_number_words_can_be_read_back(number: int) -> None:
    assert read_german(german(number)) == number


def test_number_words_are_unique() -> None:
    for words in (english, german):
        assert len({words(number) for number in range(20_000)}) == 20_000


@pytest.mark.parametrize(
    ("number", "en", "de"),
    [
        (0, "zero", "null"),
        (1, "one", "eins"),
        (16, "sixteen", "sechzehn"),
        (21, "twenty-one", "einundzwanzig"),
        (30, "thirty", "dreißig"),
        (77, "seventy-seven", "siebenundsiebzig"),
        (100, "one hundred", "hundert"),
        (101, "one hundred and one", "hunderteins"),
        (1_111, "one thousand one hundred and eleven", "tausendeinhundertelf"),
        (2_005, "two thousand and five", "zweitausendfünf"),
        (21_000, "twenty-one thousand", "einundzwanzigtausend"),
        (201_301, "two hundred and one thousand three hundred and one", "zweihunderteintausenddreihunderteins"),
    ],
)
def test_number_words_of_both_languages(number: int, en: str, de: str) -> None:
    assert (english(number), german(number)) == (en, de)


def noun(name: str) -> nouns.Noun:
    tables = (nouns.PERSONS, nouns.THINGS, nouns.ANIMALS, nouns.VEHICLES)
    return next(noun for table in tables for noun in table if noun.en == name)


def adjective(name: str) -> adjectives.Adjective:
    tables = adjectives.OF_THINGS + adjectives.COLOURS + adjectives.OF_PERSONS
    return next(adjective for adjective in tables if adjective.en == name)


@pytest.mark.parametrize(
    ("determiner", "quality", "name", "plural", "forms"),
    [
        ("the", "old", "table", False, "der alte Tisch, den alten Tisch, dem alten Tisch, des alten Tisches"),
        ("a", "old", "table", False, "ein alter Tisch, einen alten Tisch, einem alten Tisch, eines alten Tisches"),
        ("a", "expensive", "bed", False, "ein teures Bett, ein teures Bett, einem teuren Bett, eines teuren Bettes"),
        ("a", "red", "box", True, "rote Kisten, rote Kisten, roten Kisten, roter Kisten"),
        (
            "our",
            "dark",
            "clock",
            False,
            "unsere dunkle Uhr, unsere dunkle Uhr, unserer dunklen Uhr, unserer dunklen Uhr",
        ),
        (
            "this",
            "new",
            "bag",
            True,
            "diese neuen Taschen, diese neuen Taschen, diesen neuen Taschen, dieser neuen Taschen",
        ),
        (
            "the",
            "young",
            "student",
            False,
            "der junge Student, den jungen Studenten, dem jungen Studenten, des jungen Studenten",
        ),
        (
            "my",
            "tired",
            "child",
            True,
            "meine müden Kinder, meine müden Kinder, meinen müden Kindern, meiner müden Kinder",
        ),
    ],
)
def test_articles_adjectives_and_nouns_agree(
    determiner: str, quality: str, name: str, plural: bool, forms: str
) -> None:
    phrase = noun_phrase(determiner, [adjective(quality)], noun(name), plural)
    assert ", ".join(phrase.de) == forms


def test_counted_nouns_take_strong_adjectives() -> None:
    phrase = noun_phrase("", [adjective("red")], noun("bag"), number=21)
    assert (phrase.en, phrase.german("acc"), phrase.german("dat", "mit")) == (
        "twenty-one red bags",
        "einundzwanzig rote Taschen",
        "mit einundzwanzig roten Taschen",
    )


def test_prepositions_draw_the_definite_article_together() -> None:
    bus = noun_phrase("the", [], noun("bus"))
    assert [bus.german("dat", word) for word in ("in", "an", "zu", "von", "bei", "mit")] == [
        "im Bus", "am Bus", "zum Bus", "vom Bus", "beim Bus", "mit dem Bus",
    ]  # fmt: skip
    assert noun_phrase("this", [], noun("bus")).german("dat", "in") == "in diesem Bus"


def test_owners_stand_in_the_genitive() -> None:
    teacher, anna = noun_phrase("the", [], noun("teacher")), NAMES[0]
    assert possessed(teacher, [adjective("old")], noun("car"), False).german("dat") == "dem alten Auto des Lehrers"
    assert possessed(anna, [adjective("old")], noun("car"), False).german("dat") == "Annas altem Auto"
    assert possessed(anna, [adjective("old")], noun("car"), False).german("nom") == "Annas altes Auto"


WOMAN, CAR = noun_phrase("the", [], noun("woman")), noun_phrase("a", [adjective("red")], noun("car"))
PICK_UP = next(verb for verb in verbs.WITH_THINGS if verb.prefix == "ab")
BUY = verbs.WITH_THINGS[0]


def clause(verb: verbs.Verb, tense: str, phrase: NounPhrase = CAR) -> Clause:
    return Clause(WOMAN, verb, tense, (Object(phrase),), ("on Monday", "am Montag"), ("in Rome", "in Rom"))


@pytest.mark.parametrize(
    ("tense", "en", "main", "subordinate"),
    [
        ("present", "picks up", "holt {} ab", "{} abholt"),
        ("past", "picked up", "hat {} abgeholt", "{} abgeholt hat"),
        ("future", "will pick up", "wird {} abholen", "{} abholen wird"),
        ("have to", "has to pick up", "muss {} abholen", "{} abholen muss"),
    ],
)
def test_verbs_stand_second_and_last(tense: str, en: str, main: str, subordinate: str) -> None:
    one, middle = clause(PICK_UP, tense), "am Montag ein rotes Auto in Rom"
    assert one.english() == f"the woman {en} a red car in Rome on Monday"
    assert one.german() == "die Frau " + main.format(middle)
    assert one.subordinate() == "die Frau " + subordinate.format(middle)
    finite, _, end = main.partition(" {} ")
    assert one.german(front=True) == f"am Montag {finite} die Frau ein rotes Auto in Rom {end}"
    assert one.german(question=True) == f"{finite} die Frau {middle} {end}"


def test_pronouns_come_before_the_time_and_split_english_verbs() -> None:
    one = clause(PICK_UP, "past", SHE)
    assert one.english() == "the woman picked her up in Rome on Monday"
    assert one.german() == "die Frau hat sie am Montag in Rom abgeholt"


def test_separable_verbs_take_zu_inside() -> None:
    assert clause(PICK_UP, "present").german_purpose() == "um ein rotes Auto in Rom abzuholen"
    assert clause(BUY, "present").german_purpose() == "um ein rotes Auto in Rom zu kaufen"


@given(st.integers(0, 10_000))
def test_sentences_are_well_formed(seed: int) -> None:
    for (en, de), _ in itertools.islice(distinct(Draw(seed)), 3):
        for text in (en, de):
            assert text[0] == text[0].upper()
            assert not re.search(r"  |,,| [,.?]|,\.|,$|\bNone\b|\{", text)
        assert not re.search(r"\b(kein|ein) (der|die|das|den|dem|ein)\b", de)
        assert not re.search(r"\b(in|an|zu|von) dem \w", de), "drawn together"
        assert en.count("?") == de.count("?")
