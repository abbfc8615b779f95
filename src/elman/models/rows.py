"""Rows from standard input, laid out as the training data of a model."""

from __future__ import annotations

from typing import IO

from elman.data.arrow import is_list
from elman.data.sources.standard_input import read_standard_input
from elman.data.table import Table
from elman.models.model import Model
from elman.tasks.layout import layout_of


def rows_from_standard_input(model: Model, stream: IO[bytes]) -> Table:
    """Read rows from a stream and lay them out as the model's training data was.

    A row that holds a whole sequence, a list in each column of the input, is laid out already.

    Raises:
        DataError: the stream is empty or malformed.
    """
    layout = layout_of(model.experiment.data)
    numeric = layout.numeric(model.task)
    table = read_standard_input(stream)
    columns = [name for name in model.task.input_columns if name in table.columns]
    if any(is_list(table.column(name).type) for name in columns):
        return layout.read_numbers(table, numeric)[0]
    return layout.read_like(table, numeric, with_targets=False)
