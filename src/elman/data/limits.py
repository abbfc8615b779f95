"""A limit on the memory that one file or value may take, checked before it is taken.

A few kilobytes can claim, or unpack to, more memory than a machine has: a picture of one colour, a
compressed file of one letter, an array whose header is damaged. What a header claims is compared
with the limit before anything is read.
"""

from __future__ import annotations

import math
import os

from elman.errors import DataError, OptionError

VARIABLE = "ELMAN_MAX_GIGABYTES"
"""The environment variable that sets the limit, a number in gigabytes."""

DEFAULT_GIGABYTES = 8

_GIGABYTE = 10**9


def max_bytes() -> int:
    """Return the limit in bytes: that of ELMAN_MAX_GIGABYTES, or 8 GB.

    Raises:
        OptionError: ELMAN_MAX_GIGABYTES is no number above 0.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return DEFAULT_GIGABYTES * _GIGABYTE
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = math.nan
    if not 0 < gigabytes < math.inf:
        raise OptionError(
            f"the environment variable {VARIABLE} must be a number of gigabytes above 0, got "
            f"{text!r}."
        )
    return int(gigabytes * _GIGABYTE)


def check(size: int, what: str) -> None:
    """Refuse what would take more memory than the limit.

    Args:
        size: memory that it would take, in bytes.
        what: what it is, the subject of the sentence: `big.png`.

    Raises:
        DataError: it would; the error says how to raise the limit.
    """
    limit = max_bytes()
    if size <= limit:
        return
    needed = math.ceil(size / _GIGABYTE)
    raise DataError(
        f"{what} would take about {needed:,} GB of memory, more than the limit of "
        f"{limit / _GIGABYTE:g} GB. If it is no mistake, raise the limit: set the environment "
        f"variable {VARIABLE} to {needed}."
    )
