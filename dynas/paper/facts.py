"""Parts for the paper's Tables 1 and 2: what is searched, and on which machine; they need no runs."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dynas.core.space import SearchSpace
from dynas.paper.claims import Judged, of_truth
from dynas.paper.markdown import markdown
from dynas.paper.parts import Told, WithoutRuns, composed
from dynas.paper.searches import Size
from dynas.system.files import write_csv
from dynas.system.machine import machine_facts


@dataclass(frozen=True)
class Space:
    """A row of Table 1, with what stands for it here.

    Attributes:
        network, task, data: the paper's cells.
        power: of ten, that the search space has there.
        option: the supernet here, ``supernet=...``, whose space is the paper's.
        here: the data set here.
    """

    network: str
    task: str
    data: str
    power: int
    option: str
    here: str


SPACES = (  # BootstrapNAS' is in the text of Appendix G.5
    Space("MobileNetV3", "image classification", "ImageNet", 19, "mbv3", "Fashion-MNIST, two side by side"),
    Space("ResNet50", "image classification", "ImageNet", 13, "resnet50", "Fashion-MNIST, two side by side"),
    Space("Transformer", "machine translation", "WMT 2014 En-De", 15, "transformer", "generated phrases En-De"),
    Space("NCF", "recommendation", "Pinterest-20", 7, "ncf", "MovieLens"),
    Space("BNAS-ResNet50Q", "image classification", "ImageNet", 7, "bootstrap_resnet50", "Fashion-MNIST"),
)
MACHINES = (
    ("Intel Xeon Platinum 8180", "192 GB", "56", "Skylake"),
    ("Intel Xeon Platinum 8280", "192 GB", "56", "Cascade Lake"),
    ("NVIDIA Titan V", "32 GB", "32", "Cascade Lake (host)"),
    ("NVIDIA Tesla V100", "32 GB", "32", "Skylake (host)"),
    ("NVIDIA Tesla A100", "32 GB", "32", "Cascade Lake (host)"),
)


VARIABLES = (("mbv3", "MobileNetV3", 45), ("transformer", "the Transformer", 40))  # Figure 8


class Spaces(WithoutRuns):
    """Supernets and the exact sizes of their spaces."""

    def finish(self, size: Size, runs: Path, stem: Path) -> Told:
        """Write a row per supernet, and judge the powers of ten and the numbers of design variables."""
        header = ["supernet", "task", "data, paper", "data, here", "unique networks, paper", "unique networks, here"]
        rows = [
            [one.network, one.task, one.data, one.here, f"about 10^{one.power}", f"{space(one.option).size:,}"]
            for one in SPACES
        ]
        write_csv(stem.with_name(f"{stem.name}.csv"), header, rows)
        claims = [*map(_power, SPACES), *(_variables(*one) for one in VARIABLES)]
        return Told((markdown(header, rows, texts=4),), tuple(claims))


class Machines(WithoutRuns):
    """The paper's machines and this one."""

    def finish(self, size: Size, runs: Path, stem: Path) -> Told:
        """Write a row per machine."""
        facts = machine_facts()
        here = (str(facts["cpu"]), f"{memory_gib():.0f} GiB", str(facts["cores_available"]), str(facts["system"]))
        header = ["machine", "memory", "threads", "kind"]
        rows = [["here: " + here[0], *here[1:]], *([*one] for one in MACHINES)]
        write_csv(stem.with_name(f"{stem.name}.csv"), header, rows)
        return Told((markdown(header, rows),))


def _power(row: Space) -> Judged:
    exact = space(row.option).size
    found = of_truth(round(math.log10(exact)) == row.power, f"{exact:,}, 10^{math.log10(exact):.1f}")
    place = "Table 1" if row.option != "bootstrap_resnet50" else "Appendix G.5"
    return Judged(place, f"size of the space of {row.network}", f"about 10^{row.power}", found.here, found.verdict)


def _variables(option: str, network: str, number: int) -> Judged:
    genes = space(option).n_genes
    found = of_truth(genes == number, str(genes))
    return Judged("Figure 8", f"design variables of {network}", str(number), found.here, found.verdict)


@cache
def space(option: str) -> SearchSpace:
    """Return the space of a supernet."""
    from dynas.compose.parts import build_supernet

    return build_supernet(composed(f"supernet={option}")).space


def memory_gib() -> float:
    """Return the memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
