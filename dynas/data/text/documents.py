"""Documents as windows of tokens: what language models are trained and measured on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from dynas.core.data import IGNORED
from dynas.core.language import LanguageData, Windows
from dynas.data.text.language_tokenizer import tokenizer_digest
from dynas.errors import DynasError

BATCH = 8  # validation windows that are looked at together


@dataclass(frozen=True)
class Window:
    """A part of a document that a network sees at a time.

    Attributes:
        tokens: ``(T + 1,)``; each but the first is to be foretold from those before it.
        first: the first of these that counts; those before it counted in another window.
        bytes: of UTF-8 that the counted ones stand for.
    """

    tokens: NDArray[np.int64]
    first: int
    bytes: int


class Documents(LanguageData):
    """Documents for training and validation.

    Args:
        training, validation: the texts.
        tokenizer: makes tokens of them.
        window: tokens that a network sees at a time.
        stride: tokens from one validation window to the next; what two windows share counts in the first only, so that
            tokens have at least ``window - stride`` others before them, but at the beginning of a document.
        validation_size: validation windows that are used, spread over all documents; None: all.
        epoch_tokens: tokens of an epoch; None: about all that there are.

    Raises:
        DynasError: a setting makes no sense, or there is too little text.
    """

    concurrent = True

    def __init__(
        self,
        training: Sequence[str],
        validation: Sequence[str],
        tokenizer: Tokenizer,
        window: int,
        stride: int,
        validation_size: int | None,
        epoch_tokens: int | None,
    ) -> None:
        if window < 2 or not 1 <= stride <= window:
            raise DynasError(
                f"data.window={window} data.stride={stride}: give a window of 2 or more and a stride up to it"
            )
        for name, value in (("validation_size", validation_size), ("epoch_tokens", epoch_tokens)):
            if value is not None and value < 1:
                raise DynasError(f"data.{name}={value}: give 1 or more, or null")
        self.window, self.stride, self.epoch_tokens = window, stride, epoch_tokens
        self.vocabulary = 1 + max(tokenizer.get_vocab().values())
        self.tokenizer_digest = tokenizer_digest(tokenizer)
        self._texts, self._tokenizer = training, tokenizer
        windows = [one for text in validation for one in windows_of(text, tokenizer, window, stride)]
        if not windows:
            raise DynasError("the validation text has nothing to foretell: give documents of two tokens or more")
        check_known(windows, tokenizer)
        if validation_size is not None:
            if validation_size > len(windows):
                raise DynasError(f"data.validation_size={validation_size}: there are {len(windows)} validation windows")
            windows = [
                windows[place] for place in np.linspace(0, len(windows) - 1, validation_size).round().astype(int)
            ]
        self._windows = windows
        self.validation_bytes = sum(one.bytes for one in windows)
        told = [[one.tokens.tolist(), one.first, one.bytes] for one in windows]
        seen = json.dumps([window, epoch_tokens, self.tokenizer_digest, told, list(training)])
        self.digest = hashlib.sha256(seen.encode()).hexdigest()

    def validation_batches(self) -> Iterator[Windows]:
        """Yield what quality is measured on, each token once, windows of like length together."""
        order = sorted(self._windows, key=lambda one: -len(one.tokens))
        for start in range(0, len(order), BATCH):
            yield padded(order[start : start + BATCH])

    @cached_property
    def _stream(self) -> NDArray[np.int64]:
        """The tokens of all training documents, one behind the other."""
        found = self._tokenizer.encode_batch(list(self._texts))
        stream = np.concatenate([np.array(one.ids, dtype=np.int64) for one in found] or [np.zeros(0, dtype=np.int64)])
        if len(stream) <= self.window:
            raise DynasError(
                f"the training text has {len(stream)} tokens, fewer than a window and the token behind it: give more "
                f"text, or a smaller data.window than {self.window}"
            )
        return stream

    @property
    def _epoch_windows(self) -> int:
        """Windows of an epoch."""
        return max(1, (self.epoch_tokens or len(self._stream)) // self.window)

    def training_steps(self, batch_size: int) -> int:
        """Return the number of batches of ``batch_size`` tokens in an epoch; DynasError for less than a window."""
        if batch_size < self.window:
            raise DynasError(
                f"recipe.batch_size={batch_size} is in tokens here: give data.window={self.window} or more"
            )
        return self._epoch_windows // (batch_size // self.window)

    def training_batches(self, batch_size: int, rng: np.random.Generator) -> Iterator[Windows]:
        """Yield one epoch of windows in random order; where they begin is random in every pass through the text."""
        rows, wanted = batch_size // self.window, self._epoch_windows
        starts: list[NDArray[np.int64]] = []
        while sum(map(len, starts)) < wanted:
            end = len(self._stream) - self.window
            starts.append(rng.permutation(np.arange(rng.integers(min(self.window, end)), end, self.window)))
        order = np.concatenate(starts)[:wanted]
        places = np.arange(self.window + 1)
        for start in range(0, self.training_steps(batch_size) * rows, rows):
            tokens = torch.from_numpy(self._stream[order[start : start + rows, None] + places])
            yield tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()


def windows_of(text: str, tokenizer: Tokenizer, window: int, stride: int) -> list[Window]:
    """Return the windows of a document, which together count each of its tokens once.

    The first token of a text counts where the tokenizer puts a special one before it, from which it is foretold.
    """
    encoding = tokenizer.encode(text)
    special = np.array(encoding.special_tokens_mask, dtype=bool)
    last = len(special) - int(np.argmin(special[::-1])) if not special.all() else 0
    tokens = np.array(encoding.ids[:last], dtype=np.int64)  # without special ones behind the text
    ends = ends_in_bytes(text, [end for _, end in encoding.offsets[:last]])
    found, counted = [], 1
    for begin in range(0, max(len(tokens) - 1, 0), stride):
        own = tokens[begin : begin + window + 1]
        behind = begin + len(own)
        if behind > counted:
            found.append(Window(own, counted - begin, int(ends[behind - 1] - ends[counted - 1])))
            counted = behind
    return found


def check_known(windows: Sequence[Window], tokenizer: Tokenizer) -> None:
    """Raise DynasError where a part of the text has no token of its own, so that its bytes are not foretold."""
    model = json.loads(tokenizer.to_str())["model"]
    unknown = model.get("unk_id") if model.get("unk_token") is None else tokenizer.token_to_id(model["unk_token"])
    if unknown is not None and any((one.tokens[one.first :] == unknown).any() for one in windows):
        raise DynasError(
            "the tokenizer has no tokens for parts of the validation text, so that bits per byte would be too few: "
            "give text that it is made for"
        )


def ends_in_bytes(text: str, ends: Sequence[int]) -> NDArray[np.int64]:
    """Return at which byte of UTF-8 tokens end, from the characters; the last one ends with the text.

    Where tokens are parts of one character, the first counts as all of it.
    """
    sizes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    lengths = 1 + (sizes > 0x7F).astype(np.int64) + (sizes > 0x7FF) + (sizes > 0xFFFF)
    before = np.concatenate([[0], np.cumsum(lengths)])
    found = np.maximum.accumulate(before[np.array(ends, dtype=np.int64)]) if len(ends) else np.zeros(0, dtype=np.int64)
    if len(found):
        found[-1] = before[-1]
    return found


def padded(windows: Sequence[Window]) -> Windows:
    """Return tokens ``(n, T)`` and what follows each of them, `IGNORED` where it does not count."""
    longest = max(len(one.tokens) for one in windows) - 1
    tokens = torch.zeros(len(windows), longest, dtype=torch.long)
    targets = torch.full_like(tokens, IGNORED)
    for row, one in enumerate(windows):
        length = len(one.tokens) - 1
        tokens[row, :length] = torch.from_numpy(one.tokens[:-1])
        targets[row, one.first - 1 : length] = torch.from_numpy(one.tokens[one.first :])
    return tokens, targets
