"""The options of decoding, and which of them contradict each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from elman.errors import OptionError
from elman.features.checks import check_whole


@dataclass(frozen=True, kw_only=True)
class DecodingOptions:
    """How a sequence is decoded: greedily, by beam search, or by sampling.

    Attributes:
        max_length: greatest number of symbols in a row, including a forced prefix, not the end.
        min_length: least number of symbols before the end.
        beam_size: k, hypotheses kept for each row; 1 is greedy decoding.
        n_best: hypotheses returned for each row, at most beam_size.
        length_penalty: α in the score log p / (number of symbols, the end included)^α. 0 ranks by
            log-probability, which favours short sequences; 1 by its mean per symbol.
        temperature: samples from softmax(y / temperature); below 1 favours likely symbols, above
            1 unlikely ones. None for no sampling.
        top_k: samples from the k most likely symbols only; None from all.
        top_p: samples from the nucleus only, the fewest most likely symbols whose probabilities,
            after temperature and top_k, sum to at least p; None from all.
        no_repeat_ngram_size: n, where no n-gram may occur twice in a row; 0 allows repeats.
        banned_ids: symbols never predicted, unless a prefix forces them; id 0 is the unknown one.

    Raises:
        OptionError: a value is out of its range, or two contradict each other.
    """

    max_length: int = 100
    min_length: int = 0
    beam_size: int = 1
    n_best: int = 1
    length_penalty: float = 1.0
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    no_repeat_ngram_size: int = 0
    banned_ids: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        for name in ("max_length", "beam_size", "n_best"):
            check_whole(name, getattr(self, name), least=1)
        for name in ("min_length", "no_repeat_ngram_size"):
            check_whole(name, getattr(self, name), least=0)
        for banned in self.banned_ids:
            check_whole("an id in banned_ids", banned, least=0)
        if self.min_length > self.max_length:
            raise OptionError(
                f"min_length must not exceed max_length = {self.max_length}, got {self.min_length}."
            )
        if self.n_best > self.beam_size:
            raise OptionError(
                f"n_best must not exceed beam_size = {self.beam_size}, got {self.n_best}; a beam "
                "of size k keeps k hypotheses for each row."
            )
        if self.length_penalty != 0:
            _check_number(
                "length_penalty", self.length_penalty, "a number from 0 up", above=0, most=math.inf
            )
        self._check_sampling()

    def _check_sampling(self) -> None:
        if self.temperature is None:
            for name in ("top_k", "top_p"):
                if getattr(self, name) is not None:
                    raise OptionError(
                        f"{name}={getattr(self, name)!r} restricts sampling, and without a "
                        "temperature nothing is sampled; give temperature=1.0 to sample, or leave "
                        f"{name} out."
                    )
            return
        _check_number("temperature", self.temperature, "a positive number", above=0, most=math.inf)
        if self.top_k is not None:
            check_whole("top_k", self.top_k, least=1)
        if self.top_p is not None:
            _check_number("top_p", self.top_p, "a number in (0, 1]", above=0, most=1)
        if self.beam_size > 1:
            raise OptionError(
                f"beam_size={self.beam_size} searches for the likeliest sequence and "
                f"temperature={self.temperature!r} samples; choose one of the two."
            )


def _check_number(name: str, value: Any, words: str, *, above: float, most: float) -> None:
    """Refuse a value that is not a finite number in (above, most]."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not above < value <= most:
        raise OptionError(f"{name} must be {words}, got {value!r}.")
