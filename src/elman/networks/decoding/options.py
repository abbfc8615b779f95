"""The options of decoding, and which of them contradict each other."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator

from elman.errors import OptionError
from elman.experiment.decoder import DecodingSpec
from elman.experiment.words import option_in_words
from elman.features.checks import check_whole


class DecodingOptions(DecodingSpec):
    """How a sequence is decoded: greedily, by beam search, or by sampling.

    Attributes:
        max_length: maximum number of symbols in a row, including a forced prefix, not the end.
        n_best: hypotheses returned for each row, at most beam_size.
        temperature: samples from softmax(y / temperature); below 1 favours likely symbols, above
            1 unlikely ones. None for no sampling.
        top_k: samples from the k most likely symbols only; None from all.
        top_p: samples from the nucleus only, the fewest most likely symbols whose probabilities,
            after temperature and top_k, sum to at least p; None from all.
        banned_ids: symbols never predicted, unless a prefix forces them; id 0 is the unknown one.
    """

    max_length: int = Field(default=100, ge=1)
    n_best: int = Field(default=1, ge=1)
    temperature: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    top_k: int | None = Field(default=None, ge=1)
    top_p: float | None = Field(default=None, gt=0, le=1)
    banned_ids: tuple[int, ...] = (0,)

    def __init__(self, **given: Any) -> None:
        """Check the options.

        Args:
            given: name → value.

        Raises:
            OptionError: an option is unknown, its value out of range, or two contradict each other.
        """
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise option_in_words(error, type(self), given, "decoding") from error

    @field_validator("banned_ids", mode="before")
    @classmethod
    def _check_ids(cls, banned_ids: Any) -> tuple[int, ...]:
        if isinstance(banned_ids, str) or not isinstance(banned_ids, Collection):
            raise OptionError(f"banned_ids must be a list of ids, got {banned_ids!r}.")
        for banned in banned_ids:
            check_whole("an id in banned_ids", banned, least=0)
        return tuple(banned_ids)

    @model_validator(mode="after")
    def _refuse_what_contradicts_itself(self) -> DecodingOptions:
        if self.min_length > self.max_length:
            raise OptionError(
                f"min_length must not exceed max_length = {self.max_length}, got {self.min_length}."
            )
        if self.n_best > self.beam_size:
            raise OptionError(
                f"n_best must not exceed beam_size = {self.beam_size}, got {self.n_best}; a beam "
                "of size k keeps k hypotheses for each row."
            )
        for name in ("top_k", "top_p"):
            if self.temperature is None and getattr(self, name) is not None:
                raise OptionError(
                    f"{name}={getattr(self, name)!r} restricts sampling, and without a "
                    "temperature nothing is sampled; give temperature=1.0 to sample, or leave "
                    f"{name} out."
                )
        if self.temperature is not None and self.beam_size > 1:
            raise OptionError(
                f"beam_size={self.beam_size} searches for the likeliest sequence and "
                f"temperature={self.temperature!r} samples; choose one of the two."
            )
        return self
