"""Clauses: one subject, verb, objects, time and place, put into the word order of either language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from phrase_grammar.noun_phrases import NounPhrase
from phrase_grammar.verbs import Verb, english_forms, german_final, german_forms

Phrase = tuple[str, str]


@dataclass(frozen=True)
class Object:
    """What a verb acts on, in a case and perhaps behind a preposition."""

    phrase: NounPhrase
    case: str = "acc"
    en_preposition: str = ""
    preposition: str = ""

    @property
    def english(self) -> str:
        """The English form."""
        return f"{self.en_preposition} {self.phrase.as_object}".strip()

    @property
    def german(self) -> str:
        """The German form."""
        return self.phrase.german(self.case, self.preposition)


@dataclass(frozen=True)
class Clause:
    """One clause.

    Attributes:
        subject: what the verb agrees with.
        verb: the verb.
        tense: one of `phrase_grammar.verbs.TENSES`.
        objects: in English order.
        when: time in English and German.
        where: place or direction in English and German.
        negated: True for ``not`` and ``nicht``.
        addition: German and English text that ends the sentence, such as a relative clause of the last object.
    """

    subject: NounPhrase
    verb: Verb
    tense: str
    objects: tuple[Object, ...] = ()
    when: Phrase | None = None
    where: Phrase | None = None
    negated: bool = False
    addition: Phrase | None = None

    @property
    def negated_by_article(self) -> bool:
        """Whether German says ``kein``: the object carries the negation, and there is no ``nicht``."""
        return any(item.phrase.de[1].startswith("kein") for item in self.objects)

    def _english(self, auxiliary_first: bool) -> tuple[str, str, str]:
        """Return auxiliary, subject and the rest of the predicate."""
        auxiliary, main, plain = english_forms(self.verb, self.tense, self.subject.person)
        if auxiliary_first or self.negated or not plain:
            negation = "not " if self.negated else ""
            if auxiliary_first:
                return auxiliary, self.subject.en, negation + main
            return "", self.subject.en, f"{auxiliary} {negation}{main}".replace("can not", "cannot")
        return "", self.subject.en, plain

    def _english_rest(self, objects: Sequence[Object]) -> list[str]:
        """Return what follows the verb in English."""
        particle = self.verb.particle
        words = [item.english for item in objects]
        if objects and objects[0].phrase.kind == "pronoun" and not objects[0].en_preposition:
            words.insert(1, particle)  # picks her up
        else:
            words.insert(0, particle)  # picks up the teacher
        return words

    def english(self, front: bool = False, question: bool = False) -> str:
        """Return the English clause, with the time in ``front`` or as a question."""
        auxiliary, subject, predicate = self._english(question)
        time = self.when[0] if self.when else ""
        where = self.where[0] if self.where else ""
        words = [auxiliary, subject, predicate, *self._english_rest(self.objects), where]
        words += [self.addition[0] if self.addition else "", "" if front else time]
        text = " ".join(word for word in words if word)
        return f"{time}, {text}" if front and time else text

    def middle(self, subject: str = "", when: bool = True) -> list[str]:
        """Return what stands between the finite and the other verbs in German."""
        pronouns = [item for item in self.objects if item.phrase.kind == "pronoun" and not item.preposition]
        plain = [item for item in self.objects if item not in pronouns and not item.preposition]
        prepositional = [item.german for item in self.objects if item.preposition]
        words = [subject]
        words += [item.german for item in sorted(pronouns, key=lambda item: item.case == "dat")]
        words += [self.when[1]] if self.when and when else []
        words += [item.german for item in sorted(plain, key=lambda item: item.case != "dat")]
        words += ["nicht"] if self.negated and not self.negated_by_article else []
        words += [*prepositional, self.where[1] if self.where else ""]
        return words

    def german(self, front: bool = False, question: bool = False) -> str:
        """Return the German main clause: the verb second, or first in a question."""
        finite, end = german_forms(self.verb, self.tense, self.subject.person)
        subject = self.subject.german("nom")
        if question:
            words = [finite, *self.middle(subject), end]
        elif front and self.when:
            words = [self.when[1], finite, *self.middle(subject, when=False), end]
        else:
            words = [subject, finite, *self.middle(), end]
        return self._joined(words)

    def inverted(self) -> str:
        """Return the German main clause after a subordinate one: the verb comes first."""
        return self.german(question=True)

    def subordinate(self, subject: str | None = None) -> str:
        """Return the German subordinate clause without its conjunction: all verbs at the end."""
        own = self.subject.german("nom") if subject is None else subject
        final = german_final(self.verb, self.tense, self.subject.person)
        return self._joined([*self.middle(own), final])

    def english_purpose(self) -> str:
        """Return ``to buy the car``, without a subject."""
        words = ["to", self.verb.en, *self._english_rest(self.objects), self.where[0] if self.where else ""]
        return " ".join(word for word in words if word)

    def german_purpose(self) -> str:
        """Return ``um das Auto zu kaufen``, without a subject."""
        return self._joined(["um", *replace(self, negated=False).middle(when=False), self.verb.zu_infinitive])

    def _joined(self, words: Sequence[str]) -> str:
        """Return German words with spaces, and the addition behind a comma."""
        text = " ".join(word for word in words if word)
        return f"{text}, {self.addition[1]}" if self.addition else text
