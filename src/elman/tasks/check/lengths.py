"""Sequences of very unlike lengths, which cost time and memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import as_text, is_list, is_text
from elman.data.table import Table
from elman.errors import as_option
from elman.tasks.check.finding import Finding
from elman.tasks.check.profile import TARGET, ColumnProfile

LONG = 1_000
"""Steps of a sequence that is long."""

UNLIKE = 10
"""How many times longer than the median the longest sequence is, if lengths are very unlike."""

PROBED = 20_000
"""Rows of texts whose steps are counted."""


def findings_of_lengths(table: Table, profile: ColumnProfile) -> Iterator[Finding]:
    """Yield a finding on a column whose sequences have very unlike lengths.

    Args:
        table: rows.
        profile: of an input or target column.
    """
    lengths = _lengths(table, profile)
    if lengths is None or not len(lengths):
        return
    least, median, high, most = (
        int(value) for value in np.quantile(lengths, [0, 0.5, 0.95, 1], method="higher")
    )
    if most < LONG or most < UNLIKE * max(1, median):
        return
    name = profile.name
    steps = _STEPS.get(profile.kind, "steps")
    yield Finding(
        "lengths",
        (name,),
        f"{name} has from {least:,} to {most:,} {steps}, {median:,} in the median and at most "
        f"{high:,} in 95 % of the rows, so that few rows take most of the time",
        "",
        _advice(profile, high),
    )


_STEPS = {
    "text": "words",
    "text:word": "words",
    "text:char": "characters",
    "text:bpe": "characters",
}


def _lengths(table: Table, profile: ColumnProfile) -> NDArray[np.int64] | None:
    """Return the number of steps of each row; None of columns without steps."""
    import pyarrow.compute as pc

    values = table.arrow(profile.name)
    if is_list(values.type):
        lengths = pc.list_value_length(values).drop_null()
    elif is_text(values.type) and profile.kind in _STEPS:
        rows = np.unique(np.linspace(0, len(table) - 1, min(PROBED, len(table))).astype(np.int64))
        texts = as_text(table.select(rows).arrow(profile.name)).drop_null()
        words = _STEPS[profile.kind] == "words"
        lengths = pc.count_substring_regex(texts, r"\S+") if words else pc.utf8_length(texts)
    else:
        return None
    counts: NDArray[np.int64] = lengths.to_numpy(zero_copy_only=False).astype(np.int64)
    return counts


def _advice(profile: ColumnProfile, high: int) -> str:
    """Say how long sequences can be cut."""
    if profile.kind in _STEPS and TARGET not in profile.role:
        option = as_option("--set", f"data.columns.{profile.name}.max_length={high}")
        return f"to read at most {high:,} {_STEPS[profile.kind]} of each text, say {option}"
    return (
        "to let gradients flow through at most 500 steps, say --set chunk_length=500; to read a "
        "long series in windows, --window 500"
    )
