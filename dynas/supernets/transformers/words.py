"""BERT (Devlin et al. 2019, arXiv:1810.04805) with a classifier of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from dynas.core.space import Architecture
from dynas.errors import DynasError
from dynas.supernets.slicing import Linear, Sliced
from dynas.supernets.transformers.layers import Attention, Block, PostNorm
from dynas.supernets.transformers.shape import Counts, Layers, Shape, Sizes, count_macs, count_params

POOLINGS = ("first", "mean")
STD = 0.02  # of the first weights, as BERT's


@dataclass(frozen=True)
class Words:
    """What all sub-networks share.

    Attributes:
        shape: of the layers, with one width.
        vocabulary: number of word pieces.
        positions: longest text in word pieces.
        segments: rows of the table of segments, of which a text takes the first.
        classes: number of them.
        epsilon: of the norms.
        length: word pieces of the texts that costs are stated for.
        pooling: what the classifier sees: ``first``, the first token through one more layer, or ``mean``, that of all.
    """

    shape: Shape
    vocabulary: int
    positions: int
    segments: int
    classes: int
    epsilon: float
    length: int
    pooling: str = "first"

    def __post_init__(self) -> None:
        if min(self.vocabulary, self.positions, self.segments, self.classes, self.length) < 1:
            raise DynasError(
                "supernet bert needs positive numbers for vocabulary, positions, segments, classes and length"
            )
        if self.length > self.positions:
            raise DynasError(f"supernet.length={self.length} is longer than supernet.positions={self.positions}")
        if self.pooling not in POOLINGS:
            raise DynasError(f"supernet.pooling={self.pooling}: give {' or '.join(POOLINGS)}")

    @property
    def width(self) -> int:
        """Of the tokens."""
        return self.shape.widths[0]

    def params(self, sizes: Sizes) -> Counts:
        """Return the parameters ``(n,)`` without the embedding tables."""
        return count_params(sizes, 2) + 2 * self.width + (self.width + 1) * self.outputs

    @property
    def outputs(self) -> int:
        """Outputs of the layers behind the encoder, of which each sees all channels."""
        return self.classes + (self.width if self.pooling == "first" else 0)

    @property
    def embeddings(self) -> int:
        """Parameters of the embedding tables."""
        return (self.vocabulary + self.positions + self.segments) * self.width

    def macs(self, sizes: Sizes) -> Counts:
        """Return the multiply-accumulates ``(n,)`` for one text: layers, attention's products, pooler, classifier."""
        return count_macs(sizes, self.length) + self.width * self.outputs


class Bert(nn.Module):
    """A network that tells classes of texts.

    Args:
        words: what it shares with others.
        layers: its own sizes.
    """

    def __init__(self, words: Words, layers: Layers) -> None:
        super().__init__()
        width = layers.width
        self.words, self.kept = words, layers.kept
        self.word_embeddings = nn.Embedding(words.vocabulary, width)
        self.position_embeddings = nn.Embedding(words.positions, width)
        self.segment_embeddings = nn.Embedding(words.segments, width)
        self.embeddings_norm = nn.LayerNorm(width, words.epsilon)
        self.layers = nn.ModuleList(
            PostNorm(Attention(width, heads, words.shape.head_size), width, units, words.epsilon)
            for heads, units in zip(layers.heads, layers.units, strict=True)
        )
        if words.pooling == "first":
            self.pooler = Linear(width, width)
        self.classifier = Linear(width, words.classes)

    @property
    def blocks(self) -> list[Block]:
        """Its layers."""
        return [layer for layer in self.layers if isinstance(layer, Block)]

    def embed(self, input_ids: Tensor) -> Tensor:
        """Return the tokens ``(N, T, width)`` that the first layer sees."""
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        segment = self.segment_embeddings.weight[0]  # a text is one segment
        y: Tensor = self.embeddings_norm(self.word_embeddings(input_ids) + self.position_embeddings(places) + segment)
        return y

    def tokens(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return the last layer's tokens ``(N, T, width)`` (see `forward`)."""
        x = self.embed(input_ids)
        # the least number rather than minus infinity: a text of nothing but padding then has no NaN
        least = torch.finfo(x.dtype).min
        hidden = None if attention_mask is None else (attention_mask[:, None, None, :] == 0).to(x.dtype) * least
        for layer in self.layers:
            x = layer(x, hidden)
        y: Tensor = x
        return y

    def logits(self, tokens: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return the logits ``(N, classes)`` of the last layer's tokens ``(N, T, width)``."""
        if self.words.pooling == "first":
            pooled = torch.tanh(self.pooler(tokens[:, 0]))
        elif attention_mask is None:
            pooled = tokens.mean(dim=1)
        else:
            real = (attention_mask != 0).to(tokens.dtype)[..., None]
            pooled = (tokens * real).sum(dim=1) / real.sum(dim=1).clamp(min=1)
        y: Tensor = self.classifier(pooled)
        return y

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return the logits ``(N, classes)``.

        Args:
            input_ids: word pieces ``(N, T)`` by their numbers.
            attention_mask: ``(N, T)``, 0 where there is no piece but padding; None: nowhere.
        """
        return self.logits(self.tokens(input_ids, attention_mask), attention_mask)

    def with_states(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits ``(N, classes)`` and the last layer's tokens of what is no padding ``(pieces, width)``."""
        tokens = self.tokens(input_ids, attention_mask)
        return self.logits(tokens, attention_mask), tokens[attention_mask != 0]


class ElasticBert(Sliced, Bert):
    """The network of the largest layers, which runs or cuts out any smaller one."""

    def __init__(self, words: Words) -> None:
        super().__init__(words, words.shape.largest())
        for name, weight in self.named_parameters():
            if weight.dim() > 1:
                nn.init.normal_(weight, std=STD)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def smaller(self, architecture: Architecture) -> Bert:
        """Return a sub-network, whose weights are not looked at."""
        return Bert(self.words, self.words.shape.of(architecture))

    def view(self, name: str, size: torch.Size, subnet: nn.Module) -> Tensor:
        """Return the part of the largest weights that is a sub-network's parameter of a name and size."""
        assert isinstance(subnet, Bert)
        _, found, rest = name.partition("layers.")
        if found:
            layer, _, rest = rest.partition(".")
            name = f"layers.{subnet.kept[int(layer)]}.{rest}"
        return super().view(name, size, subnet)

    def arrange(self, places: Sequence[int]) -> None:
        """Take each layer's place in the order in which layers are kept."""
        self.words = replace(self.words, shape=replace(self.words.shape, ranks=tuple(places)))

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, architecture: Architecture | None = None
    ) -> Tensor:
        """Run a sub-network on shared weights, by default the largest (see `Bert.forward`)."""
        if architecture is None:
            return super().forward(input_ids, attention_mask)
        return self.run(architecture, input_ids, attention_mask)

    def with_states(
        self, input_ids: Tensor, attention_mask: Tensor, architecture: Architecture | None = None
    ) -> tuple[Tensor, Tensor]:
        """Run a sub-network as `forward` does (see `Bert.with_states`)."""
        if architecture is None:
            return super().with_states(input_ids, attention_mask)
        subnet, views = self.cut(architecture)
        shown, named = Shown(subnet.train(self.training)), {f"net.{name}": view for name, view in views.items()}
        found: tuple[Tensor, Tensor] = functional_call(shown, named, (input_ids, attention_mask))
        return found


class Shown(nn.Module):
    """A network that is called for its hidden states, too (`Bert.with_states`)."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and hidden states."""
        assert isinstance(self.net, Bert)
        return self.net.with_states(input_ids, attention_mask)
