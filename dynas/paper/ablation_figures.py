"""The paper's ablations on MobileNetV3: Figures 10 and 11, MACs instead of latency (14), and settings of NSGA-II."""

from __future__ import annotations

from dataclasses import replace

from dynas.paper import landscapes as on
from dynas.paper.across import warm_front_is_worse
from dynas.paper.claims import Claim
from dynas.paper.comparison import Compared
from dynas.paper.figure import Figure
from dynas.paper.judges import ahead, alike, catches_up, fewer, near_the_best, same, slower
from dynas.paper.landscapes import PAPER
from dynas.paper.search_figures import HALF, NSGA2
from dynas.paper.searches import Search
from dynas.paper.tables import correlations

ALONE = tuple(
    Search(label, (f"experiment=paper/{name}",), populations=on.ALGO, population=population)
    for label, name, population in (
        ("NSGA-II", "nsga2", 50), ("AGE-MOEA", "agemoea", 50), ("U-NSGA-III", "unsga3", 50), ("C-TAEA", "ctaea", 21),
        ("MOEA/D", "moead", 21), ("MOTPE", "motpe", 10),
    )
)  # fmt: skip
MOTPE = "MOTPE"
OTHERS = tuple(one.label for one in ALONE if one.label != MOTPE)


def inside(label: str, *settings: str) -> Search:
    """Return LINAS with something else than NSGA-II, ridge or a population of 50 inside."""
    return Search(f"LINAS with {label}", ("experiment=paper/linas", *settings), populations=on.ROUND)


INSIDE = tuple(
    inside(one.label, f"algo={one.overrides[0].rpartition('/')[2]}") for one in ALONE if one.label not in (NSGA2, MOTPE)
)
PREDICTORS = tuple(inside(name, f"predictor={name}") for name in ("svr_rbf", "svr_linear", "stacked", "gp"))


def sized(population: int, preset: str = "linas") -> Search:
    """Return LINAS with another population than Table 5's."""
    settings = (f"mode.population={population}", f"algo.population={population}")
    preset = f"experiment=paper/{preset}"
    return Search(f"LINAS, population {population}", (preset, *settings), populations=on.ROUND, population=population)


SIZES = tuple(map(sized, (20, 100)))


def nsga2(label: str, *settings: str) -> Search:
    """Return NSGA-II with another setting than Table 5's."""
    return Search(label, ("experiment=paper/nsga2", *settings), populations=on.ALGO)


THREE = "objectives=[top1,latency,macs]"
BY_MACS = replace(nsga2("NSGA-II by MACs", "objectives=top1_macs"), times=4)
WARM = replace(nsga2("NSGA-II from a front by MACs"), times=4, first=BY_MACS)
SAMPLED = Search("random sub-networks", ("algo=random", "mode=validation", THREE), populations=on.ALGO)
LATENCY_ONLY = (replace(on.NSGA2, times=4), WARM)
MUTATIONS = tuple(nsga2(f"mutation {rate}", f"algo.mutation={rate}") for rate in (0.01, 0.05, 0.1))
WHOLE = nsga2("crossover 1.0", "algo.crossover=1.0")

ABLATION_FIGURES = (
    Figure(
        "figure10",
        "search algorithms inside LINAS (a), and every candidate measured (b)",
        "The algorithms of Table 4 on the Note10. Inside LINAS, MOTPE takes too long for 20,000 predictions.",
        (
            Compared(
                on.NOTE10, (on.LINAS, *INSIDE), ("hypervolume",),
                (
                    Claim(
                        "Figure 10a", "NSGA-II, AGE-MOEA and U-NSGA-III do well inside LINAS: within 2 %", "—",
                        near_the_best((PAPER, "LINAS with AGE-MOEA", "LINAS with U-NSGA-III"), 0.02),
                    ),
                ),
                "inside", budget=250,
            ),
            Compared(
                on.NOTE10, (*ALONE, on.RANDOM_SEARCH), ("hypervolume",),
                (
                    Claim("Figure 10b", "MOTPE is ahead very early", "—", ahead(MOTPE, OTHERS, 100)),
                    Claim(
                        "Appendix G.2", "MOTPE takes very long beyond 500 evaluations: 10 times NSGA-II's time", "—",
                        slower(MOTPE, NSGA2, 10),
                    ),
                ),
                "alone", budget=1000,
            ),
        ),
        8,
    ),
    Figure(
        "figure11",
        "LINAS with other predictors (a) and populations (b), and NSGA-II for much longer (c)",
        "On the Note10.",
        (
            Compared(
                on.NOTE10, (on.LINAS, *PREDICTORS), ("hypervolume",),
                (
                    Claim(
                        "Figure 11a", "the kind of predictor has little influence on LINAS: within 1 %", "—",
                        alike([PAPER, *(one.label for one in PREDICTORS)], 0.01),
                    ),
                ),
                "predictors", budget=250,
            ),
            Compared(
                on.NOTE10, (on.LINAS, *SIZES), ("hypervolume",),
                (
                    Claim(
                        "Figure 11b", "a population of 50 is the best for LINAS on MobileNetV3", "50",
                        ahead(PAPER, [one.label for one in SIZES]),
                    ),
                ),
                "populations",
            ),
            Compared(
                on.NOTE10, (on.LINAS, HALF, replace(on.NSGA2, times=40)), ("hypervolume",),
                (
                    Claim(
                        "Figure 11c", "NSGA-II needs very many evaluations to catch up with LINAS", "20,000",
                        catches_up(NSGA2, PAPER, 20_000),
                    ),
                ),
                "extended",
            ),
        ),
        12,
    ),
    Figure(
        "figure14",
        "MACs and latency: searches by MACs (a), and their front in latency (b)",
        "NSGA-II with 2,000 evaluations by MACs; then its front is measured in latency, and NSGA-II goes on from it. "
        "Below, random sub-networks of the embedded MobileNetV3 in both costs.",
        (
            Compared(
                on.NOTE10, (BY_MACS,), ("fronts",), name="macs",
            ),
            Compared(
                on.MBV3, LATENCY_ONLY, ("fronts", "hypervolume"),
                (
                    Claim(
                        "Figure 14b", "the front by MACs is not the best one in latency", "—",
                        warm_front_is_worse(WARM.label, NSGA2),
                    ),
                    Claim(
                        "Appendix G.4", "a front by MACs is a good start for a search by latency", "—",
                        fewer(WARM.label, NSGA2, NSGA2, 1.0),
                    ),
                ),
                "latency",
            ),
            Compared(on.MBV3, (SAMPLED,), ("costs",), name="costs", seeds=1, budget=1000, tabulate=correlations),
        ),
        2,
    ),
    Figure(
        "settings",
        "what the text says of crossover, mutation, populations and three objectives",
        "On the Note10, every candidate measured; populations of NCF inside LINAS.",
        (
            Compared(
                on.NOTE10, (on.NSGA2, WHOLE, *MUTATIONS), ("hypervolume",),
                (
                    Claim(
                        "Appendix H.2", "crossover of 0.9 and of 1.0 do nearly the same", "—", same(NSGA2, WHOLE.label)
                    ),
                    Claim(
                        "Appendix H.2", "a mutation of 1 / population = 0.02 is the best", "0.02",
                        ahead(NSGA2, [one.label for one in MUTATIONS]),
                    ),
                ),
                "nsga2",
            ),
            Compared(
                on.NCF,
                (on.presets("ncf", 10)[0], sized(30, "ncf_linas")),
                ("hypervolume",),
                (
                    Claim(
                        "Appendix H.2", "a smaller population suits a smaller space", "10 for NCF",
                        ahead(PAPER, ("LINAS, population 30",), 100),
                    ),
                ),
                "ncf", budget=160,
            ),
            Compared(
                on.NOTE10,
                tuple(replace(one, overrides=(*one.overrides, THREE)) for one in (ALONE[0], ALONE[2])),
                ("hypervolume",),
                (
                    Claim(
                        "Appendix H.2", "three objectives need another algorithm than NSGA-II, such as U-NSGA-III", "—",
                        ahead("U-NSGA-III", (NSGA2,)),
                    ),
                ),
                "objectives",
            ),
        ),
        3,
    ),
)  # fmt: skip
