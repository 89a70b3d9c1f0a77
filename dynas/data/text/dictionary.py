"""fairseq's dictionaries: one ``token count`` a line, whose ids follow the four special ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dynas.core.translation import BOS, EOS, PAD, SPECIAL, UNK
from dynas.errors import DynasError
from dynas.system.text_file import read_lines

MULTIPLE = 8  # fairseq fills a dictionary up to a multiple of this with tokens that no text has
FILLING = "madeupword{:04d}"


@dataclass(frozen=True)
class Dictionary:
    """Tokens by id, without the special ones, and how often each was seen."""

    tokens: tuple[str, ...]
    counts: tuple[int, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = {token: index for index, token in enumerate(self.tokens, len(SPECIAL))}
        object.__setattr__(self, "_ids", ids)

    @classmethod
    def build(cls, sentences: Iterable[Sequence[str]]) -> Dictionary:
        """Return the dictionary of all tokens, frequent ones first."""
        counts = Counter(token for sentence in sentences for token in sentence)
        for special in SPECIAL:
            counts.pop(special, None)  # text that looks like a special token stays an unknown one
        ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        ranked += [(FILLING.format(index), 0) for index in range(-(len(ranked) + len(SPECIAL)) % MULTIPLE)]
        return cls(tuple(token for token, _ in ranked), tuple(count for _, count in ranked))

    @classmethod
    def read(cls, path: Path) -> Dictionary:
        """Read a dictionary file.

        Raises:
            DynasError: the file is missing, or a line is no token with its count, or a token stands there twice.
        """
        lines = read_lines(path, "dictionary")
        tokens, counts = [], []
        for number, line in enumerate(lines, 1):
            token, _, count = line.removesuffix(" #fairseq:overwrite").rpartition(" ")
            if not token or not count.isascii() or not count.isdigit() or len(count) > 18:
                raise DynasError(f"'{path}' line {number} is no token and its count: '{line[:60]}'")
            tokens.append(token)
            counts.append(int(count))
        if len(set(tokens)) < len(tokens) or not tokens:
            twice = [token for token, times in Counter(tokens).items() if times > 1]
            raise DynasError(f"'{path}' has the token '{twice[0]}' twice" if twice else f"'{path}' is empty")
        return cls(tuple(tokens), tuple(counts))

    def write(self, path: Path) -> None:
        """Write the dictionary as a file that `read` understands."""
        lines = [f"{token} {count}\n" for token, count in zip(self.tokens, self.counts, strict=True)]
        path.write_text("".join(lines), encoding="utf-8")

    def __len__(self) -> int:
        return len(SPECIAL) + len(self.tokens)

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Return the ids of a sentence and EOS; tokens that are not in the dictionary become UNK."""
        return [*(self._ids.get(token, UNK) for token in tokens), EOS]

    def decode(self, ids: Sequence[int]) -> list[str]:
        """Return the tokens up to the first EOS, without BOS and PAD."""
        tokens = []
        for index in ids:
            if index == EOS:
                break
            if index not in (BOS, PAD):
                tokens.append(SPECIAL[index] if index < len(SPECIAL) else self.tokens[index - len(SPECIAL)])
        return tokens
