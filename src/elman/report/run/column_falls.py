"""What each column contributes to a score: plain values, for the page of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class ColumnFall(NamedTuple):
    """How much worse a score gets when a column is shuffled."""

    column: str
    fall: float
    """Mean of the shufflings."""
    spread: float | None = None
    """Their standard deviation; None of a single one."""


class ColumnFalls(NamedTuple):
    """What each column contributes to one score."""

    score: str
    """Its title: `Accuracy`."""
    value: float
    """Of the rows as they are."""
    higher_is_better: bool
    share: bool
    """Whether it is a share of a whole, shown in per cent."""
    columns: Sequence[ColumnFall]
    rows: int
    """Number of validation rows that were measured."""
    available: int
    """Number of validation rows."""
    rows_name: str = "rows"
    repeats: int = 5
    limited: bool = False
    """Whether more rows or shufflings would have taken long."""
