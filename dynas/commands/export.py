"""``dynas export``: writes one measured sub-network as files that run without its supernet."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from dynas.commands.parser import Parser
from dynas.errors import DynasError, one_of
from dynas.report.tables import front_table
from dynas.report.text import point_text
from dynas.runs.load import Run, load_run
from dynas.runs.record import is_compression
from dynas.runs.store import read_extra
from dynas.runs.tuned import read_tuned, weights_file
from dynas.system.files import refuse_links
from dynas.system.screen import screen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dynas.compose.rebuild import Origin
    from dynas.export.network import Network, Quantisation
    from dynas.export.write import Written

DESCRIPTION = (
    "Writes one row of a run as files that can be deployed: the sub-network whose accuracy was measured, with its "
    "re-calibrated batch norm. Every file is loaded again and compared with it, also by its quality on the validation "
    "samples; export.json says how they agree, and which inputs the network takes."
)
NOTED = (  # with their versions
    "dynas torch safetensors onnx onnxscript onnxruntime openvino nncf transformers gguf xllamacpp".split()
)
NOT_VALUES = ("index", "iteration", "key", "seconds [s]", "timestamp", "error", "architecture")


def make_parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    parser = Parser(prog="dynas export", description=DESCRIPTION)
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument(
        "given",
        nargs="*",
        metavar="KEY=VALUE",
        help="overrides of the run that name code, repeated because they are trusted: supernet.model=mine:network",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--row", type=int, metavar="N", help="index in results.csv; without it, the front is shown")
    which.add_argument("--best", metavar="OBJECTIVE", help="the row of the front that is best at an objective")
    parser.add_argument(
        "--untuned", action="store_true", help="with the weights as searched, where the run has tuned ones (tune=N)"
    )
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where to write; RUN/export_rowN by default")
    parser.add_argument(
        "--formats",
        metavar="A,B",
        help="pytorch, torch_export, onnx, openvino, in INT8 openvino_int8, onnx_int8; of decoders also hugging_face, "
        "hugging_face_padded, gguf, gguf_q8_0; all: every one that fits and whose packages are installed; by default "
        "those in FP32, or openvino_int8 for a row that was measured in INT8",
    )
    parser.add_argument("--batch", type=int, metavar="N", help="the only batch size that is taken; any by default")
    parser.add_argument("--config-dir", type=Path, metavar="FOLDER", help="your own configs, if the search used any")
    return parser


def main(argv: list[str]) -> int:
    """Run ``dynas export`` and return the exit status.

    Raises:
        DynasError: there is no such run or row, the run cannot be rebuilt, or a file does not compute what the
            network computes.
    """
    parser = make_parser()
    given = parser.parse_intermixed_args(argv)
    if stray := [one for one in given.given if "=" not in one]:
        parser.error(f"unrecognized arguments: {' '.join(stray)}")
    run = load_run(given.run)
    console = screen()
    tuned = None if given.untuned else read_tuned(run)
    known = tuned is not None and is_tuned(tuned.run, given.row)
    if tuned is not None and known:
        run = tuned.run
    row = choose_row(run, given.row, given.best, console)
    if given.batch is not None and given.batch < 1:
        raise DynasError(f"--batch {given.batch}: give 1 or more samples")
    from dynas.commands.export_screen import show
    from dynas.compose.rebuild import rebuild
    from dynas.export.formats import ALL, FORMATS, INT8, chosen, named
    from dynas.export.network import Network
    from dynas.export.write import write
    from dynas.metrics.calibration import as_measured
    from dynas.supernets.weights.subnet import load_subnet

    if given.to is None:
        refuse_links(given.run)
    wanted = named(given.formats)
    origin = rebuild(run, given.config_dir, given.given)
    space = origin.supernet.space
    architecture = space.decode(space.encode(json.loads(run.architectures[row])))
    module = origin.supernet.subnet(architecture)
    if known:
        load_subnet(module, weights_file(given.run, cell(run, row, "index")))
    module = as_measured(module, origin.data)
    precision = measured_in(run, architecture)
    network = Network(
        module, origin.supernet, architecture, origin.config, given.batch, origin.data, quantisation(run, row, origin)
    )
    names, left_out = chosen(wanted, network, precision)
    folder = given.to or given.run / f"export_row{cell(run, row, 'index')}"
    values = point_text(run.objectives, run.values[row].tolist())
    console.print(f"row {cell(run, row, 'index')} of {given.run}: {values}", soft_wrap=True, highlight=False)
    if note := tuning_text(run, known):
        console.print(note, soft_wrap=True, highlight=False)
    if precision == INT8 and (plain := [name for name in names if FORMATS[name].PRECISION != INT8]):
        note = f"measured in int8, but not written so: quality and cost of {', '.join(plain)} are not these"
        console.print(note, soft_wrap=True, highlight=False)
    told = facts(run, row, network, origin) | {"tuned_steps": steps(run) if known else 0}
    tolerant = wanted is None or wanted == [ALL]
    written = write(network, names, folder, told, left_out.__setitem__ if tolerant else None)
    show(written, folder, network, origin, console)
    for why in left_out.values():
        console.print(f"left out: {why}", soft_wrap=True, highlight=False, markup=False)
    check(written, folder)
    return 0


def choose_row(run: Run, index: int | None, best: str | None, console: Console) -> int:
    """Return the position of the chosen row.

    Raises:
        DynasError: none is chosen, which shows the front, or there is no such row, or it was not measured.
    """
    known = indices(run)
    if best is not None:
        names = [objective.name for objective in run.objectives]
        if best not in names:
            raise one_of("objective", best, names)
        if len(run.front) == 0:
            raise DynasError(f"'{run.folder}' has no front: nothing within the bounds was measured")
        losses = run.losses[run.front, names.index(best)]
        return int(run.front[losses.argmin()])
    if index is None:
        console.print(front_table(run))
        raise DynasError(f"choose a row: dynas export {run.folder} --row N, or --best OBJECTIVE")
    if str(index) not in known:
        which = f"give a row from {known[0]} to {known[-1]}" if known else "it has no rows yet"
        raise DynasError(f"'{run.folder}' has no row {index}: {which}")
    row = known.index(str(index))
    if not run.measured[row]:
        raise DynasError(f"row {index} of '{run.folder}' was not measured: {cell(run, row, 'error')}; choose another")
    return row


def is_tuned(run: Run, index: int | None) -> bool:
    """Return whether a row, or the front where none is named, is among those that were tuned."""
    return len(run.front) > 0 if index is None else str(index) in indices(run)


def indices(run: Run) -> list[str]:
    """Return the indices of rows as results.csv has them."""
    return [cell(run, row, "index") for row in range(len(run))]


def tuning_text(run: Run, tuned: bool) -> str:
    """Return which weights are written, where a run or its compression has tuned some; else an empty text."""
    if (folder := compression_of(run)) is not None:
        return f"these are the weights as cut; dynas compress resume={folder} writes tuned ones to {folder}/deployed"
    if tuned:
        return f"these are the weights after {steps(run)} steps of tuning; --untuned: as searched"
    return "these are the weights as searched" if steps(run) else ""


def compression_of(run: Run) -> Path | None:
    """Return the folder of the compression that a run is a step of; None where it is none."""
    from dynas.compressing.stages import SEARCH

    if not is_compression(run.facts):
        return None
    return run.folder.parent if run.folder.name == SEARCH else run.folder


def steps(run: Run) -> int:
    """Return by how many steps a run tuned its front."""
    return int((run.facts.get("config") or {}).get("tune") or 0)


def cell(run: Run, row: int, column: str) -> str:
    """Return one cell of results.csv."""
    return run.rows[row][run.header.index(column)]


def measured_in(run: Run, architecture: Mapping[str, Any]) -> str:
    """Return the precision that a sub-network was measured in: its own, or else that of the run."""
    common = (run.facts.get("config") or {}).get("precision") or run.choices.get("precision")
    return str(architecture.get("p") or common or "fp32")


def quantisation(run: Run, row: int, origin: Origin) -> Quantisation:
    """Return how files in INT8 are made: as the run quantised sub-networks, where it did.

    Raises:
        DynasError: the run's settings make no sense.
    """
    from dynas.export.network import Quantisation

    hardware = (run.facts.get("config") or {}).get("hardware")
    given = hardware if isinstance(hardware, dict) else {}
    samples, correct = given.get("calibration_images", 64), given.get("bias_correction", False)
    if type(samples) is not int or samples < 1 or type(correct) is not bool:
        raise DynasError(
            f"'{run.folder}' has hardware.calibration_images={samples} and hardware.bias_correction={correct}: "
            "run.json is damaged"
        )
    names = [one.name for one in run.objectives]
    known = origin.data.quality in names and measured_in(run, json.loads(run.architectures[row])) == "int8"
    return Quantisation(samples, correct, float(run.values[row][names.index(origin.data.quality)]) if known else None)


def facts(run: Run, row: int, network: Network, origin: Origin) -> dict[str, Any]:
    """Return what export.json says of the network, whatever the formats."""
    from dynas.system.machine import package_versions

    cells = dict(zip(run.header, run.rows[row], strict=True))
    return {
        "run": str(run.folder.absolute()),
        "index": int(cells["index"]),
        "key": cells["key"],
        "architecture": network.architecture,
        "precision": {"measured": measured_in(run, network.architecture)},
        "measured": {name: read_extra(name, text) for name, text in cells.items() if name not in NOT_VALUES and text},
        "inputs": network.signature,
        "normalisation": None if origin.data.normalisation is None else dict(origin.data.normalisation),
        "config": origin.config,
        "weights_sha256": origin.supernet.weights_digest,
        "data_sha256": origin.data.digest,
        "versions": package_versions(NOTED),
    }


def check(written: Sequence[Written], folder: Path) -> None:
    """Raise DynasError where files do not compute what the network computes."""
    from dynas.export.write import RECORD

    if failed := [one for one in written if not one.matches]:
        raise DynasError(
            f"{', '.join(one.name for one in failed)} in '{folder}' must not be used, marked so in {RECORD}: "
            f"{failed[0].complaint}"
        )
