"""Figures 12 and 13, where a front moves to another target, and the paper's tables."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from dynas.paper import landscapes as on
from dynas.paper.cells import Cells
from dynas.paper.claims import Claim, untried
from dynas.paper.comparison import Compared
from dynas.paper.facts import Machines, Spaces
from dynas.paper.figure import Figure
from dynas.paper.judges import cheap, fewer, never
from dynas.paper.landscapes import PAPER, RANDOM
from dynas.paper.search_figures import CPU, NCF, NSGA2, RESNET50, TRANSFORMER
from dynas.paper.tables import costs
from dynas.paper.transfer import Moved, loses
from dynas.report.compare import Comparison
from dynas.report.transfer import Transferred

GOALS = (RANDOM, NSGA2)  # whose final hypervolumes the thresholds are
PRINTED, COSTS = 346, (0.479 / 100, 1.746)  # Table 3: evaluations; GPU hours of one, and of those printed


def counted(part: Compared, first: float, second: float, random: float) -> Compared:
    """Return a part as a block of Table 3: by how much LINAS is ahead of NSGA-II twice, and of random search."""
    where = part.landscape.name
    claims = (
        _fewer(where, NSGA2, RANDOM, first),
        _fewer(where, NSGA2, NSGA2, second),
        _fewer(where, RANDOM, RANDOM, random),
        Claim("Table 3", f"{where}: random search never has what NSGA-II ends with", "—", never(RANDOM, NSGA2)),
    )
    return replace(part, pictures=(), claims=claims, tabulate=partial(costs, part.landscape.table, GOALS))


def _fewer(where: str, rival: str, goal: str, paper: float) -> Claim[Comparison]:
    says = f"{where}: LINAS needs fewer evaluations than {rival} for what {goal} ends with"
    return Claim("Table 3", says, f"{paper:.3g} times", fewer(PAPER, rival, goal, paper))


def paid(part: Compared) -> tuple[Claim[Comparison], ...]:
    """Return the claims about time."""
    table = part.landscape.table
    return (
        Claim("Table 3", "LINAS: the search takes seconds beside hours of evaluations", "at most 1.9 %",
              cheap(PAPER, table, 0.02)),
        Claim("Appendix F", "2,000 evaluations of NSGA-II: minutes of search beside hours", "9.5 GPU hours",
              cheap(NSGA2, table, 0.02)),
    )  # fmt: skip


MOBILENET = counted(CPU, 260 / 100, 2000 / PRINTED, 2000 / 100)
TABLE3 = (
    replace(MOBILENET, claims=(*MOBILENET.claims, *paid(CPU))),
    counted(RESNET50, 255 / 57, 1000 / 155, 1000 / 57),
    counted(TRANSFORMER, 191 / 111, 600 / 465, 600 / 111),
    counted(NCF, 89 / 87, 160 / 148, 160 / 87),
)
MISPRINT = (
    f"The paper's {PRINTED} evaluations of MobileNetV3 for {COSTS[1]} GPU hours do not fit its {COSTS[0] * 1000:.2f} "
    f"hours for 1,000: at that price they are {COSTS[1] / COSTS[0]:.0f}, so that 346 may be 364 with two figures "
    "exchanged, and 5.8 times fewer 5.5."
)


def moves(place: str, source: str, target: str) -> tuple[Claim[Transferred], ...]:
    """Return the claim that a front does not move."""
    return (Claim(place, f"a front found with {source} is not the best one with {target}", "—", loses),)


TRANSFER_FIGURES = (
    Figure(
        "figure12",
        "fronts specialised to one platform, measured on another one",
        "The paper moves fronts between a CPU and a GPU. Here they move between a Samsung Note10, a table, and this "
        "CPU.",
        (
            Moved(on.NOTE10, on.PHONE_NETWORK_ON_CPU, on.LINAS, moves("Figure 12", "a phone", "a CPU"), "to_cpu"),
            Moved(on.PHONE_NETWORK_ON_CPU, on.NOTE10, on.LINAS, moves("Figure 12", "a CPU", "a phone"), "to_phone"),
        ),
        5,
        (
            untried("Figure 12", "a front found on a CPU is not the best one on a GPU", "—", "no GPU was at hand"),
            untried("Figure 12", "a front found on a GPU is not the best one on a CPU", "—", "no GPU was at hand"),
        ),
    ),
    Figure(
        "figure13",
        "fronts specialised to a number of threads and a batch size, measured with others",
        "The embedded MobileNetV3 on this CPU, measured live, one seed.",
        (
            Moved(on.ONE_BY_ONE, on.IN_BATCHES, on.LINAS, moves("Figure 13", "batch 1", "batch 64 on 2 threads"), "up"),
            Moved(
                on.IN_BATCHES, on.ONE_BY_ONE, on.LINAS, moves("Figure 13", "batch 64 on 2 threads", "batch 1"), "down"
            ),
        ),
        5,
    ),
)
TABLE_FIGURES = (
    Figure(
        "table1",
        "supernets and the sizes of their search spaces",
        "The same spaces, counted exactly: settings of genes that a sub-network does not have are one and the same.",
        (Spaces(),),
    ),
    Figure(
        "table2",
        "hardware",
        "The machine on which this page was made. The phone of Figure 4 is the same table of latencies (Cai et al. "
        "2020).",
        (Machines(),),
    ),
    Figure(
        "table3",
        "evaluations and cost until a normalised hypervolume is reached",
        "Thresholds are chosen as the paper's: what random search, and what NSGA-II ends with. Evaluations cost what "
        "those of the table took on its machine; a search costs the processor time of its process, start included. "
        + MISPRINT,
        TABLE3,
        10,
    ),
    Figure(
        "table4",
        "settings of the evolutionary algorithms",
        "The presets hold them, with those of MOTPE from the text of Appendix H.2.",
        (Cells(table="table4"),),
    ),
    Figure(
        "table5",
        "settings of LINAS and NSGA-II by supernet",
        "The presets hold them. What the paper does not have (start, features, optimism, choice) is set to what it "
        "does. The INT8 presets are scaled to their small supernet.",
        (Cells(table="table5"),),
    ),
)
