"""Columns whose roles follow from files and their names, where no settings say them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from elman.data.arrow import is_text
from elman.data.sources import files_of
from elman.data.sources.parts import SPLIT
from elman.data.sources.sequence_files import FILE
from elman.data.splits import PART_OF
from elman.data.table import Table
from elman.experiment.data import DataSpec


def columns_of_files(data: DataSpec, source: Any) -> dict[str, Any]:
    """Return the settings of files that are a sequence each; none where they are rows.

    They are sequences where the id of the file is asked for, where labels are given to whole files,
    and where rows are steps, there are several files and no sequence id is given.

    Args:
        data: the settings that were given.
        source: files, or values in Python.
    """
    if data.join_files or data.sequence_id not in (None, FILE):
        return {}
    number, labels, listed = files_of(source, data.format)
    labelled = labels is not None and (listed or not set(data.target).isdisjoint(labels))
    steps = bool(data.window or data.horizon or data.time)
    if data.sequence_id is None and not labelled and not (steps and number > 1):
        return {}
    if labels is None or data.horizon or data.per_sequence is not None:
        return {"sequence_id": FILE}
    return {"sequence_id": FILE, "per_sequence": [name for name in labels if name != FILE]}


def split_column_of(data: DataSpec, table: Table) -> str | None:
    """Name the column of parts: that of the settings, or one named `split` of such names.

    The latter counts where the settings say nothing else of the split, and do not name it.
    """
    said = (data.group, data.split_order, *data.valid_files, *data.test_files)
    if data.split_column is not None or any(said) or SPLIT not in table.columns:
        return data.split_column
    if SPLIT in (*data.input, *data.target) or not is_text(table.column(SPLIT).type):
        return None
    parts = {PART_OF.get(str(name).strip().lower()) for name in set(table.column(SPLIT))}
    return SPLIT if "train" in parts and None not in parts else None


def names_of_files(data: DataSpec, table: Table) -> list[str]:
    """Return the columns that name the file of each sequence, as a table of labels has one."""
    if data.sequence_id != FILE or FILE not in table.columns:
        return []
    stems = [Path(str(file)).stem for file in table.column(FILE)]
    texts = [n for n in table.columns if n != FILE and is_text(table.column(n).type)]
    return [n for n in texts if [Path(str(cell)).stem for cell in table.column(n)] == stems]
