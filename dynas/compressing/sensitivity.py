"""What each change of the original does by itself: one group at another width, one block left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynas.core.objectives import Objective
from dynas.core.problem import Batch
from dynas.core.space import SearchSpace
from dynas.system.files import number, write_csv

TABLE, PICTURE = "sensitivity.csv", "sensitivity.png"


@dataclass(frozen=True)
class Change:
    """One gene of the original at another option.

    Attributes:
        gene: which one.
        option: its option.
        genotype: what comes out ``(G,)``, canonical.
    """

    gene: int
    option: int
    genotype: NDArray[np.int64]


def changes(space: SearchSpace) -> list[Change]:
    """Return all changes of the largest sub-network in one gene, each once: of all genes the middle option comes first.

    Where time ends on the way, something is then known of every gene.
    """
    largest = space.canonical(space.largest()[None])[0]
    found: dict[bytes, tuple[int, Change]] = {}
    for gene, count in enumerate(space.cardinality):
        below = list(range(int(count) - 1))
        middle = below[len(below) // 2 :] + below[: len(below) // 2] if below else []
        for turn, option in enumerate(middle):
            row = space.largest()
            row[gene] = option
            row = space.canonical(row[None])[0]
            if (row != largest).any():
                found.setdefault(row.tobytes(), (turn, Change(gene, int(row[gene]), row)))
    return [change for _, change in sorted(found.values(), key=lambda pair: pair[0])]


def losses_of(space: SearchSpace, made: Sequence[Change], known: Batch, original: Batch) -> NDArray[np.float64]:
    """Return what each option costs of the first objective ``(G, options)``, by itself.

    0 at the original's option. What was not measured counts as the next deeper cut of its gene that was, or infinite.

    Args:
        space: of the genotypes.
        made: all changes.
        known: what was measured.
        original: that one, a single row.
    """
    losses = np.full((space.n_genes, int(space.cardinality.max())), np.inf)
    losses[np.arange(space.n_genes), space.cardinality - 1] = 0.0
    found = {row.tobytes(): float(loss) for row, loss in zip(known.genotypes, known.losses[:, 0], strict=True)}
    base = float(original.losses[0, 0])
    for change in made:
        loss = found.get(change.genotype.tobytes(), np.nan)
        if np.isfinite(loss):
            losses[change.gene, change.option] = loss - base
    for row, count in zip(losses, space.cardinality, strict=True):
        for option in range(1, int(count)):
            if np.isinf(row[option]):
                row[option] = row[option - 1]
    return losses


def gene_names(space: SearchSpace, names: Sequence[str]) -> Iterator[tuple[str, str, object]]:
    """Yield, gene by gene, its design variable, what it is called, and its options."""
    genes = [variable for variable in space.variables for _ in range(variable.length)]
    places = [place for variable in space.variables for place in range(variable.length)]
    for gene, (variable, place) in enumerate(zip(genes, places, strict=True)):
        yield variable.name, names[gene] if gene < len(names) else f"{variable.name}[{place}]", variable.choices


def write_sensitivity(
    folder: Path,
    space: SearchSpace,
    names: Sequence[str],
    objectives: Sequence[Objective],
    rows: Mapping[bytes, Sequence[float]],
) -> None:
    """Write sensitivity.csv and its picture: a row per change that was measured.

    Args:
        folder: where they go.
        space: of the genotypes.
        names: of the genes.
        objectives: what was measured.
        rows: by bytes of a canonical genotype, its values.
    """
    from dynas.report.plots.sensitivity import Bar, plot_sensitivity

    original = rows[space.canonical(space.largest()[None])[0].tobytes()]
    lines, bars = [], []
    named = list(gene_names(space, names))
    for change in sorted(changes(space), key=lambda one: (one.gene, one.option)):
        values = rows.get(change.genotype.tobytes())
        if values is None:
            continue
        variable, name, choices = named[change.gene]
        option = choices[change.option]  # type: ignore[index]
        lines.append([variable, name, option, *map(number, values)])
        bars.append(Bar(name, option, values[0] - original[0]))
    header = ["variable", "name", "option", *(one.column for one in objectives)]
    write_csv(folder / TABLE, header, [["", "original", "", *map(number, original)], *lines])
    if bars:
        plot_sensitivity(bars, objectives[0], folder / PICTURE)
