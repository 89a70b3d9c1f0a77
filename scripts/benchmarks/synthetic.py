"""Landscapes of kinds that trained supernets here do not show, each a formula with random numbers of its own.

Every landscape has what makes one kind hard and little else, so that a search which leads on all of them does not owe
it to one habit of one supernet. `sample_efficiency.py` runs searches on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dynas.core.design import DesignVariable
from dynas.core.objectives import Objective, Values, losses
from dynas.core.problem import Problem
from dynas.core.space import Genotypes, SearchSpace
from dynas.supernets.mbv3 import search_space
from landscape import Landscape

Function = Callable[[Genotypes], Values]  # genotypes (n, G) -> values (n,)
SAMPLE = 4000  # random sub-networks by which references and bounds are set
QUALITY = Objective("quality", "max", "points")
LATENCY, COST = Objective("latency", "min", "ms"), Objective("cost", "min", "coins", exact=True)


def genes(count: int, options: int) -> SearchSpace:
    """Return a space of independent genes with the same number of options."""
    return SearchSpace([DesignVariable("gene", tuple(range(options)), length=count)])


def tables(space: SearchSpace, groups: Sequence[Sequence[int]], rng: np.random.Generator) -> Function:
    """Return the sum over groups of genes of a normal number for every combination of the group's options."""
    places = [np.array(group) for group in groups]
    numbers = [rng.normal(size=tuple(space.cardinality[group])) for group in places]

    def total(genotypes: Genotypes) -> Values:
        rows = [table[tuple(genotypes[:, group].T)] for group, table in zip(places, numbers, strict=True)]
        return np.asarray(np.sum(rows, axis=0))

    return total


def pairs(space: SearchSpace, count: int, rng: np.random.Generator) -> list[list[int]]:
    """Return so many random pairs of different genes."""
    return [rng.choice(space.n_genes, 2, replace=False).tolist() for _ in range(count)]


def saturating(space: SearchSpace, rng: np.random.Generator, interactions: int, share: float = 0.15) -> Function:
    """Return a quality that larger options raise less and less, each gene at its own rate, and pairs modulate.

    Args:
        space: independent genes.
        rng: draws weights and rates.
        interactions: pairs of genes whose product of places counts, too.
        share: of a single gene's deviation that a pair has.
    """
    weight, rate = rng.lognormal(sigma=0.7, size=space.n_genes), rng.uniform(0.5, 6.0, space.n_genes)
    couples = np.array(pairs(space, interactions, rng)).reshape(-1, 2)
    strength = share * rng.normal(size=interactions) * weight.mean() * 4

    def quality(genotypes: Genotypes) -> Values:
        places = genotypes / (space.cardinality - 1)
        single = (weight * (1 - np.exp(-rate * places)) / (1 - np.exp(-rate))).sum(axis=1)
        left, right = places[:, couples[:, 0]] - 0.5, places[:, couples[:, 1]] - 0.5
        return np.asarray(single + (strength * left * right).sum(axis=1))

    return quality


def linear(space: SearchSpace, rng: np.random.Generator, base: float = 0.1) -> Function:
    """Return a cost that rises with every gene's place, by a random number each, above a base in shares of the sum."""
    weight = rng.lognormal(sigma=0.7, size=space.n_genes)

    def cost(genotypes: Genotypes) -> Values:
        return np.asarray((genotypes / (space.cardinality - 1)) @ weight + base * weight.sum())

    return cost


def build(
    space: SearchSpace,
    parts: Sequence[tuple[Objective, Function]],
    reference: Values | None = None,
    noise: float = 0.0,
) -> Landscape:
    """Return the landscape of objectives and their functions.

    Args:
        space: what is searched.
        parts: objectives and what gives their values.
        reference: losses ``(M,)`` up to which hypervolume counts; None: each objective's 95 % worst of a sample.
        noise: of a measurement, in shares of each measured objective's range between 5 and 95 % of a sample.
    """
    objectives = tuple(objective for objective, _ in parts)
    problem = Problem(space, objectives, {one.name: function for one, function in parts if one.exact})

    def values(genotypes: Genotypes) -> Values:
        return np.stack([function(genotypes) for _, function in parts], axis=1).astype(float)

    sample = losses(objectives, values(space.sample(SAMPLE, np.random.default_rng(0))))
    best, worst = np.quantile(sample, [0.05, 0.95], axis=0)
    deviation = noise * (worst - best) * np.array([not objective.exact for objective in objectives])
    return Landscape(problem, values, worst if reference is None else reference, deviation if noise else None)


def rugged(terms: int = 60, strength: float = 0.35) -> Landscape:
    """Return a landscape of which triples of genes explain more than single genes do.

    Each triple adds a random number for every combination of its options, absence being one of them.
    """
    space, rng = search_space(), np.random.default_rng(5)
    main, cost_weights = (np.concatenate([np.sort(rng.random(count)) for count in space.cardinality]) for _ in range(2))
    triples = [rng.choice(space.n_genes, 3, replace=False) for _ in range(terms)]
    numbers = rng.normal(scale=strength, size=(terms, 4, 4, 4))

    def quality(genotypes: Genotypes) -> Values:
        options = np.where(space.active(genotypes), genotypes, 3)
        total = (space.one_hot(genotypes) * main).sum(axis=1) / 2
        for triple, table in zip(triples, numbers, strict=True):
            total = total + table[tuple(options[:, triple].T)]
        return np.asarray(total)

    def cost(genotypes: Genotypes) -> Values:
        return np.asarray((space.one_hot(genotypes) * cost_weights).sum(axis=1))

    sample = space.sample(2000, np.random.default_rng(0))
    reference = np.array([-np.quantile(quality(sample), 0.1), cost(space.largest()[None])[0]])
    return build(space, [(QUALITY, quality), (COST, cost)], reference)


def unordered() -> Landscape:
    """Return 25 genes of 5 options whose order means nothing; 40 pairs of genes count as much as the single ones."""
    space, rng = genes(25, 5), np.random.default_rng(1)
    single = tables(space, [[gene] for gene in range(space.n_genes)], rng)
    coupled = tables(space, pairs(space, 40, rng), rng)
    cost = tables(space, [[gene] for gene in range(space.n_genes)], rng)
    return build(space, [(QUALITY, lambda rows: single(rows) + 0.8 * coupled(rows)), (COST, cost)])


def nk(k: int) -> Landscape:
    """Return two NK landscapes of 30 genes of 3 options, both measured (Verel et al. 2013, MNK-landscapes).

    Each gene's contribution depends on its own option and those of ``k`` others, chosen at random
    (doi 10.1016/j.ejor.2012.12.019).
    """
    space, rng = genes(30, 3), np.random.default_rng(10 + k)

    def one() -> Function:
        others = [rng.choice(np.delete(np.arange(30), gene), k, replace=False) for gene in range(30)]
        return tables(space, [[gene, *rest] for gene, rest in enumerate(others)], rng)

    return build(space, [(QUALITY, one()), (Objective("second", "max", "points"), one())])


def ordered() -> Landscape:
    """Return 20 genes of 64 ordered options, of which each has diminishing returns."""
    space, rng = genes(20, 64), np.random.default_rng(2)
    return build(space, [(QUALITY, saturating(space, rng, 30)), (COST, linear(space, rng))])


def dominant() -> Landscape:
    """Return 27 genes of which the first, a width, multiplies what all the others do; both objectives are measured."""
    rng = np.random.default_rng(3)
    space = SearchSpace(
        [DesignVariable("width", (128, 256, 384, 512, 640, 768)), DesignVariable("layer", (1, 2, 3, 4), length=26)]
    )
    gain, price = rng.lognormal(sigma=0.6, size=26), rng.lognormal(sigma=0.6, size=26)
    width = np.array(space.variables[0].choices, dtype=float)
    coupled = tables(space, pairs(space, 30, rng), rng)

    def perplexity(genotypes: Genotypes) -> Values:
        size = width[genotypes[:, 0]] ** 1.2 * (1 + np.sqrt(1 + genotypes[:, 1:]) @ gain)
        return np.asarray(10 + 900 * size**-0.35 + 0.1 * coupled(genotypes))

    def latency(genotypes: Genotypes) -> Values:
        wide = width[genotypes[:, 0]] / 100
        return np.asarray(2 + wide**1.3 * ((1 + genotypes[:, 1:]) @ price) / 20)

    return build(space, [(Objective("perplexity", "min", ""), perplexity), (LATENCY, latency)])


def noisy() -> Landscape:
    """Return 30 genes of 4 options with measurements that are off by 3 % of each objective's range."""
    space, rng = genes(30, 4), np.random.default_rng(4)
    return build(space, [(QUALITY, saturating(space, rng, 40)), (LATENCY, linear(space, rng))], noise=0.03)


def tight(share: float = 0.01) -> Landscape:
    """Return two measured objectives with a bound each, both kept by a hundredth of the space."""
    space, rng = genes(30, 4), np.random.default_rng(6)
    quality, latency = saturating(space, rng, 40), linear(space, rng)
    sample = space.sample(20 * SAMPLE, np.random.default_rng(0))
    points, seconds = quality(sample), latency(sample)
    levels = np.linspace(0.0, 0.5, 501)
    least, most = np.quantile(points, 1 - levels), np.quantile(seconds, levels)
    kept = [np.mean((points >= low) & (seconds <= high)) for low, high in zip(least, most, strict=True)]
    place = int(np.argmax(np.array(kept) >= share))
    low, high = float(least[place]), float(most[place])
    bounded = (Objective("quality", "max", "points", bound=low), Objective("latency", "min", "ms", bound=high))
    return build(space, list(zip(bounded, (quality, latency), strict=True)), np.array([-low, high]))


def large(count: int = 120) -> Landscape:
    """Return 120 genes of 4 options, which are more than a search of 150 evaluations has examples."""
    space, rng = genes(count, 4), np.random.default_rng(7)
    return build(space, [(QUALITY, saturating(space, rng, 150)), (LATENCY, linear(space, rng))])


def four() -> Landscape:
    """Return four objectives over 30 genes of 4 options, of which one is exact."""
    space, rng = genes(30, 4), np.random.default_rng(8)
    objectives = (QUALITY, Objective("robustness", "max", "points"), LATENCY, COST)
    functions = (saturating(space, rng, 40), saturating(space, rng, 40), linear(space, rng), linear(space, rng))
    return build(space, list(zip(objectives, functions, strict=True)))
