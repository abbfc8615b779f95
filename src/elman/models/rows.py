"""Rows with their predictions, as a table; rows from standard input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

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
    table = read_standard_input(stream)
    columns = [name for name in model.task.input_columns if name in table.columns]
    if any(is_list(table.column(name).type) for name in columns):
        return table
    return layout_of(model.experiment.data).read_like(table, with_targets=False)


def predicted_table(
    model: Model,
    source: Any,
    *,
    probabilities: bool = False,
    seed: int | None = None,
    decoding: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Predict rows and return them with their predictions.

    Args:
        model: trained.
        source: as for `Model.predict`.
        probabilities: see `prediction.predictor.Predictor.columns`, as for the rest.
        seed: of sampling.
        decoding: options of decoding.

    Raises:
        OptionError: probabilities are requested of an objective that has none per row, or an
            option has no meaning for this model.
    """
    table = model.table(source, with_targets=False)
    return model.predictor.columns(table, probabilities=probabilities, seed=seed, decoding=decoding)
