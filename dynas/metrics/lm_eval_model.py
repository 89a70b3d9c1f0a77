"""A sub-network as lm-evaluation-harness asks it: log probabilities of continuations and of texts, and greedy texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from dynas.core.language import LanguageModel
from dynas.errors import DynasError
from dynas.metrics.calibration import device_of

if TYPE_CHECKING:
    from dynas.core.supernet import Supernet

TOKENIZER, CONFIG = "tokenizer.json", "config.json"
LONGEST = 256  # tokens that are made where a task does not say how many
Part = tuple[list[int], list[int]]  # tokens that are given, and those behind them that are judged


def make_model(subnet: nn.Module, supernet: Supernet, batch_size: int) -> Any:
    """Return a sub-network as an ``LM`` of the harness.

    Raises:
        DynasError: it has no tokenizer.
    """
    from lm_eval.api.model import LM

    class Model(Answers, LM):  # type: ignore[misc]
        """The answers, in the class that the harness wants."""

    companions = supernet.companions()
    if TOKENIZER not in companions:
        raise DynasError(f"lm_eval asks in words: put the network's {TOKENIZER} beside its weights")
    model = Model()
    model.begin(subnet, companions[TOKENIZER], json.loads(companions[CONFIG]), batch_size)
    return model


class Answers:
    """What a decoder answers; texts that are longer than it reads lose their beginning."""

    def begin(self, subnet: nn.Module, tokenizer: bytes, config: dict[str, Any], batch_size: int) -> None:
        """Take a network, its tokenizer.json and config.json, and the number of texts at a time.

        Raises:
            DynasError: nothing says which token begins a text.
        """
        from tokenizers import Tokenizer

        self.subnet, self.network, self.batch_size = subnet, cast(LanguageModel, subnet), batch_size
        self.tokenizer = Tokenizer.from_buffer(tokenizer)
        begun: list[Any] = self.tokenizer.encode("").ids or [config.get("bos_token_id"), config.get("eos_token_id")]
        known = [one for one in begun if isinstance(one, int)]
        if not known:
            raise DynasError(f"lm_eval needs a token that begins a text: give bos_token_id in {CONFIG}")
        self.first = known[0]

    def tokens(self, text: str) -> list[int]:
        """Return the tokens of a text, without those that begin or end one."""
        found: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return found

    def loglikelihood(self, requests: Sequence[Any]) -> list[tuple[float, bool]]:
        """Return the log probability of each continuation, and whether it is the greedy one."""
        parts = []
        for context, continuation in (request.args for request in requests):
            kept = context.rstrip()
            whole = self.tokens(context + continuation)  # a space belongs to the word behind it
            given = self.tokens(kept) if kept else []
            parts.append(([self.first, *given], whole[len(given) :]))
        return self.judged(parts)

    def loglikelihood_rolling(self, requests: Sequence[Any]) -> list[float]:
        """Return the log probability of each text, whose tokens count once, behind as many as the network reads."""
        from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

        found = []
        for (text,) in (request.args for request in requests):
            windows = get_rolling_token_windows(self.tokens(text), self.first, self.network.positions, 1)
            found.append(sum(value for value, _ in self.judged([make_disjoint_window(one) for one in windows])))
        return found

    def judged(self, parts: Sequence[Part]) -> list[tuple[float, bool]]:
        """Return, for each part, the log probability of its second half, and whether it is the greedy one."""
        order = sorted(range(len(parts)), key=lambda place: -sum(map(len, parts[place])))
        found: dict[int, tuple[float, bool]] = {}
        for start in range(0, len(order), self.batch_size):
            places = order[start : start + self.batch_size]
            for place, answer in zip(places, self.batch([parts[place] for place in places]), strict=True):
                found[place] = answer
        return [found[place] for place in range(len(parts))]

    @torch.inference_mode()
    def batch(self, parts: Sequence[Part]) -> list[tuple[float, bool]]:
        """Judge several parts at once; what stands behind a shorter one is not looked at."""
        texts = [[*given, *wanted][-self.network.positions - 1 :] for given, wanted in parts]
        tokens = torch.zeros(len(texts), max(map(len, texts)) - 1, dtype=torch.long)
        for row, text in zip(tokens, texts, strict=True):
            row[: len(text) - 1] = torch.tensor(text[:-1])
        shares = self.network(tokens.to(device_of(self.subnet))).float().log_softmax(-1).cpu()
        return [answer(own, text, len(wanted)) for own, text, (_, wanted) in zip(shares, texts, parts, strict=True)]

    @torch.inference_mode()
    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """Return what each text is greedily continued by, up to one of the strings that end it."""
        return [self.continued(context, **settings) for context, settings in (request.args for request in requests)]

    def continued(self, context: str, until: str | Sequence[str] = (), **settings: Any) -> str:
        """Return a text's greedy continuation."""
        count = int(settings.get("max_gen_toks", LONGEST))
        ends = [until] if isinstance(until, str) else list(until)
        room = self.network.positions - count
        text = [self.first, *self.tokens(context)][-max(room, 1) :]
        made: list[int] = []
        memories, new = self.network.start(), torch.tensor([text], device=device_of(self.subnet))
        while len(made) < count and len(text) + len(made) <= self.network.positions:
            made.append(int(self.network.decode(new, memories)[0].argmax()))
            told: str = self.tokenizer.decode(made)
            if stops := [told.index(end) for end in ends if end in told]:
                return told[: min(stops)]
            if made[-1] == self.first:
                break
            new = torch.tensor([made[-1:]], device=new.device)
        return str(self.tokenizer.decode(made))


def answer(shares: Tensor, text: Sequence[int], count: int) -> tuple[float, bool]:
    """Return the log probability of a text's last tokens, and whether each is the likeliest.

    Args:
        shares: log probabilities ``(T, vocabulary)`` behind its tokens, the first ones of a row.
        text: its tokens, the first of which is given.
        count: how many count.
    """
    count = min(count, len(text) - 1)
    own, wanted = shares[len(text) - 1 - count : len(text) - 1], torch.tensor(text[len(text) - count :])
    likeliest = bool((own.argmax(-1) == wanted).all())
    return float(own.gather(1, wanted[:, None]).double().sum()), likeliest
