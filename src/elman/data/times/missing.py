"""Cells of a column of dates that say that a date is missing."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from elman.data.number_formats import MISSING

if TYPE_CHECKING:
    import pyarrow as pa

_WORDS = frozenset(MISSING)
_NO_DAY = re.compile(r"^0000[-/.]?00[-/.]?00([T ]00:00(:00(\.0+)?)?)?Z?$", re.IGNORECASE)
"""The date that databases write for none."""


def are_missing(text: pa.Array) -> pa.Array:
    """Tell which texts, without spaces around them, say that a date is missing.

    What says that a number is missing, such as `N/A`, says so of a date, and so does `0000-00-00`.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    words = pc.is_in(pc.utf8_lower(text), value_set=pa.array(MISSING, text.type))
    days = pc.match_substring_regex(text, _NO_DAY.pattern, ignore_case=True)
    return pc.or_(words, days).fill_null(True)


def is_missing(value: Any) -> bool:
    """Tell whether a value is missing, or says that a date is.

    >>> is_missing("N/A"), is_missing("0000-00-00"), is_missing(None), is_missing("never")
    (True, True, True, False)
    """
    if isinstance(value, str):
        cell = value.strip()
        return cell.lower() in _WORDS or bool(_NO_DAY.match(cell))
    if isinstance(value, np.datetime64):
        return bool(np.isnat(value))
    return value is None or (isinstance(value, float) and math.isnan(value))
