"""Which rows a trained model is measured on: a part of the data it was trained on, or others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from elman.data.splits import PART_NAMES, PARTS
from elman.data.table import Table
from elman.errors import DataError, OptionError, unknown
from elman.models.digests import digest_of_part, digests_of
from elman.models.trained_on import parts_in_files
from elman.tasks.folds import pooled
from elman.tasks.layout import layout_of

if TYPE_CHECKING:
    from elman.models.model import Model


class MeasuredRows(NamedTuple):
    """Rows with their targets."""

    table: Table
    training: Table | None
    """The training rows, by which the errors of a forecast are scaled; None beside other rows."""
    notes: list[str]
    """That a part is no longer what it was at training."""


def measured_rows(model: Model, data: Any) -> MeasuredRows:
    """Return the rows that a model is to be measured on.

    Args:
        model: trained.
        data: as for `Model.evaluate`.

    Raises:
        OptionError: there is no such part.
        DataError: the data cannot be read, or a part drawn from it has changed since training.
    """
    named = isinstance(data, str) and data in PARTS
    is_no_path = isinstance(data, str) and not (Path(data).suffix or Path(data).exists())
    if not named and is_no_path:
        raise unknown("split", data, PARTS)
    if not named:
        return MeasuredRows(model.table(data), None, [])
    parts = layout_of(model.experiment.data).parts(model.experiment.seed)
    parts = pooled(parts, model.task, model.experiment)
    part: Table | None = getattr(parts, data)
    if part is None:
        here = f"{len(parts.train):,} train and {len(parts.valid):,} valid"
        raise OptionError(
            f"there are no {data} rows: data.test_fraction is 0. There are {here} "
            f"{model.task.rows_name}; or give a file."
        )
    return MeasuredRows(part, parts.train, _changes(model, data, part))


def _changes(model: Model, part: str, table: Table) -> list[str]:
    """Say that a part given in files of its own has changed since training.

    Raises:
        DataError: a part drawn from the data has changed: it may hold training rows.
    """
    if model.trained_on is None:
        return []
    task, record = model.task, model.trained_on.record
    digests = digests_of(task, table, whole=part == "train")
    if record.digests.get(part) == digest_of_part(digests):
        return []
    before = record.rows.get(part, 0)
    change = f"{before:,} {PART_NAMES[part]} {task.rows_name} then, {len(table):,} now"
    if before == len(table):
        change = f"the {before:,} {PART_NAMES[part]} {task.rows_name} are others"
    if part in parts_in_files(model.experiment.data):
        return [f"the data is no longer what it was at training: {change}."]
    raise DataError(
        f"{table.source} is no longer what this model was trained on ({change}), so these may "
        "hold rows that it was trained on. Restore the data, or evaluate on a file: elman "
        "evaluate RUN FILE."
    )
