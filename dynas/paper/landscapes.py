"""Where the paper's experiments are repeated, and by which searches."""

from __future__ import annotations

from dataclasses import replace

from dynas.paper.searches import Landscape, Search

BRIEFLY = "hardware.max_seconds=0.5"  # of timing per sub-network, where many are measured
MEASURED_ONCE = "Measured once on a CPU; searches are told by a model fitted to these measurements."

NOTE10 = Landscape(
    "Note10",
    "OFA-MobileNetV3 of width 1.0 at 224x224 pixels; ImageNet top-1 from a model fitted to others' measurements "
    "(cross-validated error 0.05 points), latency from the block latencies of a Samsung Note10. Nothing is measured.",
    ("supernet=mbv3", "data=imagenet_surrogate", "hardware=note10"),
)
PHONE_NETWORK_ON_CPU = Landscape(
    "this CPU, full size",
    "OFA-MobileNetV3 of width 1.0 at 224x224 pixels; ImageNet top-1 from the same model, latency of one image measured "
    "on this CPU by PyTorch.",
    ("supernet=mbv3", "data=imagenet_surrogate", "hardware=cpu", "hardware.batch_size=1"),
    timed=True,
)


def tabulated(name: str, supernet: str, about: str, precision: str = "") -> Landscape:
    """Return the landscape of a shipped table."""
    table = "_".join(filter(None, (supernet, precision)))
    computed = (f"precision={precision}",) if precision else ()
    overrides = (f"supernet={supernet}", *computed, "data=tabulated", f"data.path={table}")
    return Landscape(name, f"{about} {MEASURED_ONCE}", overrides, table=table)


MBV3 = tabulated("MobileNetV3", "mbv3", "The embedded narrow MobileNetV3: top-1 on 2,500 images, latency of 32 images.")
RESNET50 = tabulated(
    "ResNet50", "resnet50", "The embedded narrow ResNet50: top-1 on 2,500 images, latency of 32 images."
)
TRANSFORMER = tabulated(
    "Transformer",
    "transformer",
    "The embedded narrow Transformer of HAT's space: BLEU of 200 phrases, latency of a sentence.",
)
NCF = tabulated(
    "NCF", "ncf", "The embedded neural collaborative filtering: HR@10 of simulated choices, latency of 100 pairs."
)
INT8 = tabulated(
    "INT8",
    "bootstrap_resnet50",
    "The embedded narrow ResNet50 that was made elastic from one trained network, every sub-network quantised to INT8: "
    "top-1 on 2,500 images, latency of 32 images, both by OpenVINO.",
    "int8",
)


def served(name: str, batch: int, threads: int) -> Landscape:
    """Return the embedded MobileNetV3 with a batch size and a number of threads, measured live."""
    settings = (f"hardware.batch_size={batch}", f"hardware.threads={threads}")
    about = f"The embedded narrow MobileNetV3, latency of {batch} images on {threads} threads, measured on this CPU."
    return Landscape(name, about, ("supernet=mbv3", *settings, BRIEFLY), timed=True)


ONE_BY_ONE = served("batch 1, 1 thread", 1, 1)
IN_BATCHES = served("batch 64, 2 threads", 64, 2)

ALGO, ROUND = ("algo.population",), ("algo.population", "mode.population")
PAPER, DEFAULT, RANDOM = "LINAS (paper)", "LINAS (default here)", "random search"

DEFAULT_LINAS = Search(DEFAULT, ())
LINAS = Search(PAPER, ("experiment=paper/linas",), populations=ROUND)
NSGA2 = Search("NSGA-II", ("experiment=paper/nsga2",), populations=ALGO)
RANDOM_SEARCH = Search(RANDOM, ("algo=random", "algo.draw=genes", "mode=validation"), populations=ALGO)
ONESHOT = Search("one-shot", ("experiment=paper/oneshot",))
RANGES = Search("one-shot per range", ("experiment=paper/constrained",))


def presets(prefix: str, population: int, default: float = 1) -> tuple[Search, ...]:
    """Return the presets of a supernet of its own, and this project's default with a share of their evaluations."""
    return (
        Search(PAPER, (f"experiment=paper/{prefix}_linas",), populations=ROUND, population=population),
        Search("NSGA-II", (f"experiment=paper/{prefix}_nsga2",), populations=ALGO, population=population),
        Search(RANDOM, (f"experiment=paper/{prefix}_random",), populations=ALGO, population=population),
        replace(DEFAULT_LINAS, times=default),
    )
