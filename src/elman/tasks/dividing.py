"""Dividing rows into training, validation and test rows, as settings and repetitions ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.data.arrow import is_list, is_text
from elman.data.paths import PICTURES
from elman.data.sequences import time_format_of
from elman.data.splits import PART_NAMES, Splits, split
from elman.data.table import Table
from elman.errors import DataError, ExperimentError, counted
from elman.experiment.data import DataSpec
from elman.features.build import kind_class
from elman.tasks.check.dates import holds_times, order_of_dates
from elman.tasks.check.finding import Finding, listed
from elman.tasks.duplicates import (
    Keys,
    finding_of_units,
    keys_of,
    notes_of_overlaps,
    units_of,
)
from elman.tasks.fitting import infer
from elman.tasks.given_kinds import kind_given
from elman.tasks.known_columns import split_column_of
from elman.tasks.named_kinds import notes_of_colons

if TYPE_CHECKING:
    from elman.tasks.check.check import Check


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
    findings: tuple[Finding, ...] = ()
    """What was found while dividing."""
    check: Check | None = None
    """What is known of the data before training, where it was checked."""

    @property
    def sizes(self) -> dict[str, int]:
        """Name of a part → its rows, of the parts that there are."""
        named = {"train": self.train, "valid": self.valid, "test": self.test}
        return {name: len(part) for name, part in named.items() if part is not None}


@dataclass(frozen=True)
class Division:
    """How rows are divided into the parts that are not given.

    Attributes:
        data: the settings.
        inputs: columns that are read.
        is_running_text: whether the rows are pieces of one text.
        is_one_sequence: whether all rows became the steps of one sequence.
    """

    data: DataSpec
    inputs: Sequence[str]
    is_running_text: bool
    is_one_sequence: bool

    def parts(self, seed: int, whole: Table, valid: Table | None, test: Table | None) -> Parts:
        """Split a table into the parts that are not given.

        Raises:
            ExperimentError: there is one sequence, which cannot be split.
            DataError: there are too few rows.
        """
        notes = [
            note for table in (whole, valid, test) if table is not None for note in table.notes
        ]
        notes += notes_of_colons(self.data, whole.columns)
        settings = _settings_of(whole)
        keys = self._keys(whole, valid, test)
        if valid is not None and test is not None:
            notes += _overlaps(keys["train"], keys) if keys else []
            return Parts(whole, valid, test, notes, settings)
        if valid is None and self.is_one_sequence:
            raise ExperimentError(
                f"the time {self.data.time!r} makes one sequence of all rows of {whole.source}, "
                "which cannot be split into training and validation rows. Say --window N "
                "(data.window) to predict the value after every N steps, --horizon N "
                "(data.horizon) to forecast N steps, or --sequence-id COLUMN (data.sequence_id) "
                "if the rows belong to several sequences."
            )
        findings: list[Finding] = []
        rows = self._rows(seed, whole, (valid, test), keys.get("train"), notes, findings)
        if not len(rows.train) or not (len(rows.valid) if valid is None else len(valid)):
            raise DataError(
                f"{whole.source} has {counted(len(whole), 'row')}, too few for both training and "
                "validation. Add rows, or give a validation file: data.valid_files (--valid on the "
                "command line)."
            )
        if keys and not findings:  # else the rows of an input stay in one part
            drawn = {"valid": rows.valid, "test": rows.test}
            of_parts = {part: keys["train"].take(drawn[part]) for part in drawn} | keys
            notes += _overlaps(keys["train"].take(rows.train), of_parts)
        valid = whole.select(rows.valid) if valid is None else valid
        if test is None and len(rows.test):
            test = whole.select(rows.test)
        train = whole.select(rows.train)
        return Parts(train, valid, test, notes, settings, tuple(findings))

    def _rows(
        self,
        seed: int,
        whole: Table,
        given: tuple[Table | None, Table | None],
        keys: Keys | None,
        notes: list[str],
        findings: list[Finding],
    ) -> Splits:
        """Divide rows by a column, a group, in the order of time, or at random."""
        data, (valid, test) = self.data, given
        column = split_column_of(data, whole)
        if column != data.split_column:
            notes.append(f"rows are split as column {column!r} says.")
        group = data.group or (None if column else self._repeated_pictures(whole))
        if group != data.group:
            notes.append(f"rows with the same {group} stay in one part.")
        by_column = column or group
        in_time_order = data.split_order == "time" or (
            data.split_order is None and whole.spans is not None and not by_column
        )
        at_random = not (in_time_order or by_column)
        rows = split(
            whole,
            seed=seed,
            valid=0.0 if valid is not None else data.valid_fraction,
            test=0.0 if test is not None else data.test_fraction,
            column=column,
            group=group,
            stratify=self._stratum(whole) if at_random else None,
            in_time_order=in_time_order,
            order=self._order(whole, notes) if data.split_order == "time" else None,
            units=self._units(keys, findings) if at_random else None,
        )
        if in_time_order and self.is_running_text:
            notes.append(
                "the text is split in its order; if each line is a text of its own, a name for "
                'instance, say --set split_order=random (split_order="random" in Python).'
            )
        notes += rows.notes
        return rows

    def _order(self, table: Table, notes: list[str]) -> NDArray[np.int64] | None:
        """Return the rows in the order of their dates; None for that of the file, and note it."""
        if table.spans is not None or self.is_running_text:
            return None
        others = {*self.data.ignore, *self.data.target}
        dates = [n for n in table.columns if n not in others and holds_times(table, n)]
        dates = [name for name in dates if not is_list(table.column(name).type)]
        if len(dates) != 1:
            which = f", because each of {listed(dates)} holds dates" if dates else ""
            if len(dates) == 2:
                which = f", because both {listed(dates)} hold dates"
            notes.append(f"rows are split in the order in which they stand{which}.")
            return None
        (name,) = dates
        _, options = kind_given(self.data, name, "input")
        written = options.get("time_format") or self.data.time_format
        try:
            order, missing = order_of_dates(table, name, written)
        except DataError as error:
            notes.append(f"rows are split in the order in which they stand: {error}")
            return None
        notes.append(f"rows are split in the order of {name}, the latest for the test.")
        if missing:
            notes.append(f"{counted(missing, 'row')} without a {name} come before all others.")
        return order

    def _units(self, keys: Keys | None, findings: list[Finding]) -> NDArray[np.int64] | None:
        """Number the different inputs of rows that are to stay in one part, and say so."""
        together = keys is not None and self.data.duplicates == "together"
        units = units_of(keys) if keys is not None and together else None
        if units is not None:
            said = "duplicates" in self.data.model_fields_set
            findings.append(finding_of_units(units, self.inputs, said=said))
        return units

    def _keys(self, train: Table, valid: Table | None, test: Table | None) -> dict[str, Keys]:
        """Return what the rows of each table read; none for a named set, whose split is its own."""
        given = {"train": train, "valid": valid, "test": test}
        tables = {
            part: table
            for part, table in given.items()
            if table is not None and set(self.inputs) <= set(table.columns)
        }
        if not self.inputs or self.data.name or "train" not in tables:
            return {}
        keys = keys_of(self.data, list(tables.values()), self.inputs)
        return {} if keys is None else dict(zip(tables, keys, strict=True))

    def _repeated_pictures(self, table: Table) -> str | None:
        """Name the input column if it holds paths of pictures, and some more than once.

        The captions of one picture must stay in one part.
        """
        if len(self.inputs) != 1 or self.inputs[0] not in table.columns:
            return None
        name = self.inputs[0]
        if not is_text(table.column(name).type):
            return None
        paths = list(table.column(name))
        pictured = all(isinstance(path, str) and path.lower().endswith(PICTURES) for path in paths)
        return name if pictured and len(set(paths)) < len(paths) else None

    def _stratum(self, table: Table) -> str | None:
        """Name the first target column that holds classes, to stratify the split by."""
        for name in self.data.target:
            if name not in table.columns or is_list(table.column(name).type):
                continue  # tags a step, or zeros and ones
            kind, _ = kind_given(self.data, name, "target")
            if kind is None:
                kind = infer(table, [name], as_target=True).kind
            if kind_class(kind).is_class:
                return name
        return None


def _overlaps(train: Keys, parts: Mapping[str, Keys]) -> list[str]:
    """Note how many validation and test rows have the input of a training row."""
    others = {PART_NAMES[part]: keys for part, keys in parts.items() if part != "train"}
    return notes_of_overlaps(train, others)


def _settings_of(table: Table) -> dict[str, Any]:
    """Return how the texts of times were written, by which those of later files are read."""
    written = time_format_of(table)
    return {"time_format": written} if written is not None and "%" in written else {}
