"""Rows with their answers: as a table, and as the bytes of CSV, JSON lines or Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

import numpy as np

from elman.data.arrow import is_list
from elman.data.sources.standard_input import read_standard_input
from elman.data.table import Table
from elman.errors import OptionError, counted
from elman.models.model import Model
from elman.prediction.written import Written, writes
from elman.tasks.parts import read_like


def rows_from_standard_input(model: Model, stream: IO[bytes]) -> Table:
    """Read rows from a stream and lay them out as the model's training data was.

    A row that holds a whole sequence, a list in each column of the input, is laid out already.

    Raises:
        DataError: the stream is empty or malformed.
    """
    table = read_standard_input(stream)
    columns = [name for name in model.task.input_columns if name in table.columns]
    if any(is_list(table.column(name).type) for name in columns):
        return table
    return read_like(model.experiment.data, table, answered=False)


def note_of_empty_rows(model: Model, table: Table) -> str | None:
    """Say which rows hold nothing to be read, a text without a word, say; None where none does.

    Args:
        model: that answers them all the same.
        table: with the columns of its input.
    """
    if not model.task.input.has_steps:
        return None
    columns = model.task.input_columns
    cells = zip(*(table.column(name) for name in columns), strict=True)
    empty = [row for row, read in enumerate(cells) if all(map(_is_empty, read))]
    if not empty:
        return None
    what, place = ", ".join(columns), table.where(empty[0])
    found = "answered all the same, from nothing read"
    if model.task.target.has_steps and not writes(model.task):
        found = "there is nothing to answer"
    if len(empty) == 1:
        return f"{place}: {what} is empty; {found}."
    return f"{what} is empty in {counted(len(empty), 'row')}, the first {place}; {found}."


def predicted_table(
    model: Model,
    source: Any,
    *,
    probabilities: bool = False,
    seed: int | None = None,
    decoding: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Answer rows and set the answers beside them.

    Args:
        model: trained.
        source: as for `Model.predict`.
        probabilities: whether every name's probability gets a column, `p(NAME)`; of a model that
            writes, the log-probability of each answer, `log p(TARGET)`.
        seed: of a model that writes, as for `Model.write`.
        decoding: likewise.

    Returns:
        Name of a column → its values: those of the source, then the answers, named after the
        target, or `predicted TARGET` where the source has such a column. The second best answer of
        a model that writes is `TARGET 2`, empty in a row that has none.

    Raises:
        OptionError: probabilities are asked of an objective that has none a row.
    """
    table = model.table(source, answered=False)
    columns: dict[str, Any] = {name: list(table.column(name)) for name in table.columns}
    name = ", ".join(model.task.target_columns)
    name = f"predicted {name}" if name in columns else name
    if writes(model.task):
        answers = model.write(table, seed=seed, **(decoding or {}))
        return columns | _written_columns(name, answers, probabilities=probabilities)
    if seed is not None or decoding:
        asked = "seed" if seed is not None else next(iter(decoding or {}))
        raise OptionError(
            f"{asked} is for a model that writes; this model's task is {model.task.sentence}."
        )
    found = model.answers(table)
    columns[name] = found.values
    if not probabilities:
        return columns
    names = getattr(model.task.target, "names", None)
    if found.probabilities is None or names is None or model.task.target.has_steps:
        raise OptionError(
            f"probabilities are given for classes and labels, one answer a row; this model's task "
            f"is {model.task.sentence}."
        )
    for index, each in enumerate(names):
        columns[f"p({each})"] = [float(row[index]) for row in found.probabilities]
    return columns


def _written_columns(
    name: str, answers: Sequence[Sequence[Written]], *, probabilities: bool
) -> dict[str, Any]:
    """Set answers, the best first, side by side, and how likely each is beside it."""
    columns: dict[str, Any] = {}
    for place in range(max(map(len, answers), default=1)):
        its = f"{name} {place + 1}" if place else name
        found = [row[place] if place < len(row) else None for row in answers]
        columns[its] = [each and each.value for each in found]
        if probabilities:
            columns[f"log p({its})"] = [each and each.log_probability for each in found]
    return columns


def _is_empty(cell: Any) -> bool:
    """Tell a cell without steps: a text of blanks, a list of nothing."""
    if isinstance(cell, str):
        return not cell.strip()
    return isinstance(cell, list | np.ndarray) and not len(cell)
