"""llama.cpp in this process, by the package xllamacpp."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dynas.errors import DynasError

SILENT = -1
ALL = 2**20  # more tokens than any vocabulary has
GREEDY = {"samplers": ["top_k"], "top_k": 1, "ignore_eos": True}
FORCE = 1e6  # added to a logit; log probabilities are told without it


class LlamaCpp:
    """A GGUF file that is run by llama.cpp on the CPU.

    Args:
        path: the file.
        threads: of a forward pass.
        cache: precision of keys and values: F16, as llama.cpp has it by default, or F32, to compare with torch.

    Raises:
        DynasError: llama.cpp does not load the file.
    """

    def __init__(self, path: Path, threads: int = 1, cache: str = "F16") -> None:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_gpu_layers = 0
        params.fit_params = params.warmup = params.cache_prompt = False
        params.cache_ram_mib = 0
        if cache == "F32":
            params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
            params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.cpuparams.poll = params.cpuparams_batch.poll = 0
        params.n_parallel = 1
        params.verbosity = SILENT
        try:
            self.server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise DynasError(f"llama.cpp does not load '{path}': {error}") from error

    def complete(self, text: str | list[int], count: int, **settings: Any) -> dict[str, Any]:
        """Return what llama.cpp says of a text's continuation by ``count`` tokens."""
        answer: dict[str, Any] = self.server.handle_completions(
            {"prompt": text, "n_predict": count, "temperature": 1.0, "samplers": [], "cache_prompt": False, **settings}
        )
        return answer

    @cached_property
    def spoken(self) -> int:
        """A token that is text: of others, such as the end or a part of a letter, nothing is told."""
        return next(one for one in range(ALL) if self.told([one], one) is not None)

    def log_probabilities(self, text: str | list[int]) -> Tensor:
        """Return the log probabilities ``(vocabulary,)`` of what follows a text or its tokens, whatever is chosen."""
        told = self.told(text, self.spoken)
        assert told is not None
        by_token = {one["id"]: one["logprob"] for one in told}
        return torch.tensor([by_token[token] for token in range(len(by_token))])

    def told(self, text: str | list[int], forced: int) -> list[dict[str, Any]] | None:
        """Return what is told of all tokens that may follow a text, of which one is chosen; None where nothing is."""
        answer = self.complete(text, 1, n_probs=ALL, logit_bias=[[forced, FORCE]])["choices"][0]["logprobs"]
        told: list[dict[str, Any]] | None = answer["content"][0]["top_logprobs"] if answer else None
        return told

    def read_ms(self, tokens: list[int]) -> float:
        """Return the milliseconds that reading a text takes, up to what is known of the next token."""
        return float(self.complete(tokens, 1, **GREEDY)["timings"]["prompt_ms"])

    def step_ms(self, tokens: list[int], count: int) -> float:
        """Return the milliseconds of one more token behind a text, a mean over ``count`` of them.

        They are fewer where the text becomes the longest that the network reads, which must leave room for two.
        """
        timings = self.complete(tokens, count + 1, **GREEDY)["timings"]
        return float(timings["predicted_ms"]) / (int(timings["predicted_n"]) - 1)
