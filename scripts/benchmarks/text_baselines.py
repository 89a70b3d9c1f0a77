"""What predicts the held-out genres of the Brown corpus without a network: compressors, and a model of word sequences.

    python scripts/benchmarks/text_baselines.py --more novels.jsonl.xz

``--more`` names what the embedded decoder was trained on besides (scripts/assets/build_brown.py writes it). PPMd needs
the package pyppmd. Compressors read the texts of training first, and only what the held-out texts add to them counts.
The model interpolates sequences of up to so many of the decoder's tokens by modified Kneser-Ney smoothing (Chen and
Goodman 1998, Harvard TR-10-98); like the decoder it begins anew with each document. Printed are bits per byte.
"""

from __future__ import annotations

import argparse
import lzma
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynas.data.brown import EMBEDDED, corpus
from dynas.data.text.language_tokenizer import read_tokenizer
from dynas.data.text_files import read_documents

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
XZ = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 64 << 20}]


def xz(text: bytes) -> int:
    """Return the bytes of a text in xz's format, with a dictionary that holds all of it."""
    return len(lzma.compress(text, format=lzma.FORMAT_RAW, filters=XZ))


def ppmd(text: bytes) -> int:
    """Return the bytes of a text in PPMd of order 8 with 1 GB."""
    import pyppmd

    encoder = pyppmd.Ppmd7Encoder(8, 1 << 30)
    return len(encoder.encode(text) + encoder.flush())


@dataclass(frozen=True)
class Table:
    """Sequences of one length.

    Attributes:
        codes: the sequences as numbers ``(n,)``, in order.
        counts: how often each is counted ``(n,)``.
        histories: what their last token follows ``(m,)``, in order.
        totals: counts behind each ``(m,)``.
        kinds: how many tokens stand behind each once, twice, more often ``(m, 3)``.
        discounts: what is taken from counts of 1, 2 and more ``(3,)``.
    """

    codes: Ints
    counts: Ints
    histories: Ints
    totals: Ints
    kinds: Ints
    discounts: Floats


class KneserNey:
    """Interpolated modified Kneser-Ney over tokens.

    Args:
        documents: of training, tokens each.
        order: tokens of the longest sequences.
        vocabulary: number of tokens.
    """

    def __init__(self, documents: list[Ints], order: int, vocabulary: int) -> None:
        self.order, self.base = order, vocabulary + 1  # the last number stands before a document
        sequences = np.concatenate([self.sequences(tokens) for tokens in documents])
        codes, counts = np.unique(self.code(sequences), return_counts=True)
        self.tables = [self.table(codes, counts)]
        for length in range(order - 1, 0, -1):  # of shorter ones, in how many ways they are preceded
            codes, counts = np.unique(codes % self.base**length, return_counts=True)
            self.tables.append(self.table(codes, counts))

    def sequences(self, tokens: Ints) -> Ints:
        """Return each token behind those before it ``(n, order)``."""
        padded = np.concatenate([np.full(self.order - 1, self.base - 1), tokens])
        return np.lib.stride_tricks.sliding_window_view(padded, self.order)

    def code(self, sequences: Ints) -> Ints:
        """Return sequences ``(n, length)`` as numbers ``(n,)``."""
        return np.asarray(sequences @ self.base ** np.arange(sequences.shape[1])[::-1])

    def table(self, codes: Ints, counts: Ints) -> Table:
        """Return what is known of sequences of one length."""
        histories, place = np.unique(codes // self.base, return_inverse=True)
        classes = np.minimum(counts, 3) - 1
        kinds = np.stack([np.bincount(place, classes == kind, len(histories)) for kind in range(3)], axis=1)
        n1, n2, n3, n4 = (int((counts == times).sum()) for times in (1, 2, 3, 4))
        share = n1 / (n1 + 2 * n2)
        discounts = np.array([1 - 2 * share * n2 / n1, 2 - 3 * share * n3 / n2, 3 - 4 * share * n4 / n3])
        totals = np.bincount(place, counts, len(histories)).astype(np.int64)
        return Table(codes, counts, histories, totals, kinds.astype(np.int64), discounts)

    def probabilities(self, tokens: Ints) -> Floats:
        """Return the probability ``(n,)`` of each token of a document behind those before it."""
        codes, found = self.code(self.sequences(tokens)), np.full(len(tokens), 1 / (self.base - 1))
        for length in range(1, self.order + 1):
            found = interpolated(self.tables[-length], codes % self.base**length, self.base, found)
        return found


def interpolated(table: Table, codes: Ints, base: int, shorter: Floats) -> Floats:
    """Return probabilities ``(n,)`` by sequences of one length, given those by the next shorter."""
    counts = looked_up(table.codes, codes, table.counts)
    history = codes // base
    totals = looked_up(table.histories, history, table.totals)
    kinds = looked_up(table.histories, history, table.kinds)
    taken = np.where(counts > 0, table.discounts[np.minimum(counts, 3) - 1], 0.0)
    known = np.maximum(totals, 1)
    return np.where(totals > 0, (counts - taken + kinds @ table.discounts * shorter) / known, shorter)


def looked_up(keys: Ints, wanted: Ints, values: Ints) -> Ints:
    """Return the values of keys, 0 where a key is unknown."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    hit = keys[place] == wanted
    return values[place] * (hit if values.ndim == 1 else hit[:, None])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--more", type=Path, help="further texts of training")
    parser.add_argument("--orders", type=int, nargs="+", default=[3, 4, 5], help="longest sequences of tokens")
    arguments = parser.parse_args()
    training, validation = corpus()
    training = [*training, *([] if arguments.more is None else read_documents(arguments.more, None))]
    before, after = ("\n".join(texts).encode() for texts in (training, validation))
    size = sum(len(text.encode()) for text in validation)
    print("| what | bits per byte |\n| --- | ---: |")
    print(f"| xz | {8 * xz(after) / size:.3f} |")
    print(f"| xz, after the texts of training | {8 * (xz(before + after) - xz(before)) / size:.3f} |")
    print(f"| PPMd, after the texts of training | {8 * (ppmd(before + after) - ppmd(before)) / size:.3f} |", flush=True)
    tokenizer = read_tokenizer(str(EMBEDDED))
    read, held = ([np.array(tokenizer.encode(text).ids[1:]) for text in texts] for texts in (training, validation))
    for order in arguments.orders:
        model = KneserNey(read, order, tokenizer.get_vocab_size())
        bits = -sum(np.log2(model.probabilities(tokens)).sum() for tokens in held)
        print(f"| Kneser-Ney, up to {order} tokens | {bits / size:.3f} |", flush=True)


if __name__ == "__main__":
    main()
