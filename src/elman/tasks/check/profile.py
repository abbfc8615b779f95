"""One line a column: its role, its kind and why, and what its cells are like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from elman.data.arrow import is_list, is_text
from elman.data.table import Table
from elman.errors import DataError
from elman.features.checks import blank, shown
from elman.tasks.check.constant import present
from elman.tasks.check.dates import missing_words
from elman.tasks.fitting import infer, whole_of

if TYPE_CHECKING:
    import pyarrow as pa

GIVEN = "given"
"""Why a column has a kind that was said."""

PROBED = 1_000
"""Rows in which an example is looked for."""

MOST_ELEMENTS = 4_000_000
"""Elements of lists, of which the different ones are not counted if there are more."""

WIDEST = 24
"""Maximum width of a name, and of an example, in characters."""

SHOWN = 30
"""Columns shown at the start of training before the rest is counted."""

INPUT, TARGET, LEFT_OUT, IGNORED = "input", "target", "left out", "ignored"
"""Roles, beside the names of settings, such as `group`."""


_AS: Mapping[str, str] = MappingProxyType(
    {
        "category": "a category",
        "number": "a number",
        "series": "a series",
        "text": "a text",
        "text:char": "a text of characters",
    }
)
"""Kind → a value of it, in words, where it is not its name."""


@dataclass(frozen=True)
class ColumnProfile:
    """What one column holds.

    Attributes:
        name: of the column.
        role: `input`, `target`, `left out`, `ignored`, or what else it is for: `group`.
        kind: its kind, with the variant; empty where no kind reads it.
        why: the reason for the kind, in words.
        missing: rows without a value.
        distinct: different values; of lists, different elements; None where it is not counted.
        example: the first value as it is written, shortened.
        steps: least, median and greatest number of steps of lists; None of others.
    """

    name: str
    role: str
    kind: str
    why: str
    missing: int
    distinct: int | None
    example: str
    steps: tuple[int, int, int] | None = None

    @property
    def read_as(self) -> str:
        """What the column is read as, in words: `a category`."""
        return _AS.get(self.kind, self.kind)

    def to_json(self) -> dict[str, Any]:
        """Describe the column in JSON values."""
        return asdict(self)


def profile_of(
    table: Table,
    name: str,
    role: str,
    *,
    kind: str | None = None,
    why: str = GIVEN,
    steps: Sequence[int] | None = None,
) -> ColumnProfile:
    """Describe a column.

    Args:
        table: rows.
        name: of the column.
        role: its role.
        kind: its kind; None to infer it.
        why: the reason for a kind that is not inferred.
        steps: numbers of steps of the input, of the rows that a kind is inferred from.
    """
    values = table.arrow(name)
    missing, distinct = _counts(table, name)
    if kind is not None and kind.partition(":")[0] == "date":
        words = missing_words(table, name)
        missing, distinct = missing + sum(words.values()), (distinct or 0) - len(words)
    if kind is None:
        kind, why = _inferred(table, name, TARGET in role, steps)
    example = _example(table, name)
    return ColumnProfile(name, role, kind, why, missing, distinct, example, _steps(values))


def lines_of(
    profiles: Sequence[ColumnProfile], most: int | None = None, width: int | None = None
) -> list[str]:
    """Write profiles as a table of text, one line a column.

    Args:
        profiles: of the columns.
        most: number of columns to show before the rest is counted; None for all.
        width: characters that a line may have; None for any number.
    """
    shown = profiles[:most]
    head = ("column", "role", "kind", "missing", "distinct", "example", "why")
    rows = [
        (
            _short(each.name),
            each.role,
            each.kind or "–",
            f"{each.missing:,}",
            "–" if each.distinct is None else f"{each.distinct:,}",
            _short(each.example),
            each.why,
        )
        for each in shown
    ]
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    lines = [_line(row, widths) for row in [head, *rows]]
    if len(shown) < len(profiles):
        lines.append(f"… and {_listed(profiles[len(shown) :])}")
    return [_short(line, width or len(line)) for line in lines]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    right = {3, 4}
    cells = [
        text.rjust(width) if place in right else text.ljust(width)
        for place, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _listed(profiles: Iterable[ColumnProfile]) -> str:
    """Count columns by role and kind: `470 more columns: 400 input of kind number, …`."""
    counts: dict[str, int] = {}
    total = 0
    for each in profiles:
        what = f"{each.role} of kind {each.kind}" if each.kind else each.role
        counts[what] = counts.get(what, 0) + 1
        total += 1
    listed = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    return f"{total:,} more columns: {listed}"


def _inferred(
    table: Table, name: str, as_target: bool, steps: Sequence[int] | None
) -> tuple[str, str]:
    """Infer the kind of a column; empty, with the reason, where no kind reads it."""
    try:
        inferred = infer(table, [name], as_target=as_target, steps=steps)
    except DataError as error:
        return "", str(error).removeprefix(f"{table.source}: column {name!r} ").partition(";")[0]
    level = inferred.options.get("level")
    return f"{inferred.kind}:{level[:4]}" if level else inferred.kind, inferred.why


def _counts(table: Table, name: str) -> tuple[int, int | None]:
    """Count the rows without a value: a missing or blank cell, or an empty list.

    Returns:
        Their number; and that of different cells, of lists of their elements, None where that takes
        too long or cannot be.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table.arrow(name)
    whole = whole_of(table, name) if is_text(values.type) else None
    if whole is not None:
        return len(values) - whole.rows, whole.distinct
    cells = present(values)
    missing = len(values) - len(cells)
    if is_list(values.type):
        empty = pc.sum(pc.equal(pc.list_value_length(values), 0)).as_py() or 0
        missing = int(empty) + int(values.null_count)
        if len(cells) > MOST_ELEMENTS:
            return missing, None
    if not len(cells):
        return missing, 0
    try:
        return missing, int(pc.count_distinct(cells).as_py())
    except pa.ArrowNotImplementedError:
        return missing, None


def _steps(values: pa.ChunkedArray) -> tuple[int, int, int] | None:
    """Return the least, the median and the greatest length of lists; None of anything else."""
    import pyarrow.compute as pc

    if not is_list(values.type):
        return None
    lengths = pc.list_value_length(values).drop_null().to_numpy()
    if not len(lengths):
        return None
    return int(lengths.min()), int(np.median(lengths)), int(lengths.max())


def _example(table: Table, name: str) -> str:
    """Return the first value of a column as it is written, on one line."""
    column = table.written(name)
    value = None
    for first, last in ((0, 10), (10, PROBED)):  # most columns have a value in their first rows
        if value is None:
            value = next((cell for cell in column[first:last] if not blank(cell)), None)
    if value is None:
        cells = present(table.arrow(name))
        value = cells[0].as_py() if len(cells) else None
    if value is None:
        return ""
    if isinstance(value, str):
        return " ".join(value[:100].split())
    return shown(value.tolist() if isinstance(value, np.ndarray) else value)


def _short(text: str, width: int = WIDEST) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
