"""Rows as they are: reading them, splitting them into parts, and finding their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from elman.data import catalog
from elman.data.arrow import is_list
from elman.data.sequences import to_sequences, windows
from elman.data.sources.sequence_files import FILE
from elman.data.table import Table
from elman.data.times import with_time_of_day
from elman.errors import ExperimentError
from elman.experiment.data import DataSpec
from elman.tasks.check.choice import SINGLE, TIMES, Choice, choose, findings_of_given
from elman.tasks.check.finding import Finding
from elman.tasks.check.targets import answered
from elman.tasks.dividing import Division, Parts
from elman.tasks.given import (
    Given,
    check_names,
    nothing_to_read,
    roles_of,
    source_of,
    table_of,
)
from elman.tasks.known_columns import columns_of_files, names_of_files, split_column_of
from elman.tasks.named_kinds import kinds_of_names
from elman.tasks.numeric import Numeric, numeric_of, read_numbers
from elman.tasks.wide_tables import from_wide, wide_settings

if TYPE_CHECKING:
    from elman.tasks.task import Task

AFTER = "next_"
"""Prefix of the column that holds the value after a window."""


@dataclass(frozen=True)
class RowsLayout:
    """Rows that are one example each, or sequences made from the rows of a long table.

    Attributes:
        data: what to read, and how to split it.
    """

    data: DataSpec

    def with_known_columns(self, source: Any = None) -> DataSpec:
        """Fill in the columns that are known before the data is read, where none are given.

        These are the usual ones of a named data set; and of files that are a sequence each, the
        id of the file: where rows are steps, or labels are given to whole files.

        Args:
            source: values passed in Python, in place of a name or files.
        """
        data = self.data
        if data.name is None:
            what = source_of(data, source)
            update = wide_settings(data, what) or columns_of_files(data, what)
            return data.model_copy(update=update)
        if data.input or data.target:
            return data
        return data.model_copy(update=self._known_columns(data.name))

    def _known_columns(self, name: str) -> dict[str, Any]:
        known = catalog.find(name)
        update: dict[str, Any] = {"input": list(known.input), "target": [known.target]}
        if name in catalog.ROLL_SETS:
            update["input_kind"] = "roll"
        return update

    def columns(self, table: Table) -> tuple[list[str], list[str]]:
        """Say which columns are input and which are target.

        Where no input is given, all columns that have no other role are read.

        Args:
            table: with the columns.

        Returns:
            Names of the input columns and of the target columns; no target columns where the
            target is the next element of the input. Of windows it is the value after each.

        Raises:
            ExperimentError: a column is unknown, is both input and target, or there is no input or
                no target.
        """
        for name in (*self.data.input, *self.data.columns):
            table.check_column(name, error=ExperimentError)
        targets = self._targets(table)
        inputs = self.inputs(table)
        if not inputs:
            times = self._choice(table).left_out.get(TIMES, [])
            raise nothing_to_read(table, targets, times)
        if both := set(inputs) & set(targets):
            raise ExperimentError(
                f"column {min(both)!r} is both input and target, and a network would copy it. "
                "Leave it out of one of the two."
            )
        return inputs, targets

    def inputs(self, table: Table) -> list[str]:
        """Name the columns to read."""
        return list(self.data.input) or self._choice(table).inputs

    def beside(self, table: Table) -> list[str]:
        """Name the columns with single values that sequences keep from being read."""
        return [] if self.data.input else self._choice(table).left_out.get(SINGLE, [])

    def _choice(self, table: Table) -> Choice:
        """Choose the columns to read, and say which are left out."""
        targets = self._targets(table) if self.data.target else []
        if self.data.input:
            inputs = [name for name in self.data.input if name in table.columns]
            return Choice(inputs, {}, findings_of_given(table, inputs, targets))
        return choose(table, self._others(table), targets, self.data)

    def _others(self, table: Table) -> list[str]:
        """List the columns that have no other role and so may be input."""
        data = self.data
        special = {*self._special(table), *data.ignore}
        if data.window:  # the past of a target is input
            return [
                name for name in table.columns if name not in special and not name.startswith(AFTER)
            ]
        return [name for name in table.columns if name not in {*special, *data.target}]

    def _special(self, table: Table) -> dict[str, str]:
        """Return the columns that are neither input nor target by settings → what they are for."""
        data = self.data
        named = {
            data.sequence_id: "sequence id",
            split_column_of(data, table): "part",
            data.group: "group",
            data.time: "time",
        }
        roles = {name: role for name, role in named.items() if name is not None}
        return roles | dict.fromkeys(names_of_files(data, table), "file")

    def _targets(self, table: Table) -> list[str]:
        """Name the columns to predict."""
        targets = list(self.data.target)
        for name in targets:
            table.check_column(name, error=ExperimentError)
        if not targets:
            raise ExperimentError(
                f"say which column to predict: --target COLUMN (data.target), one of "
                f"{', '.join(table.columns)}; or --target next for the next element of the input."
            )
        if not self.data.window:
            return targets
        after = [f"{AFTER}{name}" for name in targets]
        pairs = zip(after, targets, strict=True)
        return [new if new in table.columns else name for new, name in pairs]

    def parts(self, seed: int, source: Any = None) -> Parts:
        """Read the data of an experiment and split it.

        Args:
            seed: of a random split.
            source: values passed in Python, in place of a name or files.

        Raises:
            DataError: a file cannot be read, or has too few rows to split.
            ExperimentError: no data is named, or settings contradict each other.
        """
        given = self.given(source)
        return given.layout.divided(given, seed)

    def given(self, source: Any = None) -> Given:
        """Read the data of an experiment, leave out rows without a target, and choose the columns.

        Args:
            source: values passed in Python, in place of a name or files.

        Raises:
            DataError: a file cannot be read.
            ExperimentError: no data is named, or a column is unknown or has two roles.
        """
        data = self.data
        if data.name is not None:
            named = catalog.tables(data.name)
            return self._with_kinds_of(next(iter(named.values())))._given_of_named(named)
        what = source_of(data, source)
        table = table_of(data, what, as_text=self._reads_running_text)
        rows = from_wide(data, table)
        layout = self._with_kinds_of(rows, table)
        check_names(layout.data, rows, table)
        return layout._given_of(rows)

    def divided(self, given: Given, seed: int) -> Parts:
        """Split what was given into training, validation and test rows.

        Args:
            given: as `given` returns it.
            seed: of a random split.

        Raises:
            DataError: there are too few rows.
            ExperimentError: settings contradict each other.
        """
        parts = self._split(given, seed)
        max_rows = self.data.max_rows
        if max_rows and max_rows < len(parts.train):
            chosen = np.arange(max_rows)
            if not self._is_running_text(parts.train):
                random = np.random.default_rng([seed, 2])
                chosen = np.sort(random.choice(len(parts.train), max_rows, False))
            parts = parts._replace(train=parts.train.select(chosen))
        findings = (*given.findings, *parts.findings)
        return parts._replace(
            settings={**parts.settings, **given.settings},
            findings=findings,
            notes=[*(each.sentence for each in findings), *parts.notes],
        )

    def numeric(self, task: Task) -> Numeric:
        """Say which columns a trained model reads as numbers."""
        after = AFTER if self.data.window else ""
        pairs = [(name, task.input) for name in task.input_columns]
        pairs += [
            (name.removeprefix(after), task.target.feature_of(name)) for name in task.target_columns
        ]
        return numeric_of(pairs, self.data)

    def read_like(
        self, source: Any, numeric: Numeric | None = None, *, with_targets: bool = True
    ) -> Table:
        """Read rows laid out as the training data was, to predict them or to test on them.

        Args:
            source: a path, or values in Python.
            numeric: how cells were read in training; found in the data by default.
            with_targets: whether only windows with a value after them are kept of a long series.

        Raises:
            DataError: the source cannot be read, or a cell must be a number and is none.
        """
        as_text = with_targets and self._reads_running_text
        table, _ = self.read_numbers(self.read(source, as_text=as_text), numeric)
        single = self.data.per_sequence
        if single is not None:  # the target, say, may be missing
            single = [name for name in single if name in table.columns]
        laid_out = self._laid_out(table, single, with_targets=with_targets)
        return self._as_lines(laid_out) if with_targets else laid_out

    def is_laid_out(self, table: Table) -> bool:
        """Tell whether a table is laid out already; one of rows always is."""
        del table
        return True

    def single_columns(self, table: Table) -> list[str] | None:
        """List the columns with one value per sequence; None where no sequences are made.

        Later rows are laid out by this list: in a few sequences a column may be constant by
        chance.

        Args:
            table: the training part.
        """
        if self.data.sequence_id is None:
            return None
        return [
            name
            for name in table.columns
            if name != self.data.sequence_id and not name.startswith(AFTER)
            if not is_list(table.column(name).type)
        ]

    def _with_kinds_of(self, *tables: Table) -> RowsLayout:
        """Return the layout with names told from kinds, by the columns that there are."""
        columns = [name for table in tables for name in table.columns]
        return replace(self, data=kinds_of_names(self.data, columns))

    def _given_of(self, table: Table) -> Given:
        """Lay out the rows of files, or of values."""
        data = self.data
        read, numeric = self.read_numbers(table)
        single = data.per_sequence
        if data.sequence_id == FILE and single is not None:
            single = [name for name in single if name in read.columns]
        tables = {"train": self._as_lines(self._laid_out(read, single))}
        for part, files in (("valid", data.valid_files), ("test", data.test_files)):
            if files:
                tables[part] = self.read_like(list(files), numeric)
        return self._chosen(read, tables, numeric.settings)

    def _given_of_named(self, named: Mapping[str, Table]) -> Given:
        """Lay out the official parts of a named set."""
        read = {part: self.read_numbers(table)[0] for part, table in named.items()}
        single = self.data.per_sequence
        tables = {part: self._laid_out(table, single) for part, table in read.items()}
        return self._chosen(read["train"], tables, {})

    def _chosen(
        self, read: Table, tables: Mapping[str, Table], settings: Mapping[str, Any]
    ) -> Given:
        """Leave out rows without a target, and choose the columns to read."""
        data = self.data
        targets = self._targets(tables["train"]) if data.target else []
        findings: list[Finding] = []
        kept = dict(tables)
        if data.name is None:
            for part, table in tables.items():
                kept[part], found = answered(table, targets, data)
                findings += found
        choice = self._choice(kept["train"])
        findings += choice.findings
        shown = read if data.window else kept["train"]
        roles = roles_of(data, shown, choice, self._special(shown))
        settings = {"input": choice.inputs, **settings} if choice.inputs else settings
        return Given(self, kept, shown, roles, choice.left_out, findings, settings)

    def read(self, source: Any, *, as_text: bool = False) -> Table:
        """Read a table with the settings of the data; `as_text` as one running text."""
        return from_wide(self.data, table_of(self.data, source, as_text=as_text))

    def read_numbers(self, table: Table, numeric: Numeric | None = None) -> tuple[Table, Numeric]:
        """Read the columns of numbers of a table as such.

        Args:
            table: as it was read.
            numeric: how cells were read in training. By default columns whose kind is given are
                read so; of the others with a role in the task, those are numbers whose cells all
                are, except a target of few whole numbers, which are classes.

        Returns:
            The table, and how its cells were read.

        Raises:
            DataError: a cell must be a number and is none.
        """
        return read_numbers(self.data, table, self._others(table), numeric)

    @property
    def _is_long(self) -> bool:
        """Whether rows are steps, to be joined into sequences."""
        return bool(self.data.sequence_id or self.data.time)

    def _laid_out(
        self, table: Table, single: Sequence[str] | None, *, with_targets: bool = True
    ) -> Table:
        """Turn a long table into one of sequences, and a long sequence into windows."""
        data = self.data
        table = with_time_of_day(table, data.time, data.time_of_day)
        if self._is_long:
            table = to_sequences(
                table,
                sequence_id=data.sequence_id,
                time=data.time,
                per_sequence=single,
                time_format=data.time_format,
                time_zone=data.time_zone,
                as_instants=data.time is not None and data.input_options.get("time") == data.time,
            )
        if data.window:
            table = windows(table, length=data.window, with_target=with_targets)
        return table

    def _as_lines(self, table: Table) -> Table:
        """Return rows as they are; `NextLayout` makes lines of texts."""
        return table

    @property
    def _reads_running_text(self) -> bool:
        """Whether a file of plain text is read as one text."""
        return False

    def _is_running_text(self, table: Table) -> bool:
        """Tell whether the rows are pieces of one text, not windows of a series."""
        del table
        return False

    def _split(self, given: Given, seed: int) -> Parts:
        """Split rows into the parts that are not given; of a named set, only where it has none."""
        tables = given.tables
        if self.data.name is not None and "valid" in tables:
            return Parts(tables["train"], tables["valid"], tables.get("test"), [])
        whole = tables["train"]
        division = Division(
            self.data,
            given.settings.get("input", []),
            self._is_running_text(whole),
            self._is_one_sequence(whole),
        )
        return division.parts(seed, whole, tables.get("valid"), tables.get("test"))

    def _is_one_sequence(self, table: Table) -> bool:
        """Tell whether all rows became the steps of one sequence."""
        return bool(self.data.time) and not self.data.sequence_id and len(table) == 1
