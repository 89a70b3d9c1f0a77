"""What ``dynas export`` prints of the files that it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from dynas.compose.rebuild import Origin
from dynas.export.formats import FORMATS
from dynas.export.network import Network
from dynas.export.write import RECORD, Written


def show(written: Sequence[Written], folder: Path, network: Network, origin: Origin, console: Console) -> None:
    """Print what was written, how well it agrees, and what the network takes."""
    console.print(table(written, network))
    for one in written:
        console.print(f"{one.name}: {FORMATS[one.name].USE}", soft_wrap=True, highlight=False, markup=False)
    for number, taken in enumerate(network.signature, start=1):
        shape = ", ".join(map(str, taken["shape"]))
        console.print(f"input {number}: {taken['dtype']} ({shape})", highlight=False)
    if normalisation := origin.data.normalisation:
        said = ", ".join(f"{name} {value}" for name, value in normalisation.items())
        console.print(f"inputs are normalised: {said}", highlight=False, markup=False)
    for path in (*(path for one in written for path in one.files), folder / RECORD):
        console.print(f"  {path}", soft_wrap=True, highlight=False)


def table(written: Sequence[Written], network: Network) -> Table:
    """Return formats by size, agreement and, where it was judged, quality beside that of the network."""
    judged = [one.quality for one in written if one.quality is not None]
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    names = ["format", "kB", "max. relative difference", *([f"{judged[0].name} [%]", "points lost"] if judged else [])]
    for place, name in enumerate(names):
        shown.add_column(name, justify="right" if place == 1 or place > 2 else "left")
    if judged:
        shown.add_row("(in torch, FP32)", "", "", f"{judged[0].network:.1f} ± {judged[0].network_error:.1f}", "")
        if (measured := network.quantisation.measured) is not None:
            shown.add_row("(as measured, INT8)", "", "", f"{measured:.1f}", f"{judged[0].network - measured:.1f}")
    for one in written:
        agrees = f"{one.difference:.1e}" + ("" if one.matches else ": does NOT match")
        quality = () if (found := one.quality) is None else (
            f"{found.value:.1f} ± {found.error:.1f}", f"{found.lost:.1f} ± {found.lost_error:.1f}",
        )  # fmt: skip
        shown.add_row(one.name, f"{one.bytes / 1000:,.0f}", agrees, *quality)
    return shown
