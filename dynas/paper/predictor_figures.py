"""The paper's figures of predictors: 2, 6 and 7."""

from __future__ import annotations

from dynas.paper.claims import Claim
from dynas.paper.figure import Figure
from dynas.paper.landscapes import MBV3, NCF, RESNET50, TRANSFORMER
from dynas.paper.predictors import Studied, few_do, ordered, precise, simpler_is_better

FOUR = (MBV3, RESNET50, TRANSFORMER, NCF)
HERE = (
    "Sub-networks of the embedded supernets, measured once, with random genes: 100 trials with 500 test examples each, "
    "of an MLP 10. `gp` is this project's default. A prediction cannot be nearer to a measurement than measurements "
    "are to one another: top-1 of 2,500 images has a standard error of 0.8 points."
)
PREDICTOR_FIGURES = (
    Figure(
        "figure2",
        "errors of predictors of top-1, BLEU and HR@10 over the number of training examples",
        HERE,
        (
            Studied(
                FOUR,
                "quality",
                False,
                (
                    Claim(
                        "section 3",
                        "ridge, SVR and stacked regression need fewer examples than an MLP",
                        "—",
                        simpler_is_better,
                    ),
                    Claim(
                        "Appendix B",
                        "far fewer examples do: a tenth of them costs less than twice the error",
                        "—",
                        few_do,
                    ),
                ),
            ),
        ),
        50,
    ),
    Figure(
        "figure6",
        "errors of predictors of top-1, BLEU and HR@10, and predicted over measured values after 1,000 examples",
        HERE,
        (
            Studied(
                FOUR,
                "quality",
                True,
                (
                    Claim("Figure 6", "largest MAPE of the quality, stacked, 1,000 examples", "0.91 %", precise),
                    Claim(
                        "Figure 6", "smallest Kendall tau of the quality, stacked, 1,000 examples", "0.8348", ordered
                    ),
                ),
            ),
        ),
        50,
    ),
    Figure(
        "figure7",
        "errors of predictors of latency, and predicted over measured latencies after 1,000 examples",
        HERE,
        (
            Studied(
                FOUR,
                "latency",
                True,
                (
                    Claim("Figure 7", "latency likewise: small error", "0.91 %, if its text means both", precise),
                    Claim("Figure 7", "latency likewise: high correlation", "0.8348, if its text means both", ordered),
                ),
            ),
        ),
        50,
    ),
)
