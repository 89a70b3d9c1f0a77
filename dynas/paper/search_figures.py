"""The paper's figures of searches on one landscape or several: 3, 4, 5, 9, 15 and 16."""

from __future__ import annotations

from dataclasses import replace

from dynas.paper import landscapes as on
from dynas.paper.across import Across, dominated_by, nearer, smaller_lead
from dynas.paper.claims import Claim, untried
from dynas.paper.comparison import Compared
from dynas.paper.figure import Figure
from dynas.paper.judges import ahead, more_diverse
from dynas.paper.landscapes import PAPER, RANDOM

NSGA2 = on.NSGA2.label
HALF = replace(on.DEFAULT_LINAS, times=0.5)
LONG = (on.LINAS, HALF, replace(on.NSGA2, times=4), replace(on.RANDOM_SEARCH, times=4))
PHONE = Compared(on.NOTE10, LONG, ("hypervolume",), name="note10")
CPU = Compared(on.MBV3, LONG, ("hypervolume",), name="cpu")
RESNET50 = Compared(
    on.RESNET50,
    (
        *(replace(one, overrides=(f"experiment=paper/resnet50_{name}",), times=times)
          for one, name, times in ((on.LINAS, "linas", 1), (on.NSGA2, "nsga2", 4), (on.RANDOM_SEARCH, "random", 4))),
        on.DEFAULT_LINAS,
    ),
    ("hypervolume",), name="resnet50", budget=250,
)  # fmt: skip
TRANSFORMER = Compared(
    on.TRANSFORMER, on.presets("transformer", 50, default=0.5), ("hypervolume",), name="transformer", budget=600
)
NCF = Compared(on.NCF, on.presets("ncf", 10), ("hypervolume",), name="ncf", budget=160)
ON_CPU = (CPU, RESNET50, TRANSFORMER, NCF)
INT8 = Compared(on.INT8, on.presets("bnas", 20), ("hypervolume",), budget=100)
CONSTRAINED = (HALF, replace(on.ONESHOT, times=4.2, training=4), replace(on.RANGES, times=4.2, training=4))


def fastest(part: Compared, evaluations: int) -> Compared:
    """Return a part with the claim that LINAS is ahead of both rivals."""
    where = part.landscape.name
    says = f"LINAS is ahead of NSGA-II and of random search on {where}"
    return replace(part, claims=(Claim("Figure 5", says, "—", ahead(PAPER, (NSGA2, RANDOM), evaluations)),))


SEARCH_FIGURES = (
    Figure(
        "figure3",
        "what LINAS, NSGA-II and random search evaluate on MobileNetV3, and the hypervolume over evaluations",
        "A Samsung Note10 instead of a Titan V. One seed for the pictures of evaluations, five for the hypervolume.",
        (
            Compared(
                on.NOTE10, (on.LINAS, on.DEFAULT_LINAS, on.NSGA2, on.RANDOM_SEARCH), ("progress",),
                name="progress", seeds=1, budget=250,
            ),
            replace(
                PHONE,
                name="hypervolume",
                claims=(
                    Claim("Figure 3", "LINAS is ahead of NSGA-II", "—", ahead(PAPER, (NSGA2,), 250)),
                    Claim("Figure 3", "LINAS is ahead of random search", "—", ahead(PAPER, (RANDOM,), 250)),
                    Claim("Figure 3", "NSGA-II is ahead of random search", "—", ahead(NSGA2, (RANDOM,), 250)),
                ),
            ),
        ),
        3,
    ),
    Figure(
        "figure4",
        "hypervolume over evaluations on MobileNetV3, on several platforms",
        "The phone is the paper's own table of latencies, with a model of ImageNet top-1; the CPU is that on which the "
        "embedded narrow MobileNetV3 was measured. LINAS gets 500 evaluations, our default 250, its rivals 2,000.",
        (
            replace(
                PHONE,
                claims=(Claim("Figure 4", "LINAS is ahead on the phone", "—", ahead(PAPER, (NSGA2, RANDOM), 250)),),
            ),
            replace(
                CPU,
                claims=(Claim("Figure 4", "LINAS is ahead on a CPU", "—", ahead(PAPER, (NSGA2, RANDOM), 250)),),
            ),
        ),
        5,
        (untried("Figure 4", "LINAS is ahead on a GPU", "—", "no GPU was at hand"),),
    ),
    Figure(
        "figure5",
        "hypervolume over evaluations across modalities: ResNet50, Transformer, NCF",
        "The embedded narrow networks, measured on a CPU. Evaluations are those of Table 3.",
        (
            fastest(RESNET50, 250),
            fastest(TRANSFORMER, 250),
            replace(
                fastest(NCF, 80),
                claims=(
                    *fastest(NCF, 80).claims,
                    Claim(
                        "Appendix D.5",
                        "NCF's HR@10 follows matrix factorisation rather than the MLP",
                        "—",
                        dominated_by(RANDOM, ("gmf_embed_dim",), ("mlp_embed_dim", "mlp_layers", "mlp_hidden")),
                    ),
                ),
            ),
            Across(
                ON_CPU,
                (
                    Claim(
                        "section 3",
                        "LINAS leads by less on Transformer and NCF than on the image networks",
                        "—",
                        smaller_lead(PAPER, RANDOM, ("Transformer", "NCF"), 160),
                    ),
                    Claim(
                        "section 3",
                        "random search gets nearer to the optimum on Transformer and NCF than on the image networks",
                        "—",
                        nearer(RANDOM, ("Transformer", "NCF"), 160),
                    ),
                ),
                "together",
            ),
        ),
        10,
    ),
    Figure(
        "figure9",
        "a genetic algorithm per range of latency, after 1,000 evaluations, against LINAS after 250",
        "On the Note10. The ranges end at 25, 30, 35 and 40 ms; which ones the paper has, it does not say.",
        (
            Compared(
                on.NOTE10,
                (on.LINAS, *CONSTRAINED),
                ("ranges", "hypervolume"),
                (
                    Claim(
                        "Appendix G.1",
                        "LINAS' front of 250 evaluations is more diverse than that of searches per range after 1,000",
                        "—",
                        more_diverse(PAPER, "one-shot per range"),
                    ),
                ),
                budget=250,
            ),
        ),
        3,
    ),
    Figure(
        "figure15",
        "hypervolume over evaluations on BootstrapNAS' ResNet50 in INT8",
        "A ResNet50 of an eighth of the width on small images: 100 evaluations in populations of 20.",
        (
            replace(
                INT8,
                claims=(
                    Claim("Appendix G.5", "INT8: LINAS is ahead of NSGA-II and random search", "—",
                          ahead(PAPER, (NSGA2, RANDOM))),
                    Claim("Appendix G.5", "INT8: early on, random search is ahead of NSGA-II", "—",
                          ahead(RANDOM, (NSGA2,), 40)),
                ),
            ),
        ),
        2,
    ),
    Figure(
        "figure16",
        "what LINAS and NSGA-II evaluate in INT8",
        "The searches of Figure 15.",
        (replace(INT8, pictures=("fronts",)),),
        2,
    ),
)  # fmt: skip
