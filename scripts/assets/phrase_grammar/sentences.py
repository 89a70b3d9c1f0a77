"""Any sentence, each kind as often as it should come."""

from __future__ import annotations

from phrase_grammar import actions, facts
from phrase_grammar.draw import Draw
from phrase_grammar.finish import Phrase

KINDS = (  # each as often as it stands here
    *(actions.statement,) * 14,
    *(actions.with_relative_subject,) * 4,
    *(actions.with_relative_object,) * 4,
    *(actions.reason,) * 6,
    *(actions.condition,) * 4,
    *(actions.report,) * 5,
    *(actions.wondering,) * 3,
    *(actions.purpose,) * 4,
    *(actions.joined,) * 3,
    *(actions.yes_or_no,) * 3,
    *(actions.asking,) * 4,
    *(facts.costing,) * 3,
    *(facts.bought_for,) * 3,
    *(facts.comparing,) * 4,
    *(facts.cooking,) * 2,
    *(facts.travelling,) * 2,
    *(facts.happening,) * 2,
    *(facts.origin,) * 2,
    *(facts.adding,) * 2,
    facts.distance,
    facts.weather,
    facts.born,
    facts.opening,
    facts.counting,
    facts.visiting,
    facts.fragment,
    facts.invoice,
)


def sentence(draw: Draw) -> Phrase:
    """Return a random sentence in English and German."""
    draw.combinations.clear()
    return draw.pick(KINDS)(draw)
