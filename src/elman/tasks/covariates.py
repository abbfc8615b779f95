"""The covariates of a forecast: numbers and categories, one a step or one a series.

| a column of                                 | is read as                           |
| ------------------------------------------- | ------------------------------------ |
| numbers                                     | a number a step                      |
| names that repeat; true and false           | a category a step                    |
| one value a series, not the same in all     | a number or a category of the series |
| one value in all rows, or none              | nothing                              |
| times; text that hardly repeats             | nothing                              |

Columns that are named, as input or as known, are read in any case, and refused if they cannot be.
Rows without a value to forecast, as those ahead of the series are, do not count.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import is_number, is_text
from elman.data.concatenation import concatenate
from elman.data.fill_down import filled_down, without_blanks
from elman.data.number_formats import Numbers, read_numbers
from elman.data.numbers import FEW_CLASSES
from elman.data.sequences import sequence_numbers
from elman.data.table import Table
from elman.errors import DataError, ExperimentError, as_option
from elman.experiment.data import DataSpec
from elman.tasks.check.covariates import as_categories, left_out, of_unknown_future, per_series
from elman.tasks.check.dates import holds_times
from elman.tasks.check.finding import Finding

MOST_NAMES = 1_000
"""Most names of a category that is read without being asked for."""

KINDS = ("number", "category")

TIMES = "times, which are read only where they are named"
STRAY = "numbers with other cells among them"
CONSTANT = "the same in every row"
EMPTY = "empty"
TEXTS = "texts that hardly repeat"
ABSENT = "not in all the files"


class Covariates(NamedTuple):
    """The columns that a forecast reads beside its targets, times and items."""

    past: list[str]
    """Numbers known only up to now."""
    known: list[str]
    """Numbers whose future values are known."""
    past_categories: list[str]
    known_categories: list[str]
    static: list[str]
    """Numbers of which each series has one."""
    static_categories: list[str]
    findings: list[Finding]
    """What was assumed."""


def find_covariates(
    data: DataSpec, tables: Sequence[Table], candidates: Sequence[str]
) -> Covariates:
    """Say which columns are read, and as what.

    Args:
        data: with the known columns, and kinds and static columns as far as they are given.
        tables: long tables, one a part of the data.
        candidates: columns without another role, beside the known ones.

    Raises:
        ExperimentError: a kind is given that a forecast does not read.
        DataError: a named column holds neither numbers nor names.
    """
    named = {*data.known, *data.input, *data.columns, *(data.per_sequence or ())}
    left = {
        name: ABSENT
        for name in candidates
        if name not in named and not all(name in table.columns for table in tables)
    }
    names = [name for name in (*candidates, *data.known) if name not in left]
    rows = _Rows.of(data, tables, names)
    kinds: dict[str, str] = {}
    static: set[str] = set()
    for name in names:
        kind, why = _kind_of(data, rows.table, name)
        is_static = not why and name not in data.known and rows.is_static(data, name)
        why = why or rows.says_too_little(name, kind, static=is_static, named=name in named)
        if why == TEXTS and name in data.columns:  # they are said to be names
            why = ""
        if why and name in named:
            raise _unreadable(data, rows.table, name, why)
        if why:
            left[name] = why
            continue
        kinds[name] = kind
        static |= {name} if is_static else set()
    read = [name for name in candidates if name in kinds]
    return _by_role(data, read, kinds, static, left)


def _by_role(
    data: DataSpec,
    names: Sequence[str],
    kinds: Mapping[str, str],
    static: Collection[str],
    left: Mapping[str, str],
) -> Covariates:
    """Sort the columns that are read by their roles, and say what was assumed."""

    def of(kind: str, names: Sequence[str]) -> list[str]:
        return [name for name in names if kinds[name] == kind]

    per_step = [name for name in names if name not in static]
    fixed = [name for name in names if name in static]
    found = [of(kind, columns) for columns in (per_step, data.known) for kind in KINDS]
    past, past_categories, known, known_categories = found
    findings = [
        left_out([name for name in left if left[name] == why], why)
        for why in dict.fromkeys(left.values())
    ]
    assumed = [name for name in (*past_categories, *known_categories) if name not in data.columns]
    unnamed = [name for name in past_categories if name not in data.input]
    findings += [as_categories(assumed)] if assumed else []
    findings += [of_unknown_future(unnamed)] if unnamed else []
    if fixed and data.per_sequence is None:
        findings.append(per_series({name: kinds[name] for name in fixed}))
    statics = of("number", fixed), of("category", fixed)
    return Covariates(past, known, past_categories, known_categories, *statics, findings)


def _kind_of(data: DataSpec, table: Table, name: str) -> tuple[str, str]:
    """Return the kind of a column that holds numbers or names; else why it does not."""
    from pyarrow import types

    said = data.columns.get(name)
    if said:
        return _checked_kind(name, said), ""
    kind = table.column(name).type
    if is_number(kind):
        return "number", ""
    if types.is_null(kind):
        return "", EMPTY
    if holds_times(table, name):
        return "", TIMES
    if is_text(kind):
        return ("", STRAY) if mostly_numbers(table, name) else ("category", "")
    return ("category", "") if types.is_boolean(kind) else ("", f"values of type {kind}")


def _checked_kind(name: str, said: Mapping[str, Any]) -> str:
    kind, options = said.get("kind"), [option for option in said if option != "kind"]
    if kind not in KINDS:
        raise ExperimentError(
            f"column {name!r} is said to be of kind {kind!r}, and a forecast reads only the kinds "
            f"{' and '.join(KINDS)}; say {name}:category for names, or leave it out."
        )
    if options:
        raise ExperimentError(
            f"column {name!r}: a {kind} in a forecast has no option {options[0]!r}; leave it out "
            "of data.columns."
        )
    return str(kind)


def mostly_numbers(table: Table, name: str) -> bool:
    """Tell whether a column of text holds numbers, or numbers with a few other cells."""
    found = read_numbers(table.arrow(name), strict=False)
    return isinstance(found, Numbers) or found.share >= 0.5


@dataclass(frozen=True)
class _Rows:
    """The rows that have a value to forecast, of all parts of the data.

    Attributes:
        table: with all rows.
        observed: numbers of those that have a value.
        series: number of the series of each of these, 0, 1, …; None where all are one series.
        first: the first of these in every series; empty where fewer than two series have several.
        sequence_id: column that names the series.
    """

    table: Table
    observed: NDArray[np.int64]
    series: NDArray[np.int64] | None
    first: NDArray[np.int64]
    sequence_id: str | None

    @classmethod
    def of(cls, data: DataSpec, tables: Sequence[Table], columns: Sequence[str]) -> _Rows:
        of_series = [] if data.sequence_id is None else [data.sequence_id]
        table = _together(tables, list(dict.fromkeys([*of_series, *data.target, *columns])))
        codes = [_codes(table, name) for name in data.target]
        observed = np.flatnonzero(np.any([each >= 0 for each in codes], axis=0))
        if not len(observed):
            observed = np.arange(len(table))
        if data.sequence_id is None:
            return cls(table, observed, None, np.empty(0, np.int64), None)
        filled = filled_down(table, data.sequence_id)
        ids = sequence_numbers(filled, data.sequence_id)[observed]
        _, first, series, counts = np.unique(
            ids, return_index=True, return_inverse=True, return_counts=True
        )
        several = (counts > 1).sum() > 1  # else every column is constant within each series
        return cls(table, observed, series, first if several else first[:0], data.sequence_id)

    def is_static(self, data: DataSpec, name: str) -> bool:
        """Tell whether a column has one value a series: as is said, or as the rows show."""
        if data.per_sequence is not None:
            return name in data.per_sequence
        values = self._by_series(name)
        return values is not None and len(np.unique(values)) > 1

    def says_too_little(self, name: str, kind: str, *, static: bool, named: bool) -> str:
        """Say why a column is not worth reading; `""` if it is."""
        codes = self._codes(name)
        present = codes[codes >= 0]
        distinct = int((np.bincount(present) > 0).sum())
        if not len(present):
            return EMPTY
        if not named and distinct == 1 and len(present) == len(codes):
            return CONSTANT
        if kind == "number" or (named and static):
            return ""
        if static:
            values = self._by_series(name)
            each = values is not None and len(np.unique(values)) == len(values)
            return f"a name of its own for every series, as {self.sequence_id} is" if each else ""
        half = len(present) / 2
        most = max(FEW_CLASSES, half) if named else min(MOST_NAMES, half)
        return TEXTS if distinct > most else ""

    def _codes(self, name: str) -> NDArray[np.int64]:
        return _codes(self.table, name)[self.observed]

    def _by_series(self, name: str) -> NDArray[np.int64] | None:
        """Return a column's value in every series, as codes; None where it is not constant."""
        if self.series is None or not len(self.first):
            return None
        codes = self._codes(name)
        values = codes[self.first]
        return values if (codes == values[self.series]).all() else None


def _together(tables: Sequence[Table], columns: Sequence[str]) -> Table:
    """Return some columns of tables, one below the other.

    Raises:
        DataError: a table lacks one of them.
    """
    for table in tables:
        table.require(columns)
    chosen = [
        Table(table.data.select(columns), source=table.source, where=table.where)
        for table in tables
    ]
    return chosen[0] if len(chosen) == 1 else concatenate(chosen, source=chosen[0].source)


def _codes(table: Table, name: str) -> NDArray[np.int64]:
    """Number the distinct values of a column, −1 where one is missing."""
    import pyarrow as pa

    values: Any = table.arrow(name)
    if is_text(values.type):
        values = without_blanks(values)
    elif pa.types.is_floating(values.type):
        values = pa.array(values.to_numpy(), from_pandas=True)
    elif isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    codes = values.dictionary_encode().indices
    if isinstance(codes, pa.ChunkedArray):
        codes = codes.combine_chunks()
    return codes.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]


def _unreadable(data: DataSpec, table: Table, name: str, why: str) -> DataError:
    """Build the error for a named column that a forecast cannot read."""
    where = f"{table.source}: column {name!r}"
    role = "--known" if name in data.known else "--input"
    if why == EMPTY:
        return DataError(f"{where} is empty; leave it out.")
    if why == TIMES:
        time = as_option("--time", name)
        return DataError(f"{where} holds times; name it as the time, {time}, or leave it out.")
    advice = "Leave it out, or write it as numbers or names."
    if why == TEXTS:
        category = as_option(role, f"{name}:category")
        advice = f"Leave it out; or, if they are names, say {category}."
    return DataError(f"{where} holds {why}, and a forecast reads numbers and categories. {advice}")


def covariate_roles(data: DataSpec, train: Table) -> dict[str, list[str]]:
    """Sort the columns of laid out series by their roles, the arguments of `ForecastFeature`."""
    special = {data.time, data.sequence_id, *data.target, *data.known}
    others = [name for name in train.columns if name not in special]
    fixed = data.per_sequence or []
    roles: dict[str, list[str]] = {}
    for names, numbers, categories in (
        ([name for name in others if name not in fixed], "past", "past_categories"),
        (data.known, "known", "known_categories"),
        ([name for name in others if name in fixed], "static", "static_categories"),
    ):
        kinds = {name: data.columns.get(name, {}).get("kind") for name in names}
        roles[numbers] = [name for name in names if kinds[name] != "category"]
        roles[categories] = [name for name in names if kinds[name] == "category"]
    return roles
