"""What scikit-learn calls X, as columns of a table: a sequence a sample, or a row of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from elman.data.sources import read_table
from elman.data.table import Table
from elman.errors import DataError
from elman.features.checks import shown
from elman.features.inference import infer_kind
from elman.tasks.fitting import SAMPLE

SEQUENCES = "X"
"""Column that holds the sequences, where X is not several columns."""

ROW_KINDS = frozenset({"number", "record"})
"""Kinds whose value is a row of a 2-D array."""

LEAST = 2
"""Samples to learn from: one to learn, one to select weights by."""


class Inputs(NamedTuple):
    """X as columns, and what they are."""

    columns: Mapping[str, Any]
    kind: str | None
    """As `data.input_kind`; None where the columns tell it themselves."""
    options: Mapping[str, Any]
    """As `data.input_options`."""


def without_wrapper(values: Any) -> Any:
    """Return arrays of any library as NumPy's; lists and data frames as given.

    Raises:
        DataError: it is a sparse matrix, or holds complex numbers.
    """
    if issparse(values):
        raise DataError(
            "a sparse matrix cannot be read, only dense numbers: give X.toarray(). For text give "
            "the strings themselves, not their counts."
        )
    if is_frame(values) or isinstance(values, list | tuple) or not hasattr(values, "__array__"):
        return values
    array = np.asarray(values)
    if array.dtype.kind == "c":
        raise DataError(
            "Complex data not supported: give real and imaginary parts as numbers of their own."
        )
    return array


def is_frame(values: Any) -> bool:
    """Tell whether values are a data frame of pandas, which is not imported for that."""
    return hasattr(values, "iloc") and hasattr(values, "columns")


def is_rows(values: Any, input_kind: str | None) -> bool:
    """Tell whether X is rows of cells: with two axes, and of no kind that has steps."""
    two_axes = getattr(values, "ndim", None) == 2
    return two_axes and (input_kind is None or input_kind.partition(":")[0] in ROW_KINDS)


def frame_columns(frame: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the columns of a data frame under the names given, in their order."""
    table = read_table(frame.set_axis(list(names), axis=1))
    return {name: table.data.column(name) for name in table.columns}


def row_inputs(rows: Any, input_kind: str | None) -> Inputs:
    """Take each column of a 2-D array as a number, named x0, x1 and so on."""
    columns = row_columns(rows, [f"x{place}" for place in range(rows.shape[1])])
    return Inputs(columns, input_kind or "number", {})


def row_columns(rows: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the columns of a 2-D array under the names given."""
    return {name: rows[:, place] for place, name in enumerate(names)}


def sequence_inputs(values: Any, input_kind: str | None) -> Inputs:
    """Take each element as a sequence; see what it is a sequence of.

    Raises:
        DataError: an element is no sequence, or they are of unlike types.
    """
    columns = {SEQUENCES: sequences(values, SEQUENCES, least=LEAST)}
    if input_kind is not None:
        return Inputs(columns, input_kind, {})
    table = Table.from_columns(columns, origin="X")
    return Inputs(columns, *_kind_of(list(islice(table.column(SEQUENCES), SAMPLE))))


def sequences(values: Any, name: str, *, least: int = 1) -> Any:
    """Check that values are sequences, one a sample.

    Args:
        values: a list, or an array whose first axis is the samples.
        name: X or y, for the errors.
        least: so many samples must be there.

    Raises:
        DataError: they are not, or too few.
    """
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
        raise DataError(
            f"{name} must be a list of sequences or an array, one sequence a sample, got "
            f"{shown(values)}."
        )
    if len(values) < least:
        raise DataError(
            f"{name} must have at least {least} samples, got n_samples = {len(values)}."
        )
    for row, value in enumerate(values):
        if not isinstance(value, str | bytes) and not hasattr(value, "__len__"):
            hint = ""
            if isinstance(value, int | float | np.number):
                hint = f" For samples of one number each give two axes, {name}.reshape(-1, 1)."
            raise DataError(
                f"{name} must hold a sequence a sample, a string, a list or an array, and sample "
                f"{row} is {shown(value)}.{hint}"
            )
    return values


def _kind_of(values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """See what sequences are made of; what might be a name or a picture is a sequence here."""
    found = infer_kind(values, name=SEQUENCES)
    if found.kind in {"category", "number"}:
        one_word = sum(len(text.split()) for text in values) < 1.5 * len(values)
        return "text", {"level": "character"} if one_word else {}
    if found.kind in {"image", "roll"} and _is_over_time(values[0]):
        return "series", {}
    return found.kind, dict(found.options)


def _is_over_time(value: Any) -> bool:
    """Tell whether a value is numbers, or rows of numbers, over time."""
    return isinstance(value, list | np.ndarray) and np.ndim(value) == 2
