"""The parts of the data: what a network learns from, is selected by, and is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from elman.data import catalog
from elman.data.arrow import is_list, is_text
from elman.data.line_ends import with_line_ends
from elman.data.sequences import to_sequences, windows
from elman.data.sources import read_table
from elman.data.splits import split
from elman.data.table import Table
from elman.errors import DataError, ExperimentError, counted
from elman.experiment.data import DataSpec
from elman.features.build import parse_kind
from elman.features.guesses import PICTURES
from elman.features.inference import infer_kind
from elman.tasks.columns import AFTER, choose_columns
from elman.tasks.fitting import sample
from elman.tasks.series_parts import read_series, read_series_parts


class Parts(NamedTuple):
    """Tables of the same columns, no row in two of them."""

    train: Table
    valid: Table
    test: Table | None
    """None where nothing was kept for it."""
    notes: list[str]
    """What was assumed while reading and dividing, a sentence each."""


def read_parts(data: DataSpec, seed: int, source: Any = None) -> Parts:
    """Read what an experiment names and divide it.

    Args:
        data: what to read, and how to divide it.
        seed: of a random division.
        source: values handed over in Python, in place of a name and files.

    Raises:
        DataError: a file cannot be read, or there is too little to divide.
        ExperimentError: nothing is named, or the settings contradict each other.
    """
    if data.horizon:
        parts = Parts(*read_series_parts(data, source))
    elif data.name is not None:
        parts = _named(data, data.name, seed)
    else:
        whole = _read(data, source)
        valid, test = (_extra(data, files) for files in (data.valid_files, data.test_files))
        parts = _divide(data, seed, whole, valid, test)
    if data.max_rows and data.max_rows < len(parts.train):
        chosen = np.arange(data.max_rows)
        if not _is_running_text(data, parts.train):
            random = np.random.default_rng([seed, 2])
            chosen = np.sort(random.choice(len(parts.train), data.max_rows, False))
        parts = parts._replace(train=parts.train.select(chosen))
    return parts


def with_known_columns(data: DataSpec) -> DataSpec:
    """Fill in the columns that a named data set is known for, where none is given."""
    if data.name is None or data.input or data.target:
        return data
    known = catalog.find(data.name)
    if data.horizon:
        return data.model_copy(update={"target": list(known.input), "time": "time"})
    found: dict[str, Any] = {"input": list(known.input), "target": [known.target]}
    if data.name in catalog.ROLL_SETS:
        found["input_kind"] = "roll"
    return data.model_copy(update=found)


def read_like(data: DataSpec, source: Any, *, answered: bool = True) -> Table:
    """Read rows laid out as the training data was: for prediction or another test.

    Args:
        data: how the training data was laid out.
        source: a path, or values in Python.
        answered: whether of a long series only windows with a value after them are wanted.
    """
    if data.horizon:
        return read_series(data, source)
    as_text = answered and _asks_for_running_text(data)
    table = read_table(source, format=data.format, running_text=as_text)
    known = data.per_sequence
    if known is not None:  # the target, say, need not be there
        known = [name for name in known if name in table.columns]
    layout = data.model_copy(update={"per_sequence": known})
    laid_out = _laid_out(layout, table, answered=answered)
    return _as_lines(data, laid_out) if answered else laid_out


def single_columns(data: DataSpec, table: Table) -> list[str] | None:
    """List the columns that say one thing a sequence; None where nothing is put into sequences.

    Rows that are read later are laid out by it: in a few sequences, a column may be constant by
    chance.

    Args:
        data: how the table was laid out.
        table: the training part.
    """
    if data.sequence_id is None or data.horizon:
        return None
    return [
        name
        for name in table.columns
        if name != data.sequence_id and not name.startswith(AFTER)
        if not is_list(table.column(name).type)
    ]


def _read(data: DataSpec, source: Any) -> Table:
    if source is None and not data.files:
        raise ExperimentError(
            "there is nothing to learn from: give data.files, or data.name of a named data set. "
            "A run on values in memory is repeated by handing them over again."
        )
    table = read_table(
        data.files if source is None else source,
        format=data.format,
        running_text=_asks_for_running_text(data),
    )
    return _as_lines(data, _laid_out(data, table))


def _extra(data: DataSpec, files: Sequence[str]) -> Table | None:
    return read_like(data, list(files)) if files else None


def _laid_out(data: DataSpec, table: Table, *, answered: bool = True) -> Table:
    """Turn a long table into one of sequences, and a long sequence into windows."""
    if data.sequence_id or (data.time and not data.predicts_next):
        single = data.per_sequence
        table = to_sequences(
            table, sequence_id=data.sequence_id, time=data.time, per_sequence=single
        )
    if data.window:
        table = windows(table, length=data.window, with_target=answered)
    return table


def _as_lines(data: DataSpec, table: Table) -> Table:
    """Let each text of which the next element is asked for be a line, so that none runs on."""
    if not data.predicts_next or table.spans is not None:
        return table
    (name, *others), _ = choose_columns(data, table)
    if others or not is_text(table.column(name).type):
        return table
    if data.input_kind is None:
        kind = infer_kind(list(sample(table).column(name)), name=name, next_step=True).kind
    else:
        kind, _ = parse_kind(data.input_kind)
    return with_line_ends(table, name) if kind == "text" else table


def _asks_for_running_text(data: DataSpec) -> bool:
    """Tell whether a file of plain text is one text.

    It is not where something is said that only columns, or lines that are texts of their own, have.
    """
    of_columns = (data.sequence_id, data.time, data.group, data.split_column)
    kind = "text" if data.input_kind is None else parse_kind(data.input_kind)[0]
    is_text = kind == "text" and data.input in ([], ["text"])
    in_order = data.split_order != "random"
    return data.predicts_next and is_text and in_order and not any(of_columns)


def _is_running_text(data: DataSpec, table: Table) -> bool:
    """Tell whether the rows are pieces of one text, not windows of a series."""
    return data.predicts_next and table.spans is not None


def _named(data: DataSpec, name: str, seed: int) -> Parts:
    """Take the official parts of a named data set; make those that it lacks."""
    tables = {part: _laid_out(data, table) for part, table in catalog.tables(name).items()}
    if set(tables) <= {"train", "test"} and "train" in tables:
        return _divide(data, seed, tables["train"], None, tables.get("test"))
    return Parts(tables["train"], tables["valid"], tables.get("test"), [])


def _divide(
    data: DataSpec, seed: int, whole: Table, valid: Table | None, test: Table | None
) -> Parts:
    """Divide a table, but for the parts that are given."""
    notes = [note for table in (whole, valid, test) if table is not None for note in table.notes]
    if valid is not None and test is not None:
        return Parts(whole, valid, test, notes)
    if valid is None and _is_one_sequence(data, whole):
        raise ExperimentError(
            f"the time {data.time!r} makes one sequence of all rows of {whole.source}, too few to "
            "learn from some and to select by others. Say --window N (data.window) to answer what "
            "comes after each N steps, --horizon N (data.horizon) to forecast N steps, or "
            "--sequence-id COLUMN (data.sequence_id) if the rows belong to several sequences."
        )
    group = data.group or (None if data.split_column else _repeated_pictures(data, whole))
    if group != data.group:
        notes.append(f"rows of one {group} stay together, in one part.")
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
        stratify=None if in_time_order or by_column else _stratum(data, whole),
        in_time_order=in_time_order,
    )
    train = whole.select(rows.train)
    if valid is None:
        valid = whole.select(rows.valid)
    if test is None and len(rows.test):
        test = whole.select(rows.test)
    if in_time_order and _is_running_text(data, whole):
        notes.append(
            "the text is divided in its order; if each line is a text of its own, a name for "
            'instance, say --set split_order=random (split_order="random" in Python).'
        )
    if not len(train) or not len(valid):
        raise DataError(
            f"{whole.source} has {counted(len(whole), 'row')}, too few to learn from some and to "
            "select by others. Bring more, or give data.valid_files (--valid on the command line)."
        )
    return Parts(train, valid, test, [*notes, *rows.notes])


def _is_one_sequence(data: DataSpec, table: Table) -> bool:
    """Tell whether all rows became the steps of one sequence, for nothing tells them apart."""
    in_one = data.time and not data.sequence_id and not data.predicts_next
    return bool(in_one) and len(table) == 1


def _repeated_pictures(data: DataSpec, table: Table) -> str | None:
    """Name the input's column where it holds paths of pictures, and some more than once.

    What is said of one picture, its captions, must not come to lie in several parts.
    """
    inputs = data.input or [name for name in table.columns if name not in data.target]
    if len(inputs) != 1 or inputs[0] not in table.columns:
        return None
    if not is_text(table.column(inputs[0]).type):
        return None
    paths = list(table.column(inputs[0]))
    pictured = all(isinstance(path, str) and path.lower().endswith(PICTURES) for path in paths)
    return inputs[0] if pictured and len(set(paths)) < len(paths) else None


def _stratum(data: DataSpec, table: Table) -> str | None:
    """Name the target's column where it holds classes, whose shares every part should have."""
    if len(data.target) != 1 or data.target[0] not in table.columns:
        return None
    name = data.target[0]
    kind = data.target_kind
    if kind is None:
        kind = infer_kind(list(sample(table).column(name)), name=name, as_target=True).kind
    return name if kind == "category" else None
