"""Where the paper's experiments are repeated, and by which searches."""

from __future__ import annotations

from dataclasses import replace

from dynas.paper.searches import Landscape, Search

BRIEFLY = "hardware.max_seconds=0.5"  # of timing per sub-network, where many are measured
ONCE = ("confirm=0",)  # curves are made of first measurements anyway

NOTE10 = Landscape(
    "Note10",
    "OFA-MobileNetV3 of width 1.0 at 224x224 pixels; ImageNet top-1 from a model fitted to others' measurements "
    "(cross-validated error 0.05 points), latency from the block latencies of a Samsung Note10. Nothing is measured.",
    ("supernet=mbv3", "data=imagenet_surrogate", "hardware=note10"),
)
CPU = Landscape(
    "CPU",
    "OFA-MobileNetV3 of width 1.0 at 224x224 pixels; ImageNet top-1 from the same model, latency of one image measured "
    "on this CPU by PyTorch.",
    ("supernet=mbv3", "data=imagenet_surrogate", "hardware=cpu", "hardware.batch_size=1"),
)
RESNET50 = Landscape(
    "ResNet50",
    "The embedded narrow ResNet50: top-1 on 500 of the embedded images and latency of 32 images, both measured on this "
    "CPU by PyTorch.",
    ("supernet=resnet50", "data.validation_size=500", BRIEFLY),
)
TRANSFORMER = Landscape(
    "Transformer",
    "The embedded narrow Transformer of HAT's space: BLEU of 200 of the embedded English-German phrases and latency of "
    "one sentence, both measured on this CPU by PyTorch.",
    ("supernet=transformer", "data.validation_size=200"),
)
NCF = Landscape(
    "NCF",
    "The embedded neural collaborative filtering: HR@10 of MovieLens and latency of 100 pairs, both measured on this "
    "CPU by PyTorch.",
    ("supernet=ncf_movielens", BRIEFLY),
)
INT8 = Landscape(
    "INT8",
    "The embedded narrow ResNet50 that was made elastic from one trained network: every sub-network is quantised to "
    "INT8, then its top-1 and latency are measured on this CPU by OpenVINO.",
    ("supernet=bootstrap_resnet50", "precision=int8", "objectives=top1_latency", BRIEFLY),
)

ALGO, ROUND = ("algo.population",), ("algo.population", "mode.population")
PAPER, DEFAULT, RANDOM = "LINAS (paper)", "LINAS (default here)", "random search"

DEFAULT_LINAS = Search(DEFAULT, ())
LINAS = Search(PAPER, ("experiment=paper/linas",), populations=ROUND)
NSGA2 = Search("NSGA-II", ("experiment=paper/nsga2",), populations=ALGO)
RANDOM_SEARCH = Search(RANDOM, ("algo=random", "mode=validation"), populations=ALGO)
RANDOM_GENES = Search("random genes", ("algo=random", "algo.draw=genes", "mode=validation"), populations=ALGO)
ONESHOT = Search("one-shot", ("experiment=paper/oneshot",))
RANGES = Search("one-shot per range", ("experiment=paper/constrained",))


def presets(prefix: str, population: int, *more: str) -> tuple[Search, ...]:
    """Return the presets of a supernet of its own, and this project's default beside them."""
    return (
        Search(PAPER, (f"experiment=paper/{prefix}_linas", *more), populations=ROUND, population=population),
        Search("NSGA-II", (f"experiment=paper/{prefix}_nsga2", *more), populations=ALGO, population=population),
        Search(RANDOM, (f"experiment=paper/{prefix}_random", *more), populations=ALGO, population=population),
        replace(DEFAULT_LINAS, overrides=more),
    )
