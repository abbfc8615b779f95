"""Which columns of a table are read as numbers or lists, and which stay as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from elman.data.list_cells import with_lists
from elman.data.numbers import DecimalMark, hold_numbers, with_numbers
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

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the data by which later files are read as these."""
        return {} if self.decimal is None else {"decimal": self.decimal}


def may_hold_lists(kind: type[Feature], *, one_hot: bool = False) -> bool:
    """Tell whether a cell of a kind may be a list; `one_hot`: a class of zeros and a single one."""
    return one_hot or not (kind.is_text or kind.is_class)


def _may_hold_lists(feature: Feature) -> bool:
    return may_hold_lists(type(feature), one_hot=getattr(feature, "one_hot", False))


def numeric_of(features: Sequence[tuple[str, Feature]], decimal: DecimalMark | None) -> Numeric:
    """Say how the columns of fitted features are read.

    Args:
        features: column → the feature that reads it.
        decimal: decimal mark, where the cells leave it open.
    """
    return Numeric(
        frozenset(name for name, feature in features if feature.reads_numbers(name)),
        decimal,
        frozenset(name for name, feature in features if _may_hold_lists(feature.feature_of(name))),
    )


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
        table, _ = with_numbers(table, required=numeric.columns, decimal=numeric.decimal)
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
    table, decimal = with_numbers(
        table, required=required, likely=likely, classes=classes, decimal=data.decimal
    )
    found = hold_numbers(table, {*required, *likely}, classes=classes)
    return table, Numeric(found, decimal, frozenset(lists))
