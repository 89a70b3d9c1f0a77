"""Makes the pictures of README.md and of the site: the live panel, the report page and the fronts of a few searches.

    python scripts/assets/build_pictures.py [--keep FOLDER]     # needs Chromium and the extra dev; some ten minutes

The panel is what `dynas search experiment=quick` draws on a terminal. Page and fronts are of searches on the landscape
without weights (docs/supernets/landscape.md), which take seconds. Each picture comes for light and for dark pages.
"""

from __future__ import annotations

import argparse
import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME, TerminalTheme
from rich.text import Text

DOCS = Path(__file__).parents[2] / "docs" / "pictures"
COLUMNS, ROWS = 92, 40
LIGHT = TerminalTheme(
    (255, 255, 255), (36, 41, 47), [(36, 41, 47), (207, 34, 46), (17, 99, 41), (77, 45, 0), (9, 105, 218),
    (130, 80, 223), (27, 124, 131), (110, 119, 129)],
)  # fmt: skip
THEMES = {"light": LIGHT, "dark": SVG_EXPORT_THEME}
LANDSCAPE = ("supernet=mbv3", "data=imagenet_surrogate", "hardware=note10", "budget=100")
SEARCHES = {
    "linas": (),
    "nsga2": ("mode=validation", "algo=nsga2"),
    "random": ("mode=validation", "algo=random"),
}
NAMES = ("mode=linas:LINAS", "algo=nsga2:NSGA-II", "algo=random:random search")
SEEDS = 3
SHOWN = 40  # evaluations of the panel
MOVED_UP = re.compile(r"\x1b\[1A|\x1b\[\d*A")
CODES = re.compile(r"\x1b\[\?25[lh]|\x1b\[2K|\r")


def terminal(folder: Path) -> str:
    """Return everything that a quick search writes to a terminal."""
    kept = folder / "terminal.txt"
    if kept.exists():
        return kept.read_text(encoding="utf-8")
    command = [sys.executable, "-m", "dynas.cli", "search", "experiment=quick", "hydra.run.dir=quick"]
    master, slave = pty.openpty()
    size = {"COLUMNS": str(COLUMNS), "LINES": str(ROWS), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    child = subprocess.Popen(command, cwd=folder, env=os.environ | size, stdout=slave, stderr=slave, stdin=slave)
    os.close(slave)
    written = b""
    while True:
        try:
            some = os.read(master, 1 << 16)
        except OSError:  # the other side has gone
            break
        written += some
    if child.wait():
        raise SystemExit(written.decode(errors="replace")[-2000:])
    kept.write_bytes(written)
    return written.decode(errors="replace")


def panel(written: str) -> Text:
    """Return a panel from the middle of the search, with a run folder that is nobody's."""
    frames = [CODES.sub("", frame) for frame in MOVED_UP.split(written)]
    whole = [frame for frame in frames if f"{SHOWN} / 60" in frame and "╰" in frame and "╭" in frame]
    text = whole[-1][whole[-1].index("╭") : whole[-1].rindex("╯") + 1]
    return Text.from_ansi(re.sub(r"/\S*quick", lambda found: "outputs/quick".ljust(len(found[0])), text))


def draw_panel(found: Text, out: Path) -> None:
    """Write the panel as SVG."""
    for name, theme in THEMES.items():
        console = Console(record=True, width=max(map(len, found.plain.splitlines())), file=io.StringIO())
        console.print(Text("$ dynas search experiment=quick\n"), found, sep="")
        svg = console.export_svg(title="dynas search", theme=theme)
        svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # it would be fetched from elsewhere
        (out / f"panel_{name}.svg").write_text(svg, encoding="utf-8")


def draw_report(folder: Path, out: Path) -> None:
    """Search the landscape, and write the page and its chart of fronts as PNG."""
    for name, parts in SEARCHES.items():
        for seed in range(SEEDS):
            run = f"outputs/{name}_{seed}"
            if not (folder / run / "front.png").exists():
                dynas(folder, "search", *LANDSCAPE, *parts, f"seed={seed}", f"hydra.run.dir={run}")
    names = [word for name in NAMES for word in ("--name", name)]
    dynas(folder, "report", "outputs", "--html", "page.html", *names)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in THEMES:
            page = browser.new_page(viewport={"width": 1100, "height": 820}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto((folder / "page.html").as_uri())
            page.wait_for_timeout(500)
            save(page.screenshot(), out / f"page_{scheme}.png")
            fronts = next(
                one for one in page.locator("svg").all() if (one.bounding_box() or {"width": 0})["width"] > 500
            )
            save(fronts.screenshot(), out / f"fronts_{scheme}.png")
        browser.close()


def save(picture: bytes, path: Path) -> None:
    """Write a picture with 256 colours."""
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def dynas(folder: Path, *arguments: str) -> None:
    """Run a command there."""
    subprocess.run([sys.executable, "-m", "dynas.cli", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=DOCS, help="where the pictures go")
    parser.add_argument(
        "--keep", type=Path, help="folder that keeps what was searched, so that it is drawn again at once"
    )
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        draw_panel(panel(terminal(folder)), arguments.out)
        draw_report(folder, arguments.out)
    for path in sorted(arguments.out.iterdir()):
        print(f"{path.stat().st_size:>9,} bytes  {path}")


if __name__ == "__main__":
    main()
