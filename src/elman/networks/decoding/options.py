"""What may be asked of decoding, and which of it contradicts itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from elman.errors import OptionError
from elman.features.checks import check_whole


@dataclass(frozen=True, kw_only=True)
class DecodingOptions:
    """How a sequence is written: the likeliest, searched for with a beam, or a drawn one.

    Attributes:
        max_length: greatest number of symbols a row, a forced prefix among them, the end not.
        min_length: symbols before the end may follow.
        beam_size: k, hypotheses a row followed side by side; 1 takes the likeliest symbol each
            time.
        n_best: hypotheses returned a row, at most beam_size.
        length_penalty: α, of the score log p / (symbols written, the end included)^α. 0 ranks by
            log-probability, which favours what is short; 1 by its mean a symbol.
        temperature: draws instead of searching, from softmax(y / temperature); below 1 keeps to
            what is likely, above 1 is bolder. None searches.
        top_k: draws from the k most likely symbols alone; None from all.
        top_p: draws from the nucleus alone, the fewest most likely symbols whose probabilities,
            after temperature and top_k, sum to at least p; None from all.
        no_repeat_ngram_size: n, where no n symbols in a row are written twice; 0 allows it.
        banned_ids: symbols never written, unless a prefix forces them; id 0 is the unknown one.

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
                "of k follows k hypotheses a row."
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
                        f"{name}={getattr(self, name)!r} says what to draw from, and without a "
                        "temperature nothing is drawn; give temperature=1.0 to draw, or leave "
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
                f"beam_size={self.beam_size} searches for what is likeliest and "
                f"temperature={self.temperature!r} draws; choose one of the two."
            )


def _check_number(name: str, value: Any, words: str, *, above: float, most: float) -> None:
    """Refuse what is no number in (above, most]; no infinity is one."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not above < value <= most:
        raise OptionError(f"{name} must be {words}, got {value!r}.")
