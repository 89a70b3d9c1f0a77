"""``dynas lut``: latency tables of one's own devices, built and checked."""

from __future__ import annotations

from dynas.errors import one_of

HELP = """\
dynas lut makes a latency table of a device, so that searches need it no more.

  dynas lut build [OVERRIDE ...]  measure every distinct block of a supernet once, e.g. dynas lut build supernet=mbv3
                                  hardware=cpu hardware.batch_size=1 table=mine.csv; killed, it goes on where it stopped
  dynas lut check [OVERRIDE ...]  compare the table's sums with measured sub-networks, and find scale and offset

  dynas search hardware=lut hardware.table=mine.csv [hardware.scale=... hardware.offset=...] searches with the table.

dynas lut build --help and dynas lut check --help list all settings."""


def main(arguments: list[str]) -> int:
    """Run one of the commands and return the exit status."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP)
        return 0
    if arguments[0] == "build":
        from dynas.commands.lut_build import main as build

        return build(arguments[1:])
    if arguments[0] == "check":
        from dynas.commands.lut_check import main as check

        return check(arguments[1:])
    raise one_of("command of dynas lut", arguments[0], ("build", "check"))
