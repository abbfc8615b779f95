"""Units of numbers: those of later rows are compared with those that a model was trained on.

| in training | later     | what happens                                              |
| ----------- | --------- | --------------------------------------------------------- |
| `$`, `%`    | the same  | nothing                                                   |
| `$`, `%`    | another   | refused                                                   |
| none        | `%`       | refused: `12%` may be 12 or 0.12                          |
| `%`         | none      | a note; refused if all are between −1 and 1, as shares are |
| `$`         | none      | a note                                                    |
| none        | `$`       | a note                                                    |
| `$`, `%`    | no text   | a note: real numbers have no sign                         |
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from elman.data.arrow import is_list, is_number
from elman.errors import DataError

if TYPE_CHECKING:
    from elman.data.table import Table

AS_IN_TRAINING = "must be in the unit of training"
"""Part of the notes on numbers whose unit is not known to be that of training."""

_NAMES: Mapping[str, str] = {
    "€": "EUR",
    "£": "GBP",
    "US$": "USD",
    "CA$": "CAD",
    "C$": "CAD",
    "AU$": "AUD",
    "A$": "AUD",
    "R$": "BRL",
    "₽": "RUB",
    "₺": "TRY",
    "₹": "INR",
    "₩": "KRW",
    "zł": "PLN",
    "Kč": "CZK",
    "Ft": "HUF",
    "Fr.": "CHF",
    "kr.": "kr",
    "Rs.": "Rs",
}
"""Another way to write a currency → the way by which it is compared."""


def check_units(
    table: Table, columns: Collection[str], units: Mapping[str, str] | None
) -> list[str]:
    """Compare the units of numbers with those of training.

    Args:
        table: whose columns of numbers have been read as such.
        columns: of numbers, of which the table may lack some.
        units: column → its unit in training, of those that had one; None where it is not known.

    Returns:
        A note on each column whose numbers may be in another unit.

    Raises:
        DataError: the numbers of a column are in another unit.
    """
    if units is None:
        return []
    notes = list[str]()
    for name in table.columns:
        if name not in columns or not _holds_numbers(table, name):
            continue
        learned, found = units.get(name, ""), table.units.get(name)
        if learned or found:
            notes += _compared(table, name, learned, found)
    return notes


def with_unit_of(table: Table, column: str, others: Table, columns: Iterable[str]) -> Table:
    """Say the unit of a column that was made of several columns: all of theirs.

    Args:
        table: with the column.
        column: that was made of others.
        others: the table with these.
        columns: their names.
    """
    known = [others.units[name] for name in columns if name in others.units]
    kept = {name: unit for name, unit in others.units.items() if name in table.columns}
    made = {column: ", ".join(sorted({*known} - {""}))} if known else {}
    return table.with_columns({}, units={**kept, **made})


def warn_of_units(notes: Iterable[str]) -> None:
    """Warn the caller of a function of those notes that say that a unit is not known."""
    for note in notes:
        if AS_IN_TRAINING in note:
            warnings.warn(note, stacklevel=3)


def _holds_numbers(table: Table, name: str) -> bool:
    kind = table.column(name).type
    while is_list(kind):
        kind = kind.value_type
    return is_number(kind) and table.arrow(name).null_count < len(table)


def _compared(table: Table, name: str, learned: str, found: str | None) -> list[str]:
    """Compare the unit of one column; `found` is None for numbers that were no text."""
    if found is None:
        return [
            f"column {name!r} of {table.source} holds numbers without a sign, and training had "
            f"{learned!r}: they {AS_IN_TRAINING}."
        ]
    if _name(found) == _name(learned):
        return []
    row = _first(table, name, found)
    cell = table.written(name)[row]
    shown = repr(cell[:60]) if isinstance(cell, str) else "a number"
    where = f"{table.where(row)}, column {name}: {shown}"
    if found and (learned or found == "%"):
        training = f"training had {learned!r}" if learned else "training had no unit"
        raise DataError(
            f"{where} is in {found!r}, and {training}. Convert the numbers of the column, and "
            f"write them {f'with {learned!r}' if learned else 'without a sign'}, as in training."
        )
    if learned == "%" and _are_shares(table, name):
        raise DataError(
            f"{where} has no %, as training had, and no number of the column is beyond 1. Write "
            "per cents, with the sign: 12% for a share of 0.12."
        )
    had, has = (f"{each!r}" if each else "no unit" for each in (learned, found))
    return [
        f"column {name!r} of {table.source} has {has}, and training had {had}: its numbers "
        f"{AS_IN_TRAINING}."
    ]


def _name(unit: str) -> str:
    return _NAMES.get(unit, unit)


def _first(table: Table, name: str, unit: str) -> int:
    """Return the first row with a number, and with the unit where there is one."""
    present = [row for row, cell in enumerate(table.column(name)) if cell is not None]
    written = table.written(name)
    return next((row for row in present if unit in str(written[row])), present[0])


def _are_shares(table: Table, name: str) -> bool:
    """Tell whether numbers may be shares of 1: none is beyond it, and not all are 0."""
    import pyarrow.compute as pc

    values: Any = table.arrow(name)
    while is_list(values.type):
        values = pc.list_flatten(values)
    size = pc.max(pc.abs(values)).as_py()
    return size is not None and 0 < size <= 1
