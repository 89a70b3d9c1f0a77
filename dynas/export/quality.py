"""How good files are at their task: on the validation samples, beside the network that they were written from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynas.core.activity import doing
from dynas.core.data import ClassificationData
from dynas.core.recommendation import RecommendationData
from dynas.core.texts import TextData
from dynas.export.network import Network, Tensors, in_parts, relative_difference, run
from dynas.metrics.calibration import sized
from dynas.metrics.ranking import PAIRS, hits

RECOMMENDED = 10  # items of a list, as in the objective hr10
LEAST, ERRORS = 0.01, 3  # a share of the quality, as in MLPerf Inference (arXiv:1911.02549), and standard errors

Answer = Callable[[Tensors], Tensors]
Scores = NDArray[np.float64]  # of samples ``(n,)``, in percent
Trial = tuple[Tensors, Callable[[Tensors], Scores]]  # inputs, and how good the outputs are


@dataclass(frozen=True)
class Quality:
    """How good a file is.

    Attributes:
        name: of the objective, such as ``top1``, in percent.
        value, error: mean over the samples, and its standard error.
        network, network_error: the same of the network in FP32, in torch.
        lost, lost_error: how many points of it the network has more, on the same samples.
        samples: how many these are.
        difference: largest difference of outputs on them, as a share of the largest of the network's.
        measured: quality of the network when it was measured in INT8, where these files are in INT8; else None.
    """

    name: str
    value: float
    error: float
    network: float
    network_error: float
    lost: float
    lost_error: float
    samples: int
    difference: float
    measured: float | None = None

    @property
    def kept(self) -> bool:
        """Whether quality is that of the network: as measured in INT8, or else in FP32.

        What is lost may be chance, up to three standard errors, or up to one percent of it.
        """
        return self.missing <= max(ERRORS * self.missing_error, LEAST * self.expected)

    @property
    def expected(self) -> float:
        """What the file is compared with."""
        return self.network if self.measured is None else self.measured

    @property
    def missing(self) -> float:
        """Points below what it is compared with."""
        return self.lost if self.measured is None else self.measured - self.value

    @property
    def missing_error(self) -> float:
        """Standard error of that; without the measurement's own samples, that of the file's quality."""
        return self.lost_error if self.measured is None else self.error

    @property
    def text(self) -> str:
        """How good it is beside what it is compared with."""
        whose = "the network in FP32" if self.measured is None else "measured in INT8"
        return (
            f"{self.name} {self.value:.1f} ± {self.error:.1f} %, {whose} {self.expected:.1f} % "
            f"({self.missing:.1f} ± {self.missing_error:.1f} points lost)"
        )


@dataclass(frozen=True)
class Examination:
    """The validation samples with the network's own answers to them.

    Attributes:
        network: what files are written from.
        expected: its outputs, batch by batch.
        scores: how good these are; empty where the data's task is more than one forward pass, or there are no data.
    """

    network: Network
    expected: list[Tensors] = field(default_factory=list)
    scores: list[Scores] = field(default_factory=list)

    def quality(self, answer: Answer, int8: bool) -> Quality | None:
        """Return how good the answers of a file are, None where nothing can be told.

        Args:
            answer: runs the file.
            int8: whether it computes in INT8.
        """
        if not self.scores:
            return None
        assert self.network.data is not None
        found, apart = [], 0.0
        for (inputs, score), expected in zip(trials(self.network), self.expected, strict=True):
            outputs = in_parts(answer, inputs, self.network.batch_size)
            apart = max(apart, relative_difference(expected, outputs))
            found.append(score(outputs))
        own, theirs = np.concatenate(found), np.concatenate(self.scores)
        lost = theirs - own
        return Quality(
            self.network.data.quality, float(own.mean()), standard_error(own), float(theirs.mean()),
            standard_error(theirs), float(lost.mean()), standard_error(lost), len(own), apart,
            self.network.quantisation.measured if int8 else None,
        )  # fmt: skip


def examine(network: Network) -> Examination:
    """Return the validation samples with the network's own answers to them."""
    found = Examination(network)
    with doing("judging the network"):
        for inputs, score in trials(network):
            found.expected.append(in_parts(partial(run, network.module), inputs, network.batch_size))
            found.scores.append(score(found.expected[-1]))
    return found


def trials(network: Network) -> Iterator[Trial]:
    """Yield all validation samples in batches; nothing where one forward pass does not tell how good a network is.

    Of images without labels, the network's own answers are right.
    """
    data = network.data
    if data is None or data.modelled:
        return
    if isinstance(data, ClassificationData):
        for images, labels in sized(data, network.module).validation_batches():
            known = labels if data.labelled else run(network.module, (images,))[0].argmax(1)
            yield (images,), partial(rightness, known)
    elif isinstance(data, TextData):
        for pieces, mask, labels in data.validation_batches():
            yield (pieces, mask), partial(rightness, labels)
    elif isinstance(data, RecommendationData):
        ranked = data.candidates.shape[1]
        users, items = torch.from_numpy(data.ranked_users), torch.from_numpy(data.candidates)
        step = max(1, PAIRS // ranked)
        for one, others in zip(torch.split(users, step), torch.split(items, step), strict=True):
            yield (one.repeat_interleave(ranked), others.flatten()), partial(hit, ranked)


def rightness(labels: Tensor, outputs: Tensors) -> Scores:
    """Return for each sample whether the highest logit is at its label."""
    return 100.0 * (outputs[0].argmax(1) == labels).double().numpy()


def hit(ranked: int, outputs: Tensors) -> Scores:
    """Return for each user whether the first of the ranked items is among the ten best."""
    return 100 * hits(outputs[0].view(-1, ranked).numpy(), RECOMMENDED)


def standard_error(values: Scores) -> float:
    """Return the standard error of a mean over samples."""
    return float(values.std() / np.sqrt(len(values)))
