"""X as columns of a table: one column of sequences, or one column a feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from elman.data.sources.frames import frame_values, is_frame, is_series, series_values
from elman.data.table import Table
from elman.errors import DataError
from elman.features.checks import shown
from elman.features.inference import infer_kind
from elman.tasks.fitting import SAMPLE

SEQUENCES = "X"
"""Name of the column of sequences, if X is a list or an array of them."""

ROW_KINDS = frozenset({"number", "record"})
"""Kinds that read a row of a 2-D array."""

LEAST = 2
"""Minimum number of samples: one for training, one for validation."""


class Inputs(NamedTuple):
    """X as columns, with their kind."""

    columns: Mapping[str, Any]
    kind: str | None
    """As `data.input_kind`; None if it is to be inferred from the columns."""
    options: Mapping[str, Any]
    """As `data.input_options`."""


def without_wrapper(values: Any) -> Any:
    """Turn arrays of other libraries into NumPy's; lists and data frames stay as they are.

    Raises:
        DataError: X is a sparse matrix, or holds complex numbers.
    """
    if issparse(values):
        raise DataError(
            "a sparse matrix cannot be read, only dense numbers: pass X.toarray(). For text pass "
            "the strings themselves, not their counts."
        )
    if is_frame(values) or isinstance(values, list | tuple) or not hasattr(values, "__array__"):
        return values
    array = np.asarray(values)
    if array.dtype.kind == "c":
        raise DataError(
            "Complex data not supported: pass real and imaginary parts as separate numbers."
        )
    return array


def is_rows(values: Any, input_kind: str | None) -> bool:
    """Tell whether X is a table: an array with two axes, of a kind without steps."""
    two_axes = getattr(values, "ndim", None) == 2
    return two_axes and (input_kind is None or input_kind.partition(":")[0] in ROW_KINDS)


def frame_columns(frame: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the columns of a data frame under these names, in their order."""
    return dict(zip(names, frame_values(frame), strict=True))


def is_one_column(values: Any, names: Sequence[str]) -> bool:
    """Tell whether values are those of the only column that a model reads."""
    flat = isinstance(values, list | tuple) or getattr(values, "ndim", None) == 1
    return len(names) == 1 and (flat or is_series(values))


def column_values(series: Any, name: str) -> Any:
    """Check that a Series, or a list, can be the only column of a data frame.

    Args:
        series: values, one a sample.
        name: of the column in fit.

    Raises:
        DataError: the Series has another name, or the values are none.
    """
    other = getattr(series, "name", None)
    if is_series(series) and other not in (None, "", name):
        raise DataError(
            f"X was a data frame with the column {name!r} in fit, and is a Series named {other!r} "
            f"now; if they are the same, pass X.rename({name!r})."
        )
    return series_values(series) if is_series(series) else sequences(series, name)


def row_inputs(rows: Any, input_kind: str | None) -> Inputs:
    """Name the columns of a 2-D array x0, x1 and so on; they are numbers by default."""
    columns = row_columns(rows, [f"x{place}" for place in range(rows.shape[1])])
    return Inputs(columns, input_kind or "number", {})


def row_columns(rows: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the columns of a 2-D array under these names."""
    return {name: rows[:, place] for place, name in enumerate(names)}


def sequence_inputs(values: Any, input_kind: str | None) -> Inputs:
    """Take each element of X as a sequence, and infer the kind of the sequences.

    Raises:
        DataError: an element is no sequence, or elements are of different types.
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
        name: X or y, for error messages.
        least: minimum number of samples.

    Raises:
        DataError: there are too few samples, or one is no sequence.
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
                hint = f" If each sample is one number, pass two axes: {name}.reshape(-1, 1)."
            raise DataError(
                f"{name} must hold one sequence a sample (a string, a list or an array), but "
                f"sample {row} is {shown(value)}.{hint}"
            )
    return values


def _kind_of(values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """Infer the kind of sequences; what looks like a category or a picture is a sequence here."""
    inferred = infer_kind(values, name=SEQUENCES)
    if inferred.kind in {"category", "number"}:
        one_word = sum(len(text.split()) for text in values) < 1.5 * len(values)
        return "text", {"level": "character"} if one_word else {}
    if inferred.kind in {"image", "roll"} and _is_over_time(values[0]):
        return "series", {}
    return inferred.kind, dict(inferred.options)


def _is_over_time(value: Any) -> bool:
    """Tell whether a value is numbers, or rows of numbers, over time."""
    return isinstance(value, list | np.ndarray) and np.ndim(value) == 2
