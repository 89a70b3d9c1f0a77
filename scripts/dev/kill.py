"""Kills commands at random moments, goes on with them as the documentation says, and counts what is lost.

usage: python -m scripts.dev.kill [--moments 100] [--seed 1] [--only SUBSTRING]   (in the root of a checkout, by hand)

`tests.helpers.kills` says which commands there are, and what must be left of each.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from tests.helpers.devices import write_devices
from tests.helpers.kills import CASES, Case, killed_once, undisturbed
from tests.helpers.processes import ENVIRONMENT

COLUMNS = ("before", "during", "after", "failed")


def study(name: str, case: Case, trials: int, folder: Path, moments: random.Random) -> Counter[str]:
    """Return how many kills came when, and how many of them did harm."""
    counts: Counter[str] = Counter()
    whole = undisturbed(case, write_devices(folder / "before"), folder / "whole")
    for number in range(trials):
        cwd = folder / str(number)
        try:
            counts[killed_once(case, whole, cwd, moments.random())] += 1
        except AssertionError as error:
            counts["failed"] += 1
            print(f"{name}, kill {number}, see {cwd}: {str(error)[:1500]}", flush=True)
            continue
        shutil.rmtree(cwd)
    return counts


def main() -> None:
    """Kill, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=100, help="kills in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="commands whose name contains it")
    given = parser.parse_args()
    cases = {name: case for name, case in CASES.items() if given.only in name}
    root = Path(tempfile.mkdtemp(prefix="dynas_kill_"))
    # where devices are locked: nobody else is to be waited for
    ENVIRONMENT["TMPDIR"] = os.environ["TMPDIR"] = tempfile.tempdir = str(root)
    moments = random.Random(given.seed)
    print(f"in {root}\n{'command':22}{'kills':>8}" + "".join(f"{name:>8}" for name in COLUMNS), flush=True)
    total: Counter[str] = Counter()
    for number, (name, case) in enumerate(cases.items()):
        trials = given.moments // len(cases) + (number < given.moments % len(cases))
        counts = study(name, case, trials, root / name.replace(" ", "_"), moments)
        total += counts
        print(f"{name:22}{trials:8}" + "".join(f"{counts[column]:8}" for column in COLUMNS), flush=True)
    print(f"{'all':22}{given.moments:8}" + "".join(f"{total[column]:8}" for column in COLUMNS))
    raise SystemExit(total["failed"] > 0)


if __name__ == "__main__":
    main()
