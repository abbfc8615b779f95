"""Rows as they are: reading them, splitting them into parts, and finding their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from elman.data import catalog
from elman.data.arrow import is_list
from elman.data.sequences import to_sequences, windows
from elman.data.sources import read_table
from elman.data.sources.sequence_files import FILE, with_one_id
from elman.data.table import Table
from elman.data.times import with_time_of_day
from elman.errors import ExperimentError
from elman.experiment.data import DataSpec
from elman.tasks.dividing import Division, Parts
from elman.tasks.known_columns import columns_of_files, split_column_of
from elman.tasks.named_kinds import kinds_of_names
from elman.tasks.numeric import Numeric, may_hold_lists, read_numbers
from elman.tasks.unread import SINGLE, unread
from elman.tasks.wide_tables import from_wide, wide_settings

if TYPE_CHECKING:
    from elman.features.feature import Feature
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
            raise ExperimentError(
                f"no input column is left: the table has {', '.join(table.columns)}. Name one with "
                "--input COLUMN (data.input)."
            )
        if both := set(inputs) & set(targets):
            raise ExperimentError(
                f"column {min(both)!r} is both input and target, and a network would copy it. "
                "Leave it out of one of the two."
            )
        return inputs, targets

    def inputs(self, table: Table) -> list[str]:
        """Name the columns to read."""
        others = self._others(table)
        not_read = set(chain.from_iterable(unread(table, others).values()))
        return list(self.data.input) or [name for name in others if name not in not_read]

    def beside(self, table: Table) -> list[str]:
        """Name the columns with single values that sequences keep from being read."""
        return [] if self.data.input else unread(table, self._others(table)).get(SINGLE, [])

    def _others(self, table: Table) -> list[str]:
        """List the columns that have no other role and so may be input."""
        data = self.data
        special = {data.sequence_id, split_column_of(data, table), data.group, data.time}
        if data.window:  # the past of a target is input
            return [
                name for name in table.columns if name not in special and not name.startswith(AFTER)
            ]
        return [name for name in table.columns if name not in {*special, *data.target}]

    def _notes(self, table: Table) -> list[str]:
        """Say which columns are not read, where no input is named."""
        if self.data.input or not self.data.target:
            return []
        left_out = unread(table, self._others(table))
        return [
            f"not read: {', '.join(names)} ({why}); to choose the columns, name them with --input."
            for why, names in left_out.items()
            if names
        ]

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
        parts = self._divided(seed, source)
        max_rows = self.data.max_rows
        if max_rows and max_rows < len(parts.train):
            chosen = np.arange(max_rows)
            if not self._is_running_text(parts.train):
                random = np.random.default_rng([seed, 2])
                chosen = np.sort(random.choice(len(parts.train), max_rows, False))
            parts = parts._replace(train=parts.train.select(chosen))
        return parts._replace(notes=[*parts.notes, *self._notes(parts.train)])

    def numeric(self, task: Task) -> Numeric:
        """Say which columns a trained model reads as numbers."""
        after = AFTER if self.data.window else ""
        pairs = [(name, task.input) for name in task.input_columns]
        pairs += [
            (name.removeprefix(after), task.target.feature_of(name)) for name in task.target_columns
        ]
        return Numeric(
            frozenset(name for name, feature in pairs if feature.reads_numbers(name)),
            self.data.decimal,
            frozenset(name for name, feature in pairs if _may_hold_lists(feature.feature_of(name))),
        )

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

    def _divided(self, seed: int, source: Any) -> Parts:
        if self.data.name is not None:
            return self._named(self.data.name, seed)
        table = self.read(source_of(self.data, source), as_text=self._reads_running_text)
        return self._with_kinds_of(table)._parts_of(seed, table)

    def _with_kinds_of(self, table: Table) -> RowsLayout:
        """Return the layout with names told from kinds, by the columns that there are."""
        return replace(self, data=kinds_of_names(self.data, table.columns))

    def _parts_of(self, seed: int, table: Table) -> Parts:
        data = self.data
        table, numeric = self.read_numbers(table)
        single = data.per_sequence
        if data.sequence_id == FILE and single is not None:
            single = [name for name in single if name in table.columns]
        whole = self._as_lines(self._laid_out(table, single))
        valid, test = (
            self.read_like(list(files), numeric) if files else None
            for files in (data.valid_files, data.test_files)
        )
        parts = self._divide(seed, whole, valid, test)
        return parts._replace(settings={**parts.settings, **numeric.settings})

    def read(self, source: Any, *, as_text: bool = False) -> Table:
        """Read a table with the settings of the data; `as_text` as one running text."""
        data = self.data
        by_file = data.sequence_id == FILE
        table = read_table(
            source,
            format=data.format,
            encoding=data.encoding,
            running_text=as_text,
            by_file=by_file,
        )
        if by_file and FILE not in table.columns:
            table = with_one_id(table, FILE)
        return from_wide(self.data, table)

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

    def _named(self, name: str, seed: int) -> Parts:
        """Take the official split of a named data set; split off the parts that it lacks."""
        tables = catalog.tables(name)
        return self._with_kinds_of(next(iter(tables.values())))._parts_of_named(seed, tables)

    def _parts_of_named(self, seed: int, tables: Mapping[str, Table]) -> Parts:
        single = self.data.per_sequence
        read = {part: self.read_numbers(table)[0] for part, table in tables.items()}
        tables = {part: self._laid_out(table, single) for part, table in read.items()}
        if set(tables) <= {"train", "test"} and "train" in tables:
            return self._divide(seed, tables["train"], None, tables.get("test"))
        return Parts(tables["train"], tables["valid"], tables.get("test"), [])

    def _divide(self, seed: int, whole: Table, valid: Table | None, test: Table | None) -> Parts:
        """Split a table into the parts that are not given."""
        division = Division(
            self.data,
            self.inputs(whole),
            self._is_running_text(whole),
            self._is_one_sequence(whole),
        )
        return division.parts(seed, whole, valid, test)

    def _is_one_sequence(self, table: Table) -> bool:
        """Tell whether all rows became the steps of one sequence."""
        return bool(self.data.time) and not self.data.sequence_id and len(table) == 1


def _may_hold_lists(feature: Feature) -> bool:
    return may_hold_lists(type(feature), one_hot=getattr(feature, "one_hot", False))


def source_of(data: DataSpec, source: Any) -> Any:
    """Return what to read: the values passed, or the files of an experiment.

    Raises:
        ExperimentError: there is neither.
    """
    if source is None and not data.files:
        raise ExperimentError(
            "there is no training data: give data.files, or data.name of a named data set. "
            "To repeat a run on values in memory, pass the values again."
        )
    return data.files if source is None else source
