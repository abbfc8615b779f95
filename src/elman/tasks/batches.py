"""From the rows of a table to batches, as a task asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from elman.batches.batching import Batch, BucketedBatches, Example, Targets, chunks, next_step
from elman.batches.encoding import EncodedExamples, Ragged, encode
from elman.batches.forecast_windows import ForecastWindows, origins_between, training_origins
from elman.batches.streams import StreamBatches
from elman.batches.transposed import TransposedBatches
from elman.data.table import Table
from elman.errors import DataError
from elman.experiment.categories import WRITERS
from elman.experiment.training import TrainingSettings
from elman.tasks.alignment import unequal_steps
from elman.tasks.task import Task

STREAM_ROWS = 10
"""Rows that a stream of text is read in where it is measured, unless it is shorter than that."""


class OrderedBatches(NamedTuple):
    """Batches of rows of like length, and which row of the table each row is."""

    batches: BucketedBatches
    order: NDArray[np.int64]
    """Row of the table of every row of the batches, one batch after another."""


def training_batches(
    task: Task, table: Table, settings: TrainingSettings, seed: int, cache: Path | None = None
) -> BucketedBatches | StreamBatches | TransposedBatches | ForecastWindows:
    """Prepare the training part, as the settings ask for it.

    Args:
        task: what is asked.
        table: the training part.
        settings: `batch_size`, `chunk_length`, `carry_state`, `augment_transpose`.
        seed: of the order.
        cache: folder for what has been encoded; None to hold it in memory.
    """
    if task.forecasts:
        return _windows(task, table, settings.batch_size, seed=seed, training=True)
    if is_stream(task):
        length = settings.chunk_length or 100
        return StreamBatches(
            _stream(task, table), settings.batch_size, length, seed=seed, vary_cuts=True
        )
    if settings.augment_transpose:
        rolls = list(table.values(task.input_columns))

        def moved(some: Sequence[Any]) -> list[Example]:
            whole = [next_step(task.input.encode(roll)) for roll in some]
            return whole if settings.carry_state else chunks(whole, settings.chunk_length)

        return TransposedBatches(
            rolls, moved, settings.augment_transpose, batch_size=settings.batch_size, seed=seed
        )
    examples = _examples(task, table, cache)
    if settings.chunk_length and not settings.carry_state:
        examples = chunks(examples, settings.chunk_length)
    elif _is_recording(task, examples, settings):
        stream, targets = examples[0]
        return StreamBatches(
            stream,
            settings.batch_size,
            settings.chunk_length,
            targets=targets,
            seed=seed,
            vary_cuts=True,
        )
    return BucketedBatches(examples, settings.batch_size, seed=seed, **_shape(task))


def evaluation_batches(
    task: Task, table: Table, batch_size: int, cache: Path | None = None
) -> BucketedBatches | StreamBatches | ForecastWindows:
    """Prepare a part for evaluation: whole, untouched, always in the same order."""
    if task.forecasts:
        return _windows(task, table, batch_size)
    if is_stream(task):
        stream = _stream(task, table)
        return StreamBatches(stream, min(STREAM_ROWS, max(1, len(stream) - 1)), 200)
    examples = _examples(task, table, cache)
    return BucketedBatches(examples, batch_size, seed=0, shuffle=False, **_shape(task))


def input_batches(task: Task, table: Table, batch_size: int) -> tuple[Iterator[Batch], list[int]]:
    """Prepare rows without targets, of like length together.

    Returns:
        The batches; and the row of the table that each of their rows is, one after another.
    """
    encoded = list(_encoded(task, table, None))
    lengths = [len(x) if task.input.has_steps else 1 for x in encoded]
    order = sorted(range(len(encoded)), key=lengths.__getitem__)
    nothing = torch.zeros(())
    rows = [Example(encoded[row], nothing) for row in order]
    batches = BucketedBatches(
        rows, batch_size, seed=0, shuffle=False, has_steps=task.input.has_steps, targets="row"
    )
    return batches.epoch(0), order


def is_stream(task: Task) -> bool:
    """Tell whether rows follow each other as one text, in which every next element is asked for."""
    return task.predicts_next and bool(task.input.encoding.ids)


def _is_recording(task: Task, examples: Any, settings: TrainingSettings) -> bool:
    """Tell whether all there is to learn from is one row, long enough to be a batch of its own.

    As a text is, it is then cut into `batch_size` rows that are read side by side, for one row at
    a time would leave most of a processor idle.
    """
    long = settings.batch_size * settings.chunk_length
    one = len(examples) == 1 and targets_of(task) == "step"
    return one and 0 < long <= len(examples[0].input)


def targets_of(task: Task) -> Targets:
    """Say what has a target: every step, every row, or the target is a sequence of its own."""
    if task.category in WRITERS or task.objective["name"] == "ctc":
        return "sequence"
    return "step" if task.category == "many-to-many" else "row"


def _windows(
    task: Task, table: Table, batch_size: int, *, seed: int = 0, training: bool = False
) -> ForecastWindows:
    """Cut series into windows: those to learn from, or all whose horizon is in the part."""
    feature: Any = task.input
    series = encode_series(task, table)
    if training:
        origins = training_origins(feature, [len(each) for each in series])
    else:
        assert table.spans is not None, "the parts of a forecast have spans"
        origins = origins_between(table.spans.start, table.spans.stop - feature.horizon, 1)
    return ForecastWindows(
        series,
        origins,
        feature.layout,
        window=feature.window,
        horizon=feature.horizon,
        batch_size=batch_size,
        seed=seed,
        shuffle=training,
    )


def _shape(task: Task) -> dict[str, Any]:
    return {"has_steps": task.input.has_steps, "targets": targets_of(task)}


def _examples(task: Task, table: Table, cache: Path | None) -> Any:
    inputs = _encoded(task, table, cache)
    if task.predicts_next:
        _refuse_no_steps(task, table, inputs)
        return [next_step(x) for x in inputs]
    rows = range(len(table))
    targets = encode(table, rows, task.target_columns, task.target, cache=cache)
    if targets_of(task) == "step":
        _refuse_no_steps(task, table, inputs)
        for row in np.flatnonzero(inputs.lengths != targets.lengths):
            found = int(row), int(inputs.lengths[row]), int(targets.lengths[row])
            raise unequal_steps(table, found, task.input_columns, task.target_columns)
    return EncodedExamples(inputs, targets)


def _refuse_no_steps(task: Task, table: Table, inputs: Ragged) -> None:
    """Refuse, by its place, a row without a step to have a target."""
    for row in np.flatnonzero(inputs.lengths == 0):
        raise DataError(
            f"{table.where(int(row))}: {', '.join(task.input_columns)} has no steps, so there is "
            "nothing to answer. Fill it in or remove the row."
        )


def _encoded(task: Task, table: Table, cache: Path | None) -> Ragged:
    return encode(table, range(len(table)), task.input_columns, task.input, cache=cache)


def _stream(task: Task, table: Table) -> Tensor:
    """Join all rows to one stream, in their order."""
    return torch.cat([task.input.encode(value) for value in table.values(task.input_columns)])


def encode_series(task: Task, table: Table) -> list[Tensor]:
    """Encode the series of a table; the place of one that cannot be taken is said."""
    found = []
    for row, value in enumerate(table.values(task.input_columns)):
        try:
            found.append(task.input.encode(value))
        except DataError as error:
            raise DataError(f"the series that begins at {table.where(row)}: {error}") from error
    return found
