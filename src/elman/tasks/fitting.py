"""Features of columns: built as given or as inferred from the data, and fitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from elman.data.arrow import as_text, is_number, is_text
from elman.data.numbers import are_inexact
from elman.data.table import Table
from elman.errors import DataError
from elman.features.build import build_feature, parse_kind
from elman.features.checks import ValueRefused
from elman.features.guesses import Whole
from elman.features.inference import Inferred, infer_columns
from elman.features.kinds import feature_class
from elman.features.parts import Part, training_value

SAMPLE = 1_000
"""Rows from which kinds are inferred, and whose lengths are compared."""


def sample(table: Table) -> Table:
    """Return at most `SAMPLE` rows, evenly spread over a table, in their order."""
    if len(table) <= SAMPLE:
        return table
    rows = np.linspace(0, len(table) - 1, SAMPLE).astype(np.int64)
    return table.once("sample", lambda: table.select(rows))


def infer(
    table: Table,
    columns: Sequence[str],
    *,
    as_target: bool = False,
    steps: Sequence[int] | None = None,
    next_step: bool = False,
    beside: Sequence[str] = (),
) -> Inferred:
    """Infer the kind of some columns from a sample, and how many values differ from all rows.

    `beside` are columns that are not read, one of which an error may propose.

    Raises:
        DataError: no kind reads the columns; the table's source is named.
    """
    if len(columns) == 1 and steps is None and not beside:
        what = ("inferred", *columns, as_target, next_step)
        return table.once(what, lambda: _inferred(table, columns, as_target, None, next_step))
    return _inferred(table, columns, as_target, steps, next_step, beside)


def _inferred(
    table: Table,
    columns: Sequence[str],
    as_target: bool,
    steps: Sequence[int] | None,
    next_step: bool,
    beside: Sequence[str] = (),
) -> Inferred:
    samples = {name: _values(sample(table), name) for name in columns}
    counts = {name: whole for name in columns if (whole := whole_of(table, name)) is not None}
    try:
        return infer_columns(
            samples,
            as_target=as_target,
            steps=steps,
            next_step=next_step,
            whole=counts,
            beside={name: _values(sample(table), name) for name in beside},
        )
    except DataError as error:
        raise DataError(f"{table.source}: {error}") from error


def whole_of(table: Table, name: str) -> Whole | None:
    """Count the rows and distinct values of a column of single values; None for any other."""
    return table.once(("whole", name), lambda: _whole(table, name))


def _whole(table: Table, name: str) -> Whole | None:
    import pyarrow.compute as pc

    values = table.arrow(name)
    if is_text(values.type):
        text = pc.utf8_trim_whitespace(as_text(values))
        values = text.filter(pc.not_equal(text, ""))
    elif not is_number(values.type):
        return None
    distinct = pc.count_distinct(values).as_py()
    return Whole(len(values) - values.null_count, distinct, are_inexact(values))


def _values(rows: Table, name: str) -> list[Any]:
    """Return the values of a column; paths as the texts that they are."""
    values = rows.arrow(name)
    return as_text(values).to_pylist() if is_text(values.type) else list(rows.column(name))


def make_feature(
    table: Table,
    columns: Sequence[str],
    kind: str | None,
    options: Mapping[str, Any],
    *,
    as_target: bool,
    steps: Sequence[int] | None = None,
    next_step: bool = False,
    beside: Sequence[str] = (),
) -> Any:
    """Build the feature of some columns, its kind inferred where it is not given."""
    if kind is None:
        inferred = infer(
            table,
            columns,
            as_target=as_target,
            steps=steps,
            next_step=next_step,
            beside=beside,
        )
        kind, chosen = inferred.kind, dict(inferred.options)
    else:
        kind, chosen = parse_kind(kind)
        if len(columns) == 1 and not (chosen or options):
            chosen = feature_class(kind).seen_in(sample(table).column(columns[0]))
    chosen |= options
    if next_step and kind == "text" and chosen.get("level", "word") == "word":
        chosen = {"line_ends": True} | chosen  # as characters and byte pairs have them
    return build_feature(kind, chosen, columns=columns, as_target=as_target)


def fit_feature(
    feature: Any, table: Table, columns: Sequence[str], others: Sequence[Table] = ()
) -> None:
    """Fit a feature; an error names the place of the value.

    A feature of several parts is fitted a part at a time, each on the cells that it has.
    """
    if not feature.parts:
        _fit(feature, table, [columns], others)
        return
    for parts in feature.fitted_together():
        one = parts[0]
        if one.feature.parts:
            fit_feature(one.feature, table, one.columns, others)
        else:
            _fit(one.feature, table, [part.columns for part in parts], others, one)
    feature.take_notes()


def _fit(
    feature: Any,
    table: Table,
    groups: Sequence[Sequence[str]],
    others: Sequence[Table],
    part: Part | None = None,
) -> None:
    """Fit a feature on the values of some columns, or on those of several such groups.

    Args:
        feature: not made of parts.
        table: the training part.
        groups: the columns of each group, as many in each.
        others: further tables whose values are read, too.
        part: of a larger feature that the feature is, which skips missing values.
    """
    current: tuple[Table, int, Sequence[str]] | None = None

    def values() -> Iterator[Any]:
        nonlocal current
        for columns in groups:
            for each in (table, *(other for other in others if set(columns) <= set(other.columns))):
                for row, value in enumerate(each.values(columns)):
                    current = each, row, columns
                    yield from (value,) if part is None else training_value(part, value)
        current = None  # after the last value no single one is to blame

    feature.about(" and ".join(columns[0] for columns in groups))
    try:
        feature.fit(values())
    except ValueRefused as error:
        next(islice(values(), error.place, None))
        assert current is not None, "the value that is refused was given"
        place, names = current[0].where(current[1]), current[2]
        raise DataError(f"{place}, column {', '.join(names)}: {error}") from error
    except DataError as error:
        place = current[0].where(current[1]) if current else table.source
        names = current[2] if current else [name for columns in groups for name in columns]
        raise DataError(f"{place}, column {', '.join(names)}: {error}") from error
