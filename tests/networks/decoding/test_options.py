"""Options that contradict each other, or themselves, are refused in words."""

from __future__ import annotations

import math
from typing import Any

import pytest

from elman.errors import OptionError
from elman.networks.decoding import DecodingOptions


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_length": 0}, "max_length must be a whole number of at least 1, got 0"),
        ({"min_length": -1}, "min_length must be a whole number of at least 0, got -1"),
        ({"min_length": 9, "max_length": 8}, "min_length must not exceed max_length = 8, got 9"),
        ({"beam_size": 2.0}, "beam_size must be a whole number of at least 1, got 2.0"),
        (
            {"n_best": 3, "beam_size": 2},
            "n_best must not exceed beam_size = 2, got 3; a beam of size k",
        ),
        ({"length_penalty": -0.5}, "length_penalty must be a number from 0 up, got -0.5"),
        ({"length_penalty": math.inf}, "length_penalty must be a number from 0 up, got inf"),
        ({"length_penalty": "1"}, "length_penalty must be a number from 0 up, got '1'"),
        ({"temperature": 0}, "temperature must be a positive number, got 0"),
        ({"temperature": math.nan}, "temperature must be a positive number, got nan"),
        ({"top_k": 5}, "top_k=5 restricts sampling, .* give temperature=1.0 to sample, or leave"),
        ({"top_p": 0.9}, "top_p=0.9 restricts sampling, and without a temperature nothing"),
        ({"temperature": 1, "top_k": 0}, "top_k must be a whole number of at least 1, got 0"),
        ({"temperature": 1, "top_p": 0}, r"top_p must be a number in \(0, 1\], got 0"),
        ({"temperature": 1, "top_p": 1.5}, r"top_p must be a number in \(0, 1\], got 1.5"),
        (
            {"temperature": 1.0, "beam_size": 4},
            "beam_size=4 searches .* temperature=1.0 samples; ch",
        ),
        ({"no_repeat_ngram_size": -2}, "no_repeat_ngram_size must be a whole number of at least 0"),
        ({"banned_ids": (0, -1)}, "an id in banned_ids must be a whole number of at least 0, g"),
        ({"banned_ids": 5}, "banned_ids must be a list of ids, got 5"),
        ({"beam_siez": 5}, "unknown decoding option 'beam_siez'; did you mean 'beam_size'"),
    ],
    ids=str,
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        DecodingOptions(**options)
