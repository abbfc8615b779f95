"""What a model was trained on: how many rows, digests of them, and notes that follow from these.

Kept in the directory of a run from its beginning, and with the model:

```
runs/NAME/data.json             rows and digests of the parts, digest of the features
         /model/model.json      the same, under `data`
         /model/rows.safetensors   a digest of 8 bytes of each training row, at most 2²⁰: 8 MiB
```
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from elman.data.splits import PART_NAMES
from elman.data.table import Table
from elman.errors import CheckpointError, counted
from elman.experiment.data import DataSpec
from elman.files import read_json
from elman.models.digests import Digests, digest_of_features, digest_of_part, digests_of
from elman.tasks.dividing import Parts
from elman.tasks.folds import HELD_OUT
from elman.tasks.forecast import ForecastTask
from elman.tasks.task import Task
from elman.training.checkpoint import load_checkpoint, save_checkpoint

MOST_DIGESTS = 2**20
"""Digests that are kept; of more rows, those with the smallest, which are a random sample."""


class DataRecord(BaseModel):
    """The data of a run, in short.

    Attributes:
        columns: names of all columns of the training rows.
        rows: part → number of its rows.
        digests: part → digest of its rows, in their order.
        features: digest of what the features have learned.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    columns: list[str]
    rows: dict[str, int]
    digests: dict[str, str]
    features: str

    @classmethod
    def read(cls, path: Path) -> DataRecord | None:
        """Read the record of a run; None if there is none, as in runs of earlier versions.

        Raises:
            CheckpointError: the file is no such record.
        """
        return cls.of(read_json(path), path) if path.is_file() else None

    @classmethod
    def of(cls, values: Any, path: Path) -> DataRecord:
        """Make a record of what a file holds.

        Raises:
            CheckpointError: it is no such record; `path` is named.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise CheckpointError(
                f"{path} does not describe the data of a run: {error}."
            ) from error

    def difference(self, now: DataRecord) -> str:
        """Say how the rows or the columns of other data differ from these; `""` if in nothing."""
        changed = [
            PART_NAMES[part]
            for part in PART_NAMES
            if self.digests.get(part) != now.digests.get(part)
        ]
        if not changed:
            return ""
        before, after = sum(self.rows.values()), sum(now.rows.values())
        count = f"{before:,} rows then, {after:,} now"
        if before == after:
            count = f"{before:,} rows, as many as then"
        *others, last = changed
        listed = f"{', '.join(others)} and {last}" if others else last
        return f"{count}; other {listed} rows"


class TrainedOn(NamedTuple):
    """The data that a model was trained on."""

    record: DataRecord
    digests: Digests
    """Of training rows, ascending; in a forecast, of training steps."""
    complete: bool
    """Whether all training rows are among them."""

    @classmethod
    def of(cls, task: Task, parts: Parts) -> TrainedOn:
        """Compute the digests of all parts."""
        named = {"train": parts.train, "valid": parts.valid, "test": parts.test}
        present = {part: table for part, table in named.items() if table is not None}
        digests = {
            part: digests_of(task, table, whole=part == "train") for part, table in present.items()
        }
        record = DataRecord(
            columns=parts.train.columns,
            rows={part: len(table) for part, table in present.items()},
            digests={part: digest_of_part(each) for part, each in digests.items()},
            features=digest_of_features(task),
        )
        known = np.unique(digests["train"])
        known = known[known > 0]
        return cls(record, known[:MOST_DIGESTS], len(known) <= MOST_DIGESTS)

    def save(self, path: Path) -> None:
        """Write the digests of the rows."""
        rows = torch.from_numpy(self.digests.view(np.int64).copy())
        save_checkpoint(path, {"rows": rows}, {"complete": self.complete})

    @classmethod
    def load(cls, record: DataRecord, path: Path) -> TrainedOn:
        """Read what `save` wrote.

        Raises:
            CheckpointError: the file is missing or corrupt.
        """
        tensors, facts, _ = load_checkpoint(path)
        try:
            return cls(record, tensors["rows"].numpy().view(np.uint64), bool(facts["complete"]))
        except KeyError as error:
            raise CheckpointError(f"{path} holds no digests of rows: it lacks {error}.") from error

    def note_on(self, task: Task, table: Table, what: str = "") -> list[str]:
        """Say how many rows of a table are training rows; nothing if none is.

        Args:
            task: whose columns are compared.
            table: with the columns of input and target.
            what: what the rows are, before their number's noun: `test`.
        """
        digests = digests_of(task, table)
        checked = digests
        if not self.complete:
            checked = digests[(digests > 0) & (digests <= self.digests[-1])]
        found = int(np.isin(checked, self.digests).sum())
        if not found:
            return []
        unit = "time step" if isinstance(task, ForecastTask) else "row"
        noun = f"{what} {unit}".strip()
        if not self.complete:
            share = f"about {found / len(checked):.0%} of {counted(len(digests), noun)}"
        else:
            share = f"{found:,} of {counted(len(digests), noun)}"
        one = found == 1 and self.complete
        be = f"is a training {unit}" if one else f"are training {unit}s"
        return [
            f"{share} {be} of this model; scores on what it was trained on say little of what is "
            "new to it."
        ]


def parts_in_files(data: DataSpec) -> set[str]:
    """Name the parts that have files of their own, beside those of the training rows."""
    files = {"valid": data.valid_files, "test": data.test_files}
    return {part for part, given in files.items() if given}


def notes_of_given_parts(
    data: DataSpec, task: Task, parts: Parts, trained_on: TrainedOn
) -> list[str]:
    """Say how many validation and test rows are training rows too, where they were given.

    Args:
        data: says which parts were given, in files or by a column, and not drawn.
        task: whose columns are compared.
        parts: of the data.
        trained_on: digests of the training rows.
    """
    given = {"valid", "test"} if data.split_column else parts_in_files(data)
    if HELD_OUT in parts.valid.columns:  # every validation row is a training row of other networks
        given -= {"valid"}
    tables = {"valid": parts.valid, "test": parts.test}
    return [
        note
        for part, table in tables.items()
        if table is not None and part in given
        for note in trained_on.note_on(task, table, PART_NAMES[part])
    ]
