"""What the paper claims, what was found here, and whether the one bears out the other."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Generic, Literal, TypeVar

from dynas.errors import DynasError
from dynas.paper.markdown import markdown
from dynas.system.files import write_csv

Verdict = Literal["holds", "in direction only", "does not hold", "cannot be tried"]
HOLDS: Verdict = "holds"
DIRECTION: Verdict = "in direction only"
FAILS: Verdict = "does not hold"
UNTRIED: Verdict = "cannot be tried"
VERDICTS = (HOLDS, DIRECTION, FAILS, UNTRIED)
CLAIMS = "claims.csv"
Evidence = TypeVar("Evidence", contravariant=True)


class SameSearchError(DynasError):
    """A search is the same as another one, as populations are once a small budget has cut them."""


@dataclass(frozen=True)
class Finding:
    """What was found, in words with its numbers, and whether the claim holds."""

    here: str
    verdict: Verdict


@dataclass(frozen=True)
class Claim(Generic[Evidence]):
    """One claim of the paper's text.

    Attributes:
        place: where it stands.
        says: the claim, in our words.
        paper: its value there; a dash where it has none.
        judge: returns what evidence says of it.
    """

    place: str
    says: str
    paper: str
    judge: Callable[[Evidence], Finding]

    def judged(self, evidence: Evidence) -> Judged:
        """Return the claim with what evidence says of it."""
        try:
            found = self.judge(evidence)
        except SameSearchError as error:
            found = Finding(str(error), UNTRIED)
        return Judged(self.place, self.says, self.paper, found.here, found.verdict)


@dataclass(frozen=True)
class Judged:
    """A claim with what was found here: a row of the table of claims."""

    place: str
    says: str
    paper: str
    here: str
    verdict: str


def of_ratio(ratio: float, paper: float, here: str) -> Finding:
    """Judge a ratio that shall be at least the paper's: one above 1 is right in direction."""
    verdict = HOLDS if ratio >= paper else DIRECTION if ratio > 1 else FAILS
    return Finding(here, verdict)


def of_truth(holds: bool, here: str) -> Finding:
    """Judge what either holds or not."""
    return Finding(here, HOLDS if holds else FAILS)


def of_difference(difference: float, error: float, here: str) -> Finding:
    """Judge a difference that shall be positive: within two standard errors it is right in direction only.

    So it is where the error is NaN, as of single runs.
    """
    verdict = FAILS if difference <= 0 else HOLDS if difference > 2 * error else DIRECTION
    return Finding(here, verdict)


def untried(place: str, says: str, paper: str, why: str) -> Judged:
    """Return a claim that nothing here can try."""
    return Judged(place, says, paper, why, UNTRIED)


def table(claims: Iterable[Judged]) -> str:
    """Return claims as a Markdown table."""
    header = ["where", "claim", "paper", "here", "verdict"]
    rows = [[*map(str, astuple(claim))] for claim in claims]
    return markdown(header, rows, texts=len(header))


def count(claims: Sequence[Judged]) -> str:
    """Return how many claims hold and how many do not, in words."""
    found = Counter(claim.verdict for claim in claims)
    return f"{len(claims)} claims: " + ", ".join(
        f"{found[verdict]} {_plural(verdict, found[verdict])}" for verdict in VERDICTS
    )


def _plural(verdict: Verdict, number: int) -> str:
    if number == 1:
        return verdict
    return {HOLDS: "hold", FAILS: "do not hold"}.get(verdict, verdict)


def write_claims(folder: Path, claims: Sequence[Judged]) -> None:
    """Write the claims of a figure."""
    write_csv(folder / CLAIMS, [field.name for field in fields(Judged)], [astuple(claim) for claim in claims])


def read_claims(folder: Path) -> list[Judged]:
    """Read back what `write_claims` wrote; none where it wrote nothing."""
    path = folder / CLAIMS
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [Judged(**row) for row in csv.DictReader(file)]
