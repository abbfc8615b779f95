"""Which columns of a table are read as numbers or lists, and which stay as they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from elman.data.arrow import is_list
from elman.data.list_cells import with_lists
from elman.data.numbers import DecimalMark, hold_numbers, with_numbers
from elman.data.strays import without_strays
from elman.data.table import Table
from elman.experiment.data import DataSpec
from elman.features.build import kind_class
from elman.features.feature import Feature
from elman.tasks.given_kinds import kind_given


class Numeric(NamedTuple):
    """How the cells of a table are read."""

    columns: frozenset[str]
    """Columns of numbers; the cells of all others stay as they are written."""
    decimal: DecimalMark | None = None
    """Decimal mark of numbers written as text, where the cells leave it open."""
    lists: frozenset[str] = frozenset()
    """Columns whose cells may be whole lists written as text."""
    units: Mapping[str, str] | None = None
    """Column → the unit of its numbers, of those that have one; None where it is not known."""
    strays: Sequence[str] = ()
    """Columns in which a cell that is no number is read as missing."""

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the data by which later files are read as these."""
        settings: dict[str, Any] = {} if self.decimal is None else {"decimal": self.decimal}
        if self.units is not None:
            settings["units"] = dict(self.units)
        if self.strays:
            settings["words_as_missing"] = list(self.strays)
        return settings


def may_hold_lists(kind: type[Feature], *, one_hot: bool = False) -> bool:
    """Tell whether a cell of a kind may be a list; `one_hot`: a class of zeros and a single one."""
    return one_hot or not (kind.is_text or kind.is_class)


def _may_hold_lists(feature: Feature) -> bool:
    return may_hold_lists(type(feature), one_hot=getattr(feature, "one_hot", False))


def numeric_of(features: Sequence[tuple[str, Feature]], data: DataSpec) -> Numeric:
    """Say how the columns of fitted features are read.

    Args:
        features: column → the feature that reads it.
        data: the settings of training, complete.
    """
    return Numeric(
        frozenset(name for name, feature in features if feature.reads_numbers(name)),
        data.decimal,
        frozenset(name for name, feature in features if _may_hold_lists(feature.feature_of(name))),
        data.units,
        data.words_as_missing,
    )


def numbers_found(
    data: DataSpec,
    table: Table,
    columns: frozenset[str],
    decimal: DecimalMark | None,
    strays: Sequence[str],
    lists: frozenset[str] = frozenset(),
) -> Numeric:
    """Say how the cells of a table were read, by which later ones are.

    Args:
        data: the settings that were given.
        table: whose numbers have been read.
        columns: of numbers.
        decimal: decimal mark that was settled on.
        strays: columns in which a cell that is no number was read as missing.
        lists: columns whose cells may be whole lists written as text.
    """
    written = {
        name: unit
        for name, unit in table.units.items()
        if name in columns or is_list(table.column(name).type)
    }
    units = None
    if columns or written:
        units = {**{name: unit for name, unit in written.items() if unit}, **(data.units or {})}
    strays = list(dict.fromkeys([*data.words_as_missing, *strays]))
    return Numeric(columns, decimal, lists, units, strays)


def read_numbers(
    data: DataSpec, table: Table, others: Sequence[str], numeric: Numeric | None
) -> tuple[Table, Numeric]:
    """Read the columns of numbers of a table; see `RowsLayout.read_numbers`.

    Args:
        data: roles and kinds of the columns, as far as they are given.
        table: as it was read.
        others: columns that are input where none is given.
        numeric: how cells were read in training; None to find out.
    """
    if numeric is not None:
        table = with_lists(table, numeric.lists)
        table, _ = without_strays(table, all_of=numeric.strays, decimal=numeric.decimal)
        table, _ = with_numbers(
            table, required=numeric.columns, decimal=numeric.decimal, units=numeric.units
        )
        return table, numeric
    inputs = [name for name in data.input if name in table.columns] or list(others)
    targets = [name for name in data.target if name in table.columns]
    required, likely, lists = list[str](), list[str](), list[str]()
    roles: Sequence[tuple[Literal["input", "target"], list[str]]]
    roles = ("input", inputs), ("target", targets)
    for role, name in ((role, name) for role, columns in roles for name in columns):
        kind, options = kind_given(data, name, role)
        if kind is None or kind_class(kind).of_columns:
            likely.append(name)
        elif kind_class(kind).of_numbers:
            required.append(name)
        one_hot = bool(options.get("one_hot"))
        if kind is None or may_hold_lists(kind_class(kind), one_hot=one_hot):
            lists.append(name)
    table = with_lists(table, lists)
    free = [name for name in targets if kind_given(data, name, "target")[0] is None]
    classes = [] if data.window or set(targets) & set(inputs) else free
    table, strays = without_strays(
        table, few=required, all_of=data.words_as_missing, decimal=data.decimal
    )
    table, decimal = with_numbers(
        table,
        required=required,
        likely=likely,
        classes=classes,
        decimal=data.decimal,
        units=data.units,
    )
    found = hold_numbers(table, {*required, *likely}, classes=classes)
    return table, numbers_found(data, table, found, decimal, strays, frozenset(lists))
