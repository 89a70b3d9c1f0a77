"""Compare LINAS, NSGA-II and random search by real evaluations on the embedded supernet.

    python scripts/bench_sample_efficiency.py [--seeds 5] [--budget 250] [--jobs 2] [--out outputs/sample_efficiency]

Runs `dynas search` with the objectives top1 and macs, which are deterministic, for every method and seed, then
prints `dynas report`: mean hypervolume, standard error, and the evaluations that each method needs to reach
another's final hypervolume. Runs that are already finished in the output folder are kept, unfinished ones are
resumed.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dynas.cli import main as dynas
from dynas.store import RUN, read_run

METHODS = {
    "linas": ["mode=linas", "algo=nsga2"],
    "nsga2": ["mode=validation", "algo=nsga2"],
    "random": ["mode=validation", "algo=random"],
}


def run_search(folder: Path, overrides: list[str]) -> None:
    """Run or resume one search in a process of its own."""
    if (folder / RUN).exists():
        if read_run(folder).get("status") == "finished":
            return
        overrides = [f"resume={folder}"]
    else:
        overrides = [*overrides, f"hydra.run.dir={folder}"]
    # one thread a job: jobs side by side leave each other alone, and nothing timed is an objective here
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-m", "dynas.cli", "search", *overrides], check=True, env=environment)


def main() -> None:
    """Run all searches, then report them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds")
    parser.add_argument("--budget", type=int, default=250, help="real evaluations per search")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="searches side by side")
    parser.add_argument("--out", type=Path, default=Path("outputs/sample_efficiency"), help="where run folders go")
    parser.add_argument("more", nargs="*", help="further overrides for every search, such as supernet.weights=...")
    arguments = parser.parse_args()
    common = ["objectives=[top1,macs]", f"budget={arguments.budget}", *arguments.more]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        searches = [
            pool.submit(run_search, arguments.out / f"{name}_{seed}", [*method, *common, f"seed={seed}"])
            for seed in range(arguments.seeds)
            for name, method in METHODS.items()
        ]
        for search in searches:
            search.result()
    sys.exit(dynas(["report", str(arguments.out)]))


if __name__ == "__main__":
    main()
