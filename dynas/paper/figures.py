"""All figures and tables of the paper whose numbers a search can give, and how they are redone here.

The paper could not be opened while this was written: what it shows is told as far as it is known, and `known` says
where its values were not available. No value of it stands here that has no source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from dynas.paper import landscapes as on
from dynas.paper.cells import Cells
from dynas.paper.comparison import Compared, Say
from dynas.paper.facts import Machines, Spaces
from dynas.paper.landscapes import DEFAULT, PAPER, RANDOM
from dynas.paper.parts import Part
from dynas.paper.predictors import Studied
from dynas.paper.searches import Search
from dynas.paper.sentences import ahead, share, sooner
from dynas.paper.tables import correlations, iterations, thresholds
from dynas.paper.transfer import Moved
from dynas.report.compare import Comparison

NO_VALUES = "The paper's values were not available to us."


@dataclass(frozen=True)
class Figure:
    """A figure or a table of the paper.

    Attributes:
        name: as a user types it.
        shows: what the paper shows, in a line.
        known: what we know of the paper's result, with its source.
        differs: what is done otherwise here, and why.
        parts: its landscapes.
        minutes: what all of its runs take on two cores, about, where none is there yet.
    """

    name: str
    shows: str
    known: str
    differs: str
    parts: tuple[Part, ...]
    minutes: int

    @property
    def title(self) -> str:
        """Name as it is written."""
        return self.name.replace("figure", "Figure ").replace("table", "Table ")


def against(say: Callable[[str, str, Comparison], str], *rivals: str) -> tuple[Say, ...]:
    """Return sentences about both LINAS searches against rivals, and against each other."""
    pairs = [(subject, rival) for subject in (PAPER, DEFAULT) for rival in rivals] + [(DEFAULT, PAPER)]
    return tuple(partial(say, subject, rival) for subject, rival in pairs)


LONG = (  # with as much as rivals need to catch up
    on.LINAS,
    on.DEFAULT_LINAS,
    replace(on.NSGA2, times=4),
    replace(on.RANDOM_SEARCH, times=4),
    replace(on.ONESHOT, times=2.1, training=2),
)
TRANSFORMER = Compared(
    on.TRANSFORMER,
    on.presets("transformer", 50),
    ("hypervolume",),
    against(share, "NSGA-II", RANDOM),
    "transformer",
    2,
    50,
)
NCF = Compared(
    on.NCF, on.presets("ncf", 10, *on.ONCE), ("hypervolume",), against(share, "NSGA-II", RANDOM), "ncf", 2, 40
)
INT8 = Compared(
    on.INT8, on.presets("bnas", 20, *on.ONCE), ("hypervolume",), against(share, "NSGA-II", RANDOM), "", 2, 40
)
RESNET50 = Compared(
    on.RESNET50,
    tuple(
        replace(search, overrides=(*search.overrides, *on.ONCE))
        for search in (on.LINAS, on.NSGA2, on.RANDOM_SEARCH, on.DEFAULT_LINAS)
    ),
    ("hypervolume",), against(share, "NSGA-II", RANDOM), "resnet50", 1, 40,
)  # fmt: skip
ALGORITHMS = tuple(
    Search(label, (f"experiment=paper/{name}",), populations=on.ALGO, population=population)
    for label, name, population in (
        ("NSGA-II", "nsga2", 50), ("AGE-MOEA", "agemoea", 50), ("U-NSGA-III", "unsga3", 50), ("C-TAEA", "ctaea", 21),
        ("MOEA/D", "moead", 21), ("MOTPE", "motpe", 10),
    )
)  # fmt: skip
INSIDE = tuple(  # LINAS (paper) has NSGA-II inside
    Search(f"LINAS with {label}", ("experiment=paper/linas", f"algo={name}"), populations=on.ROUND)
    for label, name in (("AGE-MOEA", "agemoea"), ("U-NSGA-III", "unsga3"))
)
THREE = "objectives=[top1,latency,macs]"
SAMPLED = Search("random sub-networks", ("algo=random", "mode=validation", THREE), populations=on.ALGO)

FIGURES = (
    Figure(
        "figure2",
        "errors of predictors of top-1 over the number of training examples",
        "A MAPE of at most 0.91 % and a Kendall tau of at least 0.8348; for how many examples was not available to us.",
        "Top-1 is a smooth model fitted to measurements, which is easier to predict than measurements themselves. "
        "Examples have random genes, as the first ones of LINAS (paper). `gp` is this project's own default, the rest "
        "are the paper's.",
        (Studied(on.NOTE10, on.RANDOM_GENES),),
        5,
    ),
    Figure(
        "figure3",
        "what LINAS and its rivals evaluate in the course of a search",
        f"Scatter by evaluation, and the front. {NO_VALUES}",
        "One seed, the same number of evaluations for all.",
        (Compared(on.NOTE10, (on.LINAS, on.DEFAULT_LINAS, on.NSGA2, on.RANDOM_SEARCH), ("progress",), seeds=1),),
        1,
    ),
    Figure(
        "figure4",
        "hypervolume over evaluations, MobileNetV3 and ResNet50",
        f"Means with bands of one standard error. {NO_VALUES}",
        "MobileNetV3 is the paper's own space, with a model of its top-1; the ResNet50 is a narrow one on small "
        "images, with one seed and populations of a fifth of the budget.",
        (
            replace(
                Compared(on.NOTE10, LONG, ("hypervolume",), against(sooner, "NSGA-II", RANDOM, "one-shot")),
                name="mobilenetv3",
            ),
            RESNET50,
        ),
        10,
    ),
    Figure(
        "figure5",
        "hypervolume over evaluations, Transformer and neural collaborative filtering",
        f"Means with bands of one standard error. {NO_VALUES}",
        "Narrow networks and small data sets of this package, and few evaluations: with populations of a fifth of the "
        "budget where the paper's are larger. The reference point is the worst measured, so that one disturbed latency "
        "makes every hypervolume larger.",
        (TRANSFORMER, NCF),
        28,
    ),
    Figure(
        "figure6",
        "errors of predictors over the number of training examples, further supernets",
        "The appendix's counterpart of Figure 2, with the same bounds: a MAPE of at most 0.91 % and a Kendall tau of "
        "at least 0.8348; to which of its supernets and objectives they belong was not available to us.",
        "Quality and latency of the embedded Transformer and recommender, really measured on a machine that did other "
        "work, with few examples: the random searches of Figure 5. Where latencies are disturbed by more than "
        "sub-networks differ, no predictor can put them in order.",
        (
            Studied(on.TRANSFORMER, TRANSFORMER.searches[2], "transformer", TRANSFORMER.seeds, TRANSFORMER.budget),
            Studied(on.NCF, NCF.searches[2], "ncf", NCF.seeds, NCF.budget),
        ),
        12,
    ),
    Figure(
        "figure7",
        "correlation of LINAS' predictors with measurements, iteration by iteration",
        f"Kendall tau per iteration. {NO_VALUES}",
        "Cross-validated on all measurements so far; the default measures 10 an iteration, the paper's setting 50.",
        (Compared(on.NOTE10, (on.LINAS, on.DEFAULT_LINAS), ("predictors",), tabulate=iterations),),
        5,
    ),
    Figure(
        "figure9",
        "one-shot searches per range of latency against LINAS",
        "250 LINAS evaluations are set against a one-shot search trained on 1,000 sub-networks; the authors' package "
        "says that LINAS is about 4 times more sample-efficient than one-shot searches (README of DyNAS-T).",
        "The ranges end at 25, 30, 35, 40 and 45 ms of the Note10 table.",
        (
            Compared(
                on.NOTE10,
                (
                    on.LINAS,
                    on.DEFAULT_LINAS,
                    replace(on.ONESHOT, times=4.2, training=4),
                    replace(on.RANGES, times=4.2, training=4),
                ),
                ("ranges", "hypervolume"),
                against(sooner, "one-shot", "one-shot per range"),
                budget=250,
                seeds=3,
            ),
        ),
        2,
    ),
    Figure(
        "figure10",
        "hypervolume over evaluations of the search algorithms, every candidate measured",
        f"We know that Figures 10 and 11 show hypervolume with bands of one standard error, not what of. {NO_VALUES}",
        "Our choice: the algorithms of Table 4 with the settings of Table 5.",
        (Compared(on.NOTE10, ALGORITHMS, ("hypervolume",), (ahead,), seeds=3, budget=250),),
        1,
    ),
    Figure(
        "figure11",
        "hypervolume over evaluations of LINAS with different algorithms inside",
        f"We know that Figures 10 and 11 show hypervolume with bands of one standard error, not what of. {NO_VALUES}",
        "Our choice: LINAS with those algorithms of Table 4 that take thousands of predictions in seconds.",
        (Compared(on.NOTE10, (on.LINAS, *INSIDE, on.DEFAULT_LINAS), ("hypervolume",), (ahead,), seeds=3, budget=250),),
        3,
    ),
    Figure(
        "figure12",
        "a front on another target: found on a phone, measured on a CPU",
        f"Fronts that were transferred beside fronts that were searched for the target. {NO_VALUES}",
        "From a Samsung Note10 (a table) to this CPU (measured); which targets the paper has was not available to us.",
        (Moved(on.NOTE10, on.CPU, on.LINAS),),
        4,
    ),
    Figure(
        "figure13",
        "a front on another target, the other way round",
        f"Fronts that were transferred beside fronts that were searched for the target. {NO_VALUES}",
        "From this CPU to the Samsung Note10, by the two searches of Figure 12.",
        (Moved(on.CPU, on.NOTE10, on.LINAS),),
        4,
    ),
    Figure(
        "figure14",
        "MACs against latency",
        f"Why MACs can stand in for latency, and how far. {NO_VALUES}",
        "Random sub-networks, once measured on this CPU, and once by the Note10 table.",
        (
            Compared(on.CPU, (SAMPLED,), ("costs",), (), "cpu", seeds=1, budget=60, tabulate=correlations),
            Compared(
                on.NOTE10,
                (SAMPLED,),
                ("costs",),
                (),
                "note10",
                seeds=1,
                budget=1000,
                tabulate=correlations,
            ),
        ),
        2,
    ),
    Figure(
        "figure15",
        "hypervolume over evaluations on an INT8 supernet",
        "LINAS needs fewer evaluations than NSGA-II and random search. By how much was not available to us.",
        "A ResNet50 of an eighth of the width on small images, few evaluations, with populations of at most a fifth of "
        "the budget. docs/supernets/bootstrap_resnet50.md has five seeds of 100 evaluations, where LINAS needed no "
        "fewer than NSGA-II. On a busy machine the latencies of a whole run shift, and the order of single runs is "
        "chance.",
        (INT8,),
        16,
    ),
    Figure(
        "figure16",
        "fronts of an INT8 supernet",
        f"The fronts behind Figure 15. {NO_VALUES}",
        "The searches of Figure 15. Where whole runs lie side by side, the machine was busier in one of them.",
        (replace(INT8, pictures=("fronts",), says=()),),
        16,
    ),
    Figure(
        "table1",
        "supernets and the sizes of their search spaces",
        "Powers of ten. That of ResNet50 is nearer to 10^12, by the exact count of the same 29 design variables.",
        "The same spaces, counted exactly: settings of genes that a sub-network does not have are one and the same.",
        (Spaces(),),
        0,
    ),
    Figure(
        "table2",
        "hardware",
        "Two CPUs and three GPUs; the mobile phone of Figure 4 is a table of latencies (Cai et al. 2020).",
        "The machine on which this page was made. The phone is the same table.",
        (Machines(),),
        0,
    ),
    Figure(
        "table3",
        "evaluations to thresholds, CPU cost of the search, and total cost",
        NO_VALUES,
        "Thresholds are shares of the best final hypervolume. On the first landscape nothing is measured, so that only "
        "the searches cost time; the second one is measured (the runs of Figure 5).",
        (
            Compared(on.NOTE10, LONG, name="note10", tabulate=thresholds),
            replace(NCF, pictures=(), says=(), tabulate=thresholds),
        ),
        12,
    ),
    Figure(
        "table4",
        "settings of the evolutionary algorithms",
        "Every cell, with those of MOTPE from the text of Appendix H.2.",
        "The presets hold them; NSGA-II and AGE-MOEA take three objectives too, with a warning.",
        (Cells(table="table4"),),
        0,
    ),
    Figure(
        "table5",
        "settings of LINAS and NSGA-II by supernet",
        "Every cell; NSGA-II's of a supernet are those of the algorithm inside LINAS.",
        "The presets hold them. What the paper does not have (start, features, optimism, choice) is set to what it "
        "does. The INT8 presets are scaled to their small supernet.",
        (Cells(table="table5"),),
        0,
    ),
)
