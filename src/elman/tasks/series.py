"""The parts of series to forecast: split in time, the latest steps for the test."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data import catalog
from elman.data.arrow import is_text
from elman.data.frequency import Frequency
from elman.data.long_series import LongSeries, long_series
from elman.data.numbers import hold_numbers, with_numbers
from elman.data.splits import PARTS, rows_by_part
from elman.data.strays import without_strays
from elman.data.table import Table
from elman.data.times import looks_like_times, with_time_of_day
from elman.errors import DataError, ExperimentError, counted
from elman.experiment.data import DataSpec
from elman.tasks.check.answers import ties_to
from elman.tasks.check.choice import Choice
from elman.tasks.check.words import tied
from elman.tasks.covariates import Covariates, find_covariates, mostly_numbers
from elman.tasks.dividing import Parts
from elman.tasks.given import Given, check_names, roles_of, source_of
from elman.tasks.numeric import Numeric, numbers_found, numeric_of
from elman.tasks.rows import RowsLayout

if TYPE_CHECKING:
    from elman.tasks.task import Task

Steps = NDArray[np.int64]


class Roles(NamedTuple):
    """The roles of the columns of a long table in a forecast."""

    targets: list[str]
    covariates: Covariates

    @property
    def categories(self) -> list[str]:
        """The columns that hold names."""
        read = self.covariates
        return [*read.past_categories, *read.known_categories, *read.static_categories]

    @property
    def known(self) -> list[str]:
        """The columns whose future values are known."""
        return [*self.covariates.known, *self.covariates.known_categories]

    @property
    def static(self) -> list[str]:
        """The columns with one value a series."""
        return [*self.covariates.static, *self.covariates.static_categories]

    @property
    def columns(self) -> list[str]:
        """All columns of numbers, then those of names."""
        read = self.covariates
        return [*self.targets, *read.past, *read.known, *read.static, *self.categories]


def series_roles(
    data: DataSpec, table: Table, others: Sequence[Table] = (), numeric: Numeric | None = None
) -> Roles:
    """Say which columns are forecast, and which are read beside them.

    Where no input is given, all columns of numbers and of names that have no other role are read as
    covariates known up to now.

    Args:
        data: the settings of the data.
        table: a long table: the training part.
        others: the other parts, if they are tables of their own.
        numeric: which columns a trained model reads as numbers; all others of its columns are
            categories, and nothing is found in the data.

    Raises:
        ExperimentError: a column is unknown or has two roles, or there is no target.
        DataError: a named column holds neither numbers nor names.
    """
    for name in (*data.target, *data.input, *data.known, *(data.per_sequence or ())):
        table.check_column(name, error=ExperimentError)
    if not data.target:
        raise ExperimentError(
            f"say which column to forecast: --target COLUMN (data.target), one of "
            f"{', '.join(table.columns)}; or, if each row or each column is a series, --set "
            "wide=rows or wide=columns (data.wide)."
        )
    if both := set(data.target) & set(data.known):
        raise ExperimentError(
            f"column {min(both)!r} is forecast, so its future values are not known; take it out "
            "of data.known."
        )
    special = {data.sequence_id, data.time, data.time_of_day, data.split_column}
    special |= {*data.target, *data.known}
    chosen = [*data.input, *(data.per_sequence or ())]
    names = list(dict.fromkeys(chosen if data.input or numeric is not None else table.columns))
    candidates = [name for name in names if name not in {*special, *data.ignore}]
    if numeric is not None:
        return Roles(list(data.target), _learned(data, candidates, numeric.columns))
    return Roles(list(data.target), find_covariates(data, [table, *others], candidates))


def _learned(data: DataSpec, names: Sequence[str], numbers: Collection[str]) -> Covariates:
    """Return the covariates of a trained model."""
    fixed = set(data.per_sequence or ())
    per_step = [name for name in names if name not in fixed]
    per_series = [name for name in names if name in fixed]

    def split(columns: Sequence[str]) -> tuple[list[str], list[str]]:
        are_numbers = [name for name in columns if name in numbers]
        return are_numbers, [name for name in columns if name not in numbers]

    (past, past_names), (known, known_names) = split(per_step), split(data.known)
    return Covariates(past, known, past_names, known_names, *split(per_series), findings=[])


@dataclass(frozen=True)
class SeriesLayout(RowsLayout):
    """Series of a long table, split in time: the latest steps are for the test.

    Unless the parts are given, the last steps of every series are for the test and those before
    them for validation: the fractions that the settings say, and a horizon at least. The window
    before a forecast may lie in an earlier part.
    """

    def _known_columns(self, name: str) -> dict[str, Any]:
        return {"target": list(catalog.find(name).input), "time": "time"}

    def is_laid_out(self, table: Table) -> bool:
        """Tell series, a row each, from a long table."""
        return table.spans is not None

    def single_columns(self, table: Table) -> None:
        """Return None: no column has one value per sequence in a forecast."""

    def given(self, source: Any = None) -> Given:
        """Read the long tables of an experiment, and find the roles of their columns.

        Args:
            source: values passed in Python, in place of a name or files.

        Raises:
            DataError: a file cannot be read.
            ExperimentError: no data is named, or the columns have no roles.
        """
        tables, settings = self._tables(source)
        train, *others = tables.values()
        layout = self._with_kinds_of(train)
        data = layout.data
        if data.wide is None:
            check_names(data, train)
        _check_kinds_of_targets(data)
        roles = series_roles(data, train, others)
        special = self._special(train) | dict.fromkeys(roles.known, "known")
        inputs = [name for name in roles.columns if name not in (*roles.targets, *roles.known)]
        of_columns = roles_of(data, train, Choice(inputs, {}, []), special)
        settings |= _settings_of_covariates(data, roles)
        ties = ties_to(train, roles.known, roles.targets)
        findings = [*roles.covariates.findings, *(tied(each, named=True) for each in ties)]
        return Given(layout, tables, train, of_columns, {}, findings, settings)

    def _split(self, given: Given, seed: int) -> Parts:
        """Split each series in time.

        Raises:
            DataError: times are no grid, or every series is too short.
        """
        del seed
        data, tables = self.data, given.tables
        train, *others = tables.values()
        roles = series_roles(data, train, others)
        series = self._series(list(tables.values()), roles)
        if data.time is None:
            series.notes.extend(_time_not_named(tables["train"], roles))
        ends, notes = _borders(data, series, list(tables))
        first = _part(data, series, np.ones_like(ends[0]), ends[0])
        valid = _part(data, series, ends[0], ends[1])
        test = _part(data, series, ends[1], ends[2])
        if first is None or valid is None:
            raise _too_short(data, series, "training" if first is None else "validation")
        return Parts(first, valid, test, [*series.notes, *notes], _settings_of(series))

    def numeric(self, task: Task) -> Numeric:
        """Say which columns a trained model reads as numbers."""
        numeric = numeric_of([(name, task.input) for name in task.input_columns], self.data)
        return numeric._replace(lists=frozenset())

    def read_like(
        self, source: Any, numeric: Numeric | None = None, *, with_targets: bool = True
    ) -> Table:
        """Read whole series, a row each, laid out as the training data was.

        Args:
            source: a path, values in Python, or a table.
            numeric: how cells were read in training; found in the data by default.
            with_targets: makes no difference here.
        """
        del with_targets
        table, _ = self.read_numbers(self.read(source), numeric)
        series = self._series([table], series_roles(self.data, table, numeric=numeric))
        whole = _whole(series)
        whole.notes += [note for note in series.notes if note not in whole.notes]
        return whole

    def whole(self, source: Any = None, numeric: Numeric | None = None) -> Table:
        """Read the training data's series with all their steps, validation and test included.

        Args:
            source: values passed in Python, in place of a name or files.
            numeric: which columns a trained model reads as numbers; found in the data by default.
        """
        tables, _ = self._tables(source)
        train, *others = tables.values()
        roles = series_roles(self.data, train, others, numeric)
        return _whole(self._series([train, *others], roles))

    def _series(self, tables: Sequence[Table], roles: Roles) -> LongSeries:
        data = self.data
        return long_series(
            [with_time_of_day(table, data.time, data.time_of_day) for table in tables],
            roles.columns,
            categories=roles.categories,
            static=roles.static,
            sequence_id=data.sequence_id,
            time=data.time,
            frequency=None if data.frequency is None else Frequency.parse(data.frequency),
            time_format=data.time_format,
            time_zone=data.time_zone,
        )

    def read_numbers(self, table: Table, numeric: Numeric | None = None) -> tuple[Table, Numeric]:
        """Read the columns of numbers of a long table as such; see `RowsLayout.read_numbers`."""
        data = self.data
        if numeric is not None:
            return super().read_numbers(table, numeric)
        kinds = {name: said.get("kind") for name, said in data.columns.items()}
        named = {*data.input, *data.known, *(data.per_sequence or ())}
        required = {*data.target, *(name for name in kinds if kinds[name] == "number")}
        required |= {name for name in named - kinds.keys() if _are_numbers_as_text(table, name)}
        special = {data.sequence_id, data.time, *kinds}
        likely = [name for name in table.columns if name not in special and not data.input]
        said = [name for name in required if kinds.get(name) == "number"]
        table, strays = without_strays(
            table, few=said, all_of=data.words_as_missing, decimal=data.decimal
        )
        table, decimal = with_numbers(
            table, required=required, likely=likely, decimal=data.decimal, units=data.units
        )
        found = hold_numbers(table, {*required, *likely, *named})
        return table, numbers_found(data, table, found, decimal, strays)

    def _tables(self, source: Any) -> tuple[dict[str, Table], dict[str, Any]]:
        """Read the long tables of the parts that are given, in the order of time.

        Returns:
            Name of a part → its table, and the settings by which numbers were read.
        """
        data = self.data
        if data.name is not None:
            named = catalog.tables(data.name)
            return {part: named[part] for part in PARTS if part in named}, {}
        table = self.read(source_of(data, source))
        whole, numeric = self._with_kinds_of(table).read_numbers(table)
        if data.split_column is not None:
            rows = rows_by_part(whole, data.split_column)
            parts = {part: whole.select(chosen) for part, chosen in rows.items() if chosen}
            return parts, numeric.settings
        tables = {"train": whole}
        for part, files in (("valid", data.valid_files), ("test", data.test_files)):
            if files:
                tables[part], _ = self.read_numbers(self.read(list(files)), numeric)
        return tables, numeric.settings


def _are_numbers_as_text(table: Table, name: str) -> bool:
    """Tell whether a column holds text, most of it numbers."""
    if name not in table.columns or not is_text(table.column(name).type):
        return False
    return mostly_numbers(table, name)


def _check_kinds_of_targets(data: DataSpec) -> None:
    """Refuse a target that is said to be no number.

    Raises:
        ExperimentError: there is one.
    """
    for name in data.target:
        kind = data.columns.get(name, {}).get("kind", "number")
        if kind != "number":
            raise ExperimentError(
                f"column {name!r} is forecast, and forecasts predict numbers, not kind {kind!r}; "
                "leave the kind out, or forecast another column."
            )


def _settings_of_covariates(data: DataSpec, roles: Roles) -> dict[str, Any]:
    """Return the kinds and static columns that were found, by which later files are read."""
    found = {name: {"kind": "category"} for name in roles.categories if not data.columns.get(name)}
    settings: dict[str, Any] = {"columns": {**data.columns, **found}} if found else {}
    if roles.static and data.per_sequence is None:
        settings["per_sequence"] = roles.static
    return settings


def _time_not_named(table: Table, roles: Roles) -> list[str]:
    """Note a column that looks like the time of rows where no column is named as it."""
    known = (*roles.covariates.known, *roles.covariates.known_categories)
    names = [name for name in table.columns if name not in (*roles.targets, *known)]
    found = next((name for name in names if looks_like_times(table, name)), None)
    if found is None:
        return []
    return [
        f"rows are read in their order; column {found!r} looks like their time: say --time "
        f"{shlex.quote(found)} (data.time) to sort by it, and to forecast with its calendar."
    ]


def _settings_of(series: LongSeries) -> dict[str, Any]:
    """Return how times were read, which decides how those of later files are."""
    if series.times is None or series.frequency is None:
        return {}
    settings = {"time_format": series.times.format, "frequency": str(series.frequency)}
    return settings if series.times.zone is None else settings | {"time_zone": series.times.zone}


def _whole(series: LongSeries) -> Table:
    """Return all series with all their steps."""
    rows = np.arange(len(series.lengths))
    return series.part(rows, np.ones_like(rows), series.lengths)


def _borders(
    data: DataSpec, series: LongSeries, names: Sequence[str]
) -> tuple[list[Steps], list[str]]:
    """Return where the three parts end in every series."""
    given = {name: series.ends[:, column] for column, name in enumerate(names)}
    horizon, lengths = data.horizon, series.lengths
    if "valid" in given:
        test_end = given.get("test", given["valid"])
        return [given["train"], given["valid"], test_end], []
    until_test = given["train"] if "test" in given else lengths - _share(lengths, data, "test")
    valid_end = until_test - _share(until_test if "test" in given else lengths, data, "valid")
    short = valid_end < horizon + 1
    notes = []
    if short.any() and not short.all():
        notes.append(
            f"{int(short.sum()):,} of {len(lengths):,} series are too short to be forecast "
            f"{counted(horizon, 'step')} ahead in every part; they are used for training alone."
        )
    # A series that is not tested on is training data as a whole.
    ends = [valid_end, until_test, lengths]
    learned = until_test if "test" in given else lengths
    whole = [learned, learned, lengths]
    return [np.where(short, all_, end) for all_, end in zip(whole, ends, strict=True)], notes


def _share(lengths: Steps, data: DataSpec, part: str) -> Steps:
    """Count the steps of a part in every series: a horizon at least, or none."""
    fraction = data.test_fraction if part == "test" else data.valid_fraction
    if not fraction:
        return np.zeros_like(lengths)
    return np.maximum(data.horizon, np.round(lengths * fraction).astype(np.int64))


def _part(data: DataSpec, series: LongSeries, first: Steps, end: Steps) -> Table | None:
    """Take the series with room for a forecast that begins at `first` or later."""
    first = np.maximum(first, 1)
    rows = np.flatnonzero(end - first >= data.horizon)
    return series.part(rows, first[rows], end[rows]) if len(rows) else None


def _too_short(data: DataSpec, series: LongSeries, part: str) -> DataError:
    longest = counted(int(series.lengths.max()), "step")
    return DataError(
        f"{series.table.source}: the longest series has {longest}, too few for {part}: a forecast "
        f"of data.horizon = {data.horizon} needs {data.horizon + 1} training, {data.horizon} "
        f"validation and {data.horizon} test steps. Ask for a shorter horizon."
    )
