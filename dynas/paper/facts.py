"""Parts for the paper's Tables 1 and 2: what is searched, and on which machine; they need no runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dynas.paper.parts import WithoutRuns, composed, markdown
from dynas.paper.searches import Size
from dynas.system.files import write_csv
from dynas.system.machine import machine_facts


@dataclass(frozen=True)
class Space:
    """A row of Table 1, with what stands for it here.

    Attributes:
        network, task, data, size: the paper's cells; the search space as a power of ten.
        option: the supernet here, ``supernet=...``, whose space is the paper's.
        here: the data set here.
    """

    network: str
    task: str
    data: str
    size: str
    option: str
    here: str


SPACES = (  # BootstrapNAS' is in the text of Appendix G.5
    Space("MobileNetV3", "image classification", "ImageNet", "10^19", "mbv3", "Fashion-MNIST, two side by side"),
    Space("ResNet50", "image classification", "ImageNet", "10^13", "resnet50", "Fashion-MNIST, two side by side"),
    Space("Transformer", "machine translation", "WMT 2014 En-De", "10^15", "transformer", "generated phrases En-De"),
    Space("NCF", "recommendation", "Pinterest-20", "10^7", "ncf", "MovieLens"),
    Space("BNAS-ResNet50Q", "image classification", "ImageNet", "10^7", "bootstrap_resnet50", "Fashion-MNIST"),
)
MACHINES = (
    ("Intel Xeon Platinum 8180", "192 GB", "56", "Skylake"),
    ("Intel Xeon Platinum 8280", "192 GB", "56", "Cascade Lake"),
    ("NVIDIA Titan V", "32 GB", "32", "Cascade Lake (host)"),
    ("NVIDIA Tesla V100", "32 GB", "32", "Skylake (host)"),
    ("NVIDIA Tesla A100", "32 GB", "32", "Cascade Lake (host)"),
)


class Spaces(WithoutRuns):
    """Supernets and the exact sizes of their spaces."""

    def finish(self, size: Size, runs: Path, stem: Path) -> list[str]:
        """Write a row per supernet."""
        header = ["supernet", "task", "data, paper", "data, here", "unique networks, paper", "unique networks, here"]
        rows = [
            [one.network, one.task, one.data, one.here, f"about {one.size}", f"{space_size(one.option):,}"]
            for one in SPACES
        ]
        write_csv(stem.with_name(f"{stem.name}.csv"), header, rows)
        return [markdown(header, rows).replace("---:", "---", 3)]


class Machines(WithoutRuns):
    """The paper's machines and this one."""

    def finish(self, size: Size, runs: Path, stem: Path) -> list[str]:
        """Write a row per machine."""
        facts = machine_facts()
        here = (str(facts["cpu"]), f"{memory_gib():.0f} GiB", str(facts["cores_available"]), str(facts["system"]))
        header = ["machine", "memory", "threads", "kind"]
        rows = [["here: " + here[0], *here[1:]], *([*one] for one in MACHINES)]
        write_csv(stem.with_name(f"{stem.name}.csv"), header, rows)
        return [markdown(header, rows)]


def space_size(option: str) -> int:
    """Return how many distinct sub-networks a supernet has."""
    from dynas.compose.build import build_supernet

    return build_supernet(composed(f"supernet={option}")).space.size


def memory_gib() -> float:
    """Return the memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
