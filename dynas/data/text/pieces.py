"""How plain text becomes pieces of words and pieces become text again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from dynas.data.text.subwords import SubwordCodes, join
from dynas.errors import DynasError
from dynas.system.extras import install

CLOCK = r"\d{1,2}:\d{2}"  # would come back as "14: 30"


class TextRules(Protocol):
    """The way between the text of one language and the pieces that a dictionary numbers."""

    def pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the pieces of each sentence."""
        ...

    def tokenised(self, pieces: Sequence[str]) -> str:
        """Return the words and punctuation of a sentence with spaces between them."""
        ...

    def detokenised(self, pieces: Sequence[str]) -> str:
        """Return a sentence as plain text."""
        ...


class Moses:
    """Moses' rules for words and punctuation, then byte-pair codes.

    Args:
        language: code of the language, such as ``de``.
        codes: how words are split; None: they stay whole, and only the way back to text makes sense.
    """

    def __init__(self, language: str, codes: SubwordCodes | None = None) -> None:
        from sacremoses import MosesDetokenizer, MosesTokenizer

        self._tokenizer, self._detokenizer = MosesTokenizer(language), MosesDetokenizer(language)
        self._codes = codes

    def words(self, text: str) -> str:
        """Return words and punctuation with spaces between them, special characters of XML escaped as Moses does."""
        words: str = self._tokenizer.tokenize(text, return_str=True, protected_patterns=[CLOCK])
        return words

    def pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the pieces of each sentence."""
        sentences = [self.words(text) for text in texts]
        return self._codes.split(sentences) if self._codes else [sentence.split() for sentence in sentences]

    def tokenised(self, pieces: Sequence[str]) -> str:
        """Return the words and punctuation of a sentence with spaces between them."""
        return join(pieces)

    def detokenised(self, pieces: Sequence[str]) -> str:
        """Return a sentence as plain text."""
        text: str = self._detokenizer.detokenize(join(pieces).split())
        return text


class SentencePieces:
    """A SentencePiece model (Kudo and Richardson 2018, arXiv:1808.06226), which reads plain text.

    Args:
        path: the .model file.
        language: code of the language, for words and punctuation.

    Raises:
        DynasError: the library or the file is missing, or the file is no model.
    """

    def __init__(self, path: Path, language: str) -> None:
        try:
            import sentencepiece
        except ImportError as error:
            raise DynasError(
                f"'{path}' is a SentencePiece model, which needs sentencepiece: {install('sentencepiece')}"
            ) from error
        if not path.is_file():
            raise DynasError(f"no SentencePiece model '{path}'")
        self._model: Any = sentencepiece.SentencePieceProcessor()
        self._moses = Moses(language)
        try:
            self._model.LoadFromFile(str(path))
        except (RuntimeError, OSError) as error:
            raise DynasError(f"'{path}' is no SentencePiece model") from error

    def pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """Return the pieces of each sentence."""
        pieces: list[list[str]] = self._model.encode(list(texts), out_type=str)
        return pieces

    def tokenised(self, pieces: Sequence[str]) -> str:
        """Return the words and punctuation of a sentence with spaces between them."""
        return self._moses.words(self.detokenised(pieces))

    def detokenised(self, pieces: Sequence[str]) -> str:
        """Return a sentence as plain text."""
        text: str = self._model.decode(list(pieces))
        return text
