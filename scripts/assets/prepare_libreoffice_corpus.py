"""Pair the sentences of LibreOffice's help in two languages, for data=parallel_text.

    python scripts/assets/prepare_libreoffice_corpus.py OUT.tsv.xz [HELP] [--source en-US] [--target de] [--tokens 20]

HELP is the folder with one folder of HTML pages per language. On Debian the packages libreoffice-help-en-us and
libreoffice-help-de put it at /usr/share/libreoffice/help; without installing them:

    apt-get download libreoffice-help-en-us libreoffice-help-de
    for package in libreoffice-help-*.deb; do dpkg-deb -x $package help; done     # then HELP is help/usr/share/...

Pages have the same names in all languages, and their headings and paragraphs the same ids. The output has a line
per pair: source, tab, target, tab, page; so validation is split off by whole pages. The help is under MPL-2.0.
"""

from __future__ import annotations

import argparse
import lzma
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

HELP = Path("/usr/share/libreoffice/help")
BLOCKS = {"h1", "h2", "h3", "h4", "h5", "h6", "p"}


class Blocks(HTMLParser):
    """Collects the text of the headings and paragraphs that have an id."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self._open: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a block where one starts."""
        name = dict(attrs).get("id")
        if tag in BLOCKS:
            self._open = name if name and name not in self.texts else None
            if self._open:
                self.texts[self._open] = ""

    def handle_endtag(self, tag: str) -> None:
        """End the block."""
        if tag in BLOCKS:
            self._open = None

    def handle_data(self, data: str) -> None:
        """Add text to the open block."""
        if self._open:
            self.texts[self._open] += data


def blocks(path: Path) -> dict[str, str]:
    """Return the text of each block of a page by its id, with single spaces."""
    parser = Blocks()
    parser.feed(path.read_text(encoding="utf-8"))
    return {name: " ".join(text.split()) for name, text in parser.texts.items()}


def page_pairs(source: Path, target: Path, tokens: int) -> Iterator[tuple[str, str]]:
    """Yield the pairs of one page with at most ``tokens`` words a side, of which both have letters and differ."""
    others = blocks(target)
    for name, text in blocks(source).items():
        other = others.get(name, "")
        sides = (text, other)
        if text != other and all(len(side.split()) <= tokens and any(map(str.isalpha, side)) for side in sides):
            yield sides


def corpus(folder: Path, languages: tuple[str, str], tokens: int) -> Iterator[str]:
    """Yield the pairs of all pages as lines of three columns, each source sentence with its first translation."""
    sources = folder / languages[0] / "text"
    seen = set()
    for page in sorted(sources.rglob("*.html")):
        name = page.relative_to(sources)
        twin = folder / languages[1] / "text" / name
        if twin.is_file():
            for pair in page_pairs(page, twin, tokens):
                if pair[0] not in seen:
                    seen.add(pair[0])
                    yield f"{pair[0]}\t{pair[1]}\t{name.with_suffix('').as_posix()}\n"


def main() -> None:
    """Write the corpus and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("help_folder", type=Path, nargs="?", default=HELP)
    parser.add_argument("--source", default="en-US")
    parser.add_argument("--target", default="de")
    parser.add_argument("--tokens", type=int, default=20, help="words that a side has at most")
    arguments = parser.parse_args()
    for language in (arguments.source, arguments.target):
        if not (arguments.help_folder / language / "text").is_dir():
            parser.error(f"no help pages in '{arguments.help_folder / language / 'text'}': install the help packages")
    lines = list(corpus(arguments.help_folder, (arguments.source, arguments.target), arguments.tokens))
    arguments.out.write_bytes(lzma.compress("".join(lines).encode()))
    pages = {line.rsplit("\t", 1)[1] for line in lines}
    print(f"{len(lines):,} pairs of {len(pages):,} pages: {arguments.out} ({arguments.out.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
