"""Examples of what a model predicts, chosen to suit its task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import singledispatch
from typing import Any

import numpy as np

from elman.data.catalog import ROLL_SETS
from elman.data.table import Table
from elman.features.mixture import MixtureFeature
from elman.features.parts import Part
from elman.models.model import Model
from elman.prediction.predictor import Predictions
from elman.report.facts.inputs import shown_input
from elman.report.facts.weighing import note_of_weights, weights_of_tokens
from elman.report.facts.writing import written_examples
from elman.report.run.facts import (
    Bands,
    GeneratedRoll,
    GeneratedText,
    Mistake,
    PredictedNumbers,
    PredictedSeries,
    TaggedSentence,
    WeighedText,
)
from elman.tasks.next_frame import NextFrameTask
from elman.tasks.next_step import NextStepTask
from elman.tasks.writing import WritingTask

MISTAKES = 12
EXAMPLES = 6
LONGEST = 60
"""Maximum number of words of an example; of a longer text the end is shown."""
STEPS_SHOWN = 2_000
FRAMES = 96
"""Frames of a piece of music."""
_IN_ORDER = "The value after each window, in the order of time"


def examples_of(model: Model, table: Table) -> dict[str, Any]:
    """Choose examples that suit the task: mistakes, tags, series, texts, music."""
    return _chosen(model.task, model, table)


@singledispatch
def _chosen(task: Any, model: Model, table: Table) -> dict[str, Any]:
    """Choose for a task that predicts one target per row or per step."""
    predictions = model.predictor.predict(table)
    target = task.target
    truths = [target.decode(target.encode(v)) for v in table.values(task.target_columns)]
    if task.targets == "sequence":
        return {"wrong": _mistakes(model, table, predictions._replace(probabilities=None), truths)}
    if task.targets == "row":
        if target.predicts_names:
            return _names(model, table, predictions, truths)
        return _numbers(table, predictions, truths)
    if not target.predicts_names:
        return {"series": _series(table, predictions, truths)}
    if task.input.writable:
        return {"sentences": _sentences(model, table, predictions, truths)}
    return {"bands": _bands(table, predictions, truths)}


@_chosen.register
def _(task: NextStepTask, model: Model, table: Table) -> dict[str, Any]:
    del task, table
    if model.sees_the_future:
        return {}
    texts = []
    for temperature in (0.5, 0.8, 1.0):
        sampled = model.generate(400, seed=1, temperature=temperature)
        text = sampled if isinstance(sampled, str) else " ".join(map(str, sampled))
        texts.append(GeneratedText(text, how=f"temperature {temperature}, seed 1"))
    return {"texts": texts}


@_chosen.register
def _(task: NextFrameTask, model: Model, table: Table) -> dict[str, Any]:
    """Compose two pieces, and take a real one to compare them with."""
    if model.sees_the_future:
        return {}
    roll_set = ROLL_SETS.get(model.experiment.data.name or "")
    beat = roll_set.frames_per_beat if roll_set else 1
    real = next(iter(table.values(task.input_columns)))
    composed = [
        GeneratedRoll(f"Composed, seed {seed}", model.generate(FRAMES, seed=seed), beat)
        for seed in (1, 2)
    ]
    return {"rolls": [GeneratedRoll("A real piece", np.asarray(real)[:FRAMES], beat), *composed]}


@_chosen.register
def _(task: WritingTask, model: Model, table: Table) -> dict[str, Any]:
    del task
    return written_examples(model, table)


def _names(
    model: Model, table: Table, predictions: Predictions, truths: Sequence[Any]
) -> dict[str, Any]:
    """Show mistakes, and for the classes of texts what each word contributed."""
    shown: dict[str, Any] = {"wrong": _mistakes(model, table, predictions, truths)}
    source = _read_text(model)
    if source.feature.writable and not source.feature.parts and model.task.target.is_class:
        shown["weighed"] = _weighed(model, source, table, predictions, truths)
        shown["weights_note"] = note_of_weights(source.feature)
        if model.task.input.parts:
            shown["weights_note"] += f" Here are those of {source.name}."
    return shown


def _read_text(model: Model) -> Part:
    """Return what a model reads, or its main sequence where it reads several columns."""
    task = model.task
    if isinstance(task.input, MixtureFeature):
        main: Part = task.input.parts[0]
        return main
    return Part(task.input_columns, task.input)


def _numbers(table: Table, predictions: Predictions, truths: Sequence[Any]) -> dict[str, Any]:
    """Show predicted beside true numbers; for one long series, also in the order of time."""
    flat = [np.ravel(np.asarray(each, dtype=float))[0] for each in (*truths, *predictions.values)]
    half = len(truths)
    pairs = np.array(flat[:half]), np.array(flat[half:])
    series = [PredictedSeries(_IN_ORDER, *pairs)] if _is_one_series(table) else []
    return {"numbers": PredictedNumbers(*pairs), "series": series}


def _is_one_series(table: Table) -> bool:
    """Tell whether the rows are windows of one long series, in the order of time."""
    return table.spans is not None and len(np.unique(table.spans.sequence)) == 1


def _mistakes(
    model: Model, table: Table, predictions: Predictions, truths: Sequence[Any]
) -> list[Mistake]:
    """List mistakes, the most confident first."""
    wrong = [row for row, truth in enumerate(truths) if predictions.values[row] != truth]
    confidence = {row: _confidence(predictions, row) for row in wrong}
    wrong.sort(key=lambda row: -(confidence[row] or 0.0))
    cells = list(table.values(model.task.input_columns))
    return [
        Mistake(
            shown_input(model.task, cells[row]),
            _words(truths[row]),
            _words(predictions.values[row]),
            confidence[row],
            table.where(row),
        )
        for row in wrong[:MISTAKES]
    ]


def _confidence(predictions: Predictions, row: int) -> float | None:
    if predictions.probabilities is None:
        return None
    return float(predictions.probabilities[row].max())


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _weighed(
    model: Model, source: Part, table: Table, predictions: Predictions, truths: Sequence[Any]
) -> list[WeighedText]:
    """Attribute predictions to the words of some texts, correct ones first, then wrong ones."""
    right = [row for row, truth in enumerate(truths) if predictions.values[row] == truth]
    wrong = [row for row, truth in enumerate(truths) if predictions.values[row] != truth]
    chosen = (right[: EXAMPLES // 2] + wrong[: EXAMPLES // 2])[:EXAMPLES]
    feature: Any = source.feature
    by_character = feature.spelled
    cells = list(table.values(source.columns))
    shown = []
    for row in chosen:
        encoded = source.encode(cells[row])
        if not len(encoded):
            continue
        weights = weights_of_tokens(model, table, row, len(encoded))
        words = [feature.decode(encoded[step : step + 1]) for step in range(len(encoded))]
        names = [word if isinstance(word, str) else _words(word) for word in words]
        shown.append(
            WeighedText(
                [name or "·" for name in names][-LONGEST:],
                weights[-LONGEST:],
                _words(truths[row]),
                _words(predictions.values[row]),
                _confidence(predictions, row),
                table.where(row),
                "" if by_character else " ",
            )
        )
    return shown


def _sentences(
    model: Model, table: Table, predictions: Predictions, truths: Sequence[Any]
) -> list[TaggedSentence]:
    """Choose sentences with wrong tags, those with the most first."""
    source = model.task.input
    columns = source.parts[0].columns if source.parts else model.task.input_columns
    cells = list(table.values(columns))
    counted = []
    for row, truth in enumerate(truths):
        words = cells[row].split() if isinstance(cells[row], str) else list(cells[row])
        wrong = sum(a != b for a, b in zip(truth, predictions.values[row], strict=True))
        if wrong and len(words) == len(truth) <= LONGEST:
            counted.append((-wrong, row, words))
    counted.sort()
    return [
        TaggedSentence(
            [str(word) for word in words],
            [str(tag) for tag in truths[row]],
            [str(tag) for tag in predictions.values[row]],
            table.where(row),
        )
        for _, row, words in counted[:EXAMPLES]
    ]


def _bands(table: Table, predictions: Predictions, truths: Sequence[Any]) -> list[Bands]:
    return [
        Bands(
            table.where(row),
            [str(name) for name in truth][:STEPS_SHOWN],
            [str(name) for name in predictions.values[row]][:STEPS_SHOWN],
        )
        for row, truth in enumerate(truths[:EXAMPLES])
    ]


def _series(table: Table, predictions: Predictions, truths: Sequence[Any]) -> list[PredictedSeries]:
    shown = []
    for row, truth in enumerate(truths[:EXAMPLES]):
        real = np.asarray(truth, dtype=float).reshape(len(truth), -1)[:STEPS_SHOWN, 0]
        predicted = np.asarray(predictions.values[row], dtype=float).reshape(len(truth), -1)
        if not math.isnan(float(np.nanmean(real))):
            shown.append(PredictedSeries(table.where(row), real, predicted[:STEPS_SHOWN, 0]))
    return shown
