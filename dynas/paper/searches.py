"""Searches that figures are made of, on landscapes where they can be made in minutes."""

from __future__ import annotations

from dataclasses import dataclass

from dynas.paper.jobs import RUNS, Job

POPULATIONS_PER_BUDGET = 5  # at least so many rounds, where the paper's own populations are too large for a budget


@dataclass(frozen=True)
class Size:
    """What a user wants instead of a figure's own numbers; None: those.

    Attributes:
        seeds: number of searches that are averaged.
        budget: evaluations of a LINAS search; other searches keep their ratio to it.
    """

    seeds: int | None = None
    budget: int | None = None

    def options(self) -> str:
        """Return it as one would type it."""
        given = {"seeds": self.seeds, "budget": self.budget}
        return "".join(f" --{name} {value}" for name, value in given.items() if value is not None)


@dataclass(frozen=True)
class Landscape:
    """What is searched.

    Attributes:
        name: one word for titles and folders.
        about: one sentence.
        overrides: what every command needs to be told.
        timed: whether something is timed there, so that nothing else may run meanwhile.
        table: the supernet whose shipped table it is; empty for none.
    """

    name: str
    about: str
    overrides: tuple[str, ...]
    timed: bool = False
    table: str = ""


@dataclass(frozen=True)
class Search:
    """A search with all but its landscape, size and seed.

    Attributes:
        label: its name in pictures and tables.
        overrides: what ``dynas search`` needs to be told.
        times: its budget, in budgets of the figure.
        populations: config keys that hold the size of a round, ...
        population: ... which is this, or a fifth of the budget where that is less.
        training: size of a random training set, in budgets of the figure; 0: there is none.
        first: a search, with seed 0, whose front is measured first.
    """

    label: str
    overrides: tuple[str, ...]
    times: float = 1
    populations: tuple[str, ...] = ()
    population: int = 50
    training: float = 0
    first: Search | None = None

    def job(self, landscape: Landscape, budget: int, seed: int) -> Job:
        """Return the run with a seed where LINAS gets ``budget`` evaluations."""
        whole = round(self.times * budget)
        given = [*landscape.overrides, *self.overrides, f"budget={whole}", f"seed={seed}"]
        if (round_size := whole // POPULATIONS_PER_BUDGET) < self.population:
            given += [f"{key}={round_size}" for key in self.populations]
        if self.training:
            given.append(f"mode.training={round(self.training * budget)}")
        before = () if self.first is None else (self.first.job(landscape, budget, 0),)
        given += [f'warm_start="{RUNS}/{job.name}"' for job in before]
        title = f"{landscape.name}, {self.label}, {whole} evaluations, seed {seed}"
        return Job("search", tuple(given), title, alone=landscape.timed, after=before)
