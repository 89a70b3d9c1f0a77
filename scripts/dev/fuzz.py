"""Runs tests/fuzz on many more inputs than the test suite does, and counts what became of them.

usage: python -m scripts.dev.fuzz [--times 4] [--workers 2] [--only SUBSTRING]   (in the root of a checkout, by hand)

Each module runs in a process of its own with limited memory; an input may take as long as `tests.fuzz.mutations` says.
"""

from __future__ import annotations

import argparse
import multiprocessing
import multiprocessing.connection
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

MEMORY_GIB = 6.0
SECONDS = 1800  # that the inputs of a test may take


class Counting:
    """A plugin of pytest that sends the counts of each test, and whether it failed."""

    def __init__(self, connection: multiprocessing.connection.Connection) -> None:
        self.connection, self.failed = connection, 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Send them at the end of a test."""
        from tests.fuzz.mutations import OUTCOMES

        self.failed += report.failed
        if report.when == "teardown":
            self.connection.send((report.nodeid.partition("::")[2], OUTCOMES + Counter(failed=self.failed)))
            self.failed = 0
            OUTCOMES.clear()


def run(module: str, connection: multiprocessing.connection.Connection) -> None:
    """Run the tests of one module in this process."""
    import pytest

    from dynas.system.limits import limit_memory

    limit_memory(MEMORY_GIB)
    words = ["-q", "--no-header", "--disable-warnings", "-p", "no:cacheprovider", module]
    pytest.main(words, plugins=[Counting(connection)])


def counted(module: str) -> Counter[str]:
    """Run the tests of a module in a process of its own; return how many inputs were accepted and refused in all."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=run, args=(module, theirs))
    process.start()
    theirs.close()
    total: Counter[str] = Counter()
    try:
        while ours.poll(SECONDS):
            test, counts = ours.recv()
            total += counts
            print(line(test, counts), flush=True)
        process.kill()  # it hangs
    except EOFError:
        pass
    process.join()
    return total + Counter(failed=process.exitcode != 0)


def line(what: str, counts: Counter[str]) -> str:
    """Return a line of the table."""
    return f"{what:70}" + "".join(f"{counts[name]:7} {name}" for name in ("accepted", "refused", "failed"))


def main() -> None:
    """Run all tests and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", default="4", help="how many times the inputs of the test suite")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="modules whose name contains it")
    given = parser.parse_args()
    os.environ["DYNAS_FUZZ"] = given.times
    modules = sorted(str(path) for path in Path("tests/fuzz").glob("test_*.py") if given.only in path.name)
    with ThreadPoolExecutor(given.workers) as pool:
        total = sum(pool.map(counted, modules), Counter[str]())
    print(line("all", total))
    raise SystemExit(total["failed"] > 0)


if __name__ == "__main__":
    main()
