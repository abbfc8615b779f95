"""Rows as they are: reading them, splitting them into parts, and finding their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from elman.data import catalog
from elman.data.arrow import is_list, is_text
from elman.data.sequences import time_format_of, to_sequences, windows
from elman.data.sources import read_table
from elman.data.sources.files import PICTURES
from elman.data.splits import split
from elman.data.table import Table
from elman.data.times import with_time_of_day
from elman.errors import DataError, ExperimentError, counted
from elman.experiment.data import DataSpec
from elman.features.feature import feature_class
from elman.features.inference import infer_kind
from elman.tasks.fitting import sample

AFTER = "next_"
"""Prefix of the column that holds the value after a window."""


class Parts(NamedTuple):
    """Training, validation and test rows: tables of the same columns."""

    train: Table
    valid: Table
    test: Table | None
    """None where no rows were kept for it."""
    notes: list[str]
    """What was assumed while reading and splitting, a sentence each."""
    settings: Mapping[str, Any] = MappingProxyType({})
    """Settings of the data that follow from these rows and decide how later ones are read."""


@dataclass(frozen=True)
class RowsLayout:
    """Rows that are one example each, or sequences made from the rows of a long table.

    Attributes:
        data: what to read, and how to split it.
    """

    data: DataSpec

    def with_known_columns(self) -> DataSpec:
        """Fill in the usual columns of a named data set, where none are given."""
        data = self.data
        if data.name is None or data.input or data.target:
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
        data = self.data
        special = {data.sequence_id, data.split_column, data.group} - {None}
        for name in data.input:
            table.check_column(name, error=ExperimentError)
        targets = self._targets(table)
        inputs = list(data.input) or [
            name
            for name in table.columns
            if name not in targets and name not in special and name != data.time
            if not (data.window and name.startswith(AFTER))
        ]
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
        if self.data.time is not None:
            parts = parts._replace(settings={**parts.settings, **_settings_of(parts.train)})
        max_rows = self.data.max_rows
        if max_rows and max_rows < len(parts.train):
            chosen = np.arange(max_rows)
            if not self._is_running_text(parts.train):
                random = np.random.default_rng([seed, 2])
                chosen = np.sort(random.choice(len(parts.train), max_rows, False))
            parts = parts._replace(train=parts.train.select(chosen))
        return parts

    def read_like(self, source: Any, *, with_targets: bool = True) -> Table:
        """Read rows laid out as the training data was, to predict them or to test on them.

        Args:
            source: a path, or values in Python.
            with_targets: whether only windows with a value after them are kept of a long series.
        """
        as_text = with_targets and self._reads_running_text
        table = read_table(source, format=self.data.format, running_text=as_text)
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
        data = self.data
        if data.name is not None:
            return self._named(data.name, seed)
        whole = self._read(source)
        valid, test = (
            self.read_like(list(files)) if files else None
            for files in (data.valid_files, data.test_files)
        )
        return self._divide(seed, whole, valid, test)

    def _read(self, source: Any) -> Table:
        table = read_table(
            source_of(self.data, source),
            format=self.data.format,
            running_text=self._reads_running_text,
        )
        return self._as_lines(self._laid_out(table, self.data.per_sequence))

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
        single = self.data.per_sequence
        tables = {
            part: self._laid_out(table, single) for part, table in catalog.tables(name).items()
        }
        if set(tables) <= {"train", "test"} and "train" in tables:
            return self._divide(seed, tables["train"], None, tables.get("test"))
        return Parts(tables["train"], tables["valid"], tables.get("test"), [])

    def _divide(self, seed: int, whole: Table, valid: Table | None, test: Table | None) -> Parts:
        """Split a table into the parts that are not given."""
        data = self.data
        notes = [
            note for table in (whole, valid, test) if table is not None for note in table.notes
        ]
        if valid is not None and test is not None:
            return Parts(whole, valid, test, notes)
        if valid is None and self._is_one_sequence(whole):
            raise ExperimentError(
                f"the time {data.time!r} makes one sequence of all rows of {whole.source}, which "
                "cannot be split into training and validation rows. Say --window N (data.window) "
                "to predict the value after every N steps, --horizon N (data.horizon) to forecast "
                "N steps, or --sequence-id COLUMN (data.sequence_id) if the rows belong to several "
                "sequences."
            )
        group = data.group or (None if data.split_column else self._repeated_pictures(whole))
        if group != data.group:
            notes.append(f"rows with the same {group} stay in one part.")
        by_column = data.split_column or group
        in_time_order = data.split_order == "time" or (
            data.split_order is None and whole.spans is not None and not by_column
        )
        rows = split(
            whole,
            seed=seed,
            valid=0.0 if valid is not None else data.valid_fraction,
            test=0.0 if test is not None else data.test_fraction,
            column=data.split_column,
            group=group,
            stratify=None if in_time_order or by_column else self._stratum(whole),
            in_time_order=in_time_order,
        )
        train = whole.select(rows.train)
        if valid is None:
            valid = whole.select(rows.valid)
        if test is None and len(rows.test):
            test = whole.select(rows.test)
        if in_time_order and self._is_running_text(whole):
            notes.append(
                "the text is split in its order; if each line is a text of its own, a name for "
                'instance, say --set split_order=random (split_order="random" in Python).'
            )
        if not len(train) or not len(valid):
            raise DataError(
                f"{whole.source} has {counted(len(whole), 'row')}, too few for both training and "
                "validation. Add rows, or give a validation file: data.valid_files (--valid on the "
                "command line)."
            )
        return Parts(train, valid, test, [*notes, *rows.notes])

    def _is_one_sequence(self, table: Table) -> bool:
        """Tell whether all rows became the steps of one sequence."""
        return bool(self.data.time) and not self.data.sequence_id and len(table) == 1

    def _repeated_pictures(self, table: Table) -> str | None:
        """Name the input column if it holds paths of pictures, and some more than once.

        The captions of one picture must stay in one part.
        """
        targets = self.data.target
        inputs = self.data.input or [name for name in table.columns if name not in targets]
        if len(inputs) != 1 or inputs[0] not in table.columns:
            return None
        if not is_text(table.column(inputs[0]).type):
            return None
        paths = list(table.column(inputs[0]))
        pictured = all(isinstance(path, str) and path.lower().endswith(PICTURES) for path in paths)
        return inputs[0] if pictured and len(set(paths)) < len(paths) else None

    def _stratum(self, table: Table) -> str | None:
        """Name the target column if it holds classes, to stratify the split by."""
        data = self.data
        if len(data.target) != 1 or data.target[0] not in table.columns:
            return None
        name, kind = data.target[0], data.target_kind
        if kind is None:
            kind = infer_kind(list(sample(table).column(name)), name=name, as_target=True).kind
        return name if feature_class(kind.partition(":")[0]).is_class else None


def _settings_of(table: Table) -> dict[str, Any]:
    """Return how the texts of times were written, by which those of later files are read."""
    written = time_format_of(table)
    return {"time_format": written} if written is not None and "%" in written else {}


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
