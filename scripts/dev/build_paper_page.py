"""Write docs/benchmarks/paper.md and its pictures from what ``dynas paper`` made.

    dynas paper all
    python scripts/dev/build_paper_page.py outputs/paper

Pictures are written with 256 colours, so that they stay small.
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

from PIL import Image

from dynas.paper.reproduce import PAGE

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"
COLOURS = 256


def main() -> None:
    """Copy page and pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, default=Path("outputs/paper"), help="--out of dynas paper")
    out = parser.parse_args().out
    text = (out / PAGE).read_text(encoding="utf-8")
    folder = DOCS / "paper"
    shutil.rmtree(folder, ignore_errors=True)
    for link in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        (folder / link).parent.mkdir(parents=True, exist_ok=True)
        Image.open(out / link).convert("RGB").quantize(
            COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        ).save(folder / link, optimize=True)
    (DOCS / PAGE).write_text(re.sub(r"(!\[[^\]]*\]\()", rf"\g<1>{folder.name}/", text), encoding="utf-8")


if __name__ == "__main__":
    main()
