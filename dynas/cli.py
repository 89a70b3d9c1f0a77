"""The command line: one entry point, one file per sub-command in `dynas.commands`.

Imports stay inside the functions, so that ``dynas --help`` answers at once.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence

from dynas.errors import DynasError, one_line, one_of, os_sentence, plain_warnings
from dynas.system.allocator import share_memory
from dynas.system.interrupts import Interrupts
from dynas.system.limits import check_address_space

HELP = """\
dynas finds the best trade-offs between quality and cost inside a trained supernet.

  dynas search [OVERRIDE ...]   search a supernet, e.g. dynas search supernet=mbv3 algo=nsga2 mode=linas
  dynas search -m seed=1,2,3    a sweep of searches
  dynas compress [OVERRIDE ...] make a trained network smaller or faster, e.g. model=mine:network 'limit=latency<=0.6x'
  dynas report RUN ...          compare searches, draw them, pick the sub-network to deploy
  dynas evaluate [OVERRIDE ...] measure given architectures, e.g. dynas evaluate architectures=outputs/<run folder>
  dynas transfer RUN [...]      a search's front on another target, e.g. hardware=openvino or hardware.threads=2
  dynas export RUN --row N      write a sub-network as PyTorch, ONNX and OpenVINO files, also in INT8
  dynas train [OVERRIDE ...]    train a supernet
  dynas lut build|check [...]   make a latency table of a device, and compare it with measured sub-networks
  dynas predictors [...]        compare predictors on measured sub-networks
  dynas new ROLE NAME           write a part of your own to start from, e.g. dynas new metric my_metric
  dynas paper [NAME ...]        redo figures and tables of the paper, e.g. dynas paper figure4

dynas COMMAND --help tells more; dynas --version tells the version, and the commit of a clone."""


def _search(arguments: list[str]) -> int:
    from dynas.commands.search import main

    return main(arguments)


def _compress(arguments: list[str]) -> int:
    from dynas.commands.compress import main

    return main(arguments)


def _evaluate(arguments: list[str]) -> int:
    from dynas.commands.evaluate import main

    return main(arguments)


def _transfer(arguments: list[str]) -> int:
    from dynas.commands.transfer import main

    return main(arguments)


def _export(arguments: list[str]) -> int:
    from dynas.commands.export import main

    return main(arguments)


def _train(arguments: list[str]) -> int:
    from dynas.commands.train import main

    return main(arguments)


def _lut(arguments: list[str]) -> int:
    from dynas.commands.lut import main

    return main(arguments)


def _report(arguments: list[str]) -> int:
    from dynas.commands.report import main

    return main(arguments)


def _predictors(arguments: list[str]) -> int:
    from dynas.commands.predictors import main

    return main(arguments)


def _new(arguments: list[str]) -> int:
    from dynas.commands.new import main

    return main(arguments)


def _paper(arguments: list[str]) -> int:
    from dynas.commands.paper import main

    return main(arguments)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "search": _search,
    "compress": _compress,
    "evaluate": _evaluate,
    "transfer": _transfer,
    "export": _export,
    "train": _train,
    "lut": _lut,
    "report": _report,
    "predictors": _predictors,
    "new": _new,
    "paper": _paper,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 done, 1 refused or failed, 130 after Ctrl-C, 143 after SIGTERM."""
    with Interrupts() as interrupts:
        status = _guarded(arguments)
        return interrupts.status if status == 130 else status


def _guarded(arguments: Sequence[str] | None) -> int:
    """Run one command; what ends it becomes one sentence and a status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _make_printable()
    # before torch is imported: threads that spin while they wait slow a shared machine down many times over
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    plain_warnings()
    os.umask(os.umask(0o022) | 0o022)  # nobody else may change what we write
    try:
        status = _run(given)
        sys.stdout.flush()
        return status
    except DynasError as error:
        print(f"dynas: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        _drop_output()
        return 0
    except OSError as error:
        print(f"dynas: {os_sentence(error)}", file=sys.stderr)
        _drop_output()
        return 1
    except MemoryError as error:
        print(f"dynas: not enough memory: {one_line(str(error)) or 'Python got none for an object'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dynas: interrupted", file=sys.stderr)
        return 130


def _run(given: list[str]) -> int:
    if not given or given[0] in ("-h", "--help", "help"):
        print(HELP)
        return 0
    if given[0] == "--version":
        from dynas.system.version import version

        print(f"dynas {version()}")
        return 0
    if given[0] not in COMMANDS:
        raise one_of("command", given[0], COMMANDS)
    check_address_space()
    share_memory()
    return COMMANDS[given[0]](given[1:])


def _make_printable() -> None:
    """Let everything be printed everywhere: a sign that a terminal lacks is replaced, a closed output drops it all.

    The system gives a closed descriptor out again: without a stand-in, the next file to be opened would be printed to.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _drop_output() -> None:
    """Forget what could not be printed, so that Python does not try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
