"""Features of columns: made as they were asked for or seen from the data, and fitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from elman.data.table import Table
from elman.errors import DataError
from elman.features.build import build_feature, parse_kind
from elman.features.inference import infer_columns

SAMPLE = 1_000
"""Rows that kinds are inferred from and lengths compared in."""


def sample(table: Table) -> Table:
    """Return rows from all over a table, at most `SAMPLE`, in their order."""
    if len(table) <= SAMPLE:
        return table
    return table.select(np.linspace(0, len(table) - 1, SAMPLE).astype(np.int64))


def make_feature(
    table: Table,
    columns: Sequence[str],
    kind: str | None,
    options: Mapping[str, Any],
    *,
    as_target: bool,
    steps: Sequence[int] | None = None,
    next_step: bool = False,
) -> Any:
    """Make the feature of some columns, its kind inferred where it is not given."""
    if kind is None:
        samples = {name: list(sample(table).column(name)) for name in columns}
        try:
            inferred = infer_columns(samples, as_target=as_target, steps=steps, next_step=next_step)
        except DataError as error:
            raise DataError(f"{table.source}: {error}") from error
        kind, found = inferred.kind, dict(inferred.options)
    else:
        kind, found = parse_kind(kind)
    found |= options
    if next_step and kind == "text" and found.get("level", "word") == "word":
        found = {"line_ends": True} | found  # as characters and byte pairs have them
    return build_feature(kind, found, columns=columns, as_target=as_target)


def fit_feature(
    feature: Any, table: Table, columns: Sequence[str], others: Sequence[Table] = ()
) -> None:
    """Fit a feature; the place of a value that it cannot take is said."""
    tables = [table, *(other for other in others if set(columns) <= set(other.columns))]
    met: tuple[Table, int] | None = None

    def given() -> Iterator[Any]:
        nonlocal met
        for each in tables:
            for row, value in enumerate(each.values(columns)):
                met = each, row
                yield value
        met = None  # after the last value none is to blame

    try:
        feature.fit(given())
    except DataError as error:
        place = met[0].where(met[1]) if met else table.source
        raise DataError(f"{place}, column {', '.join(columns)}: {error}") from error
