"""Examples of what a model did, chosen to fit its task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from elman.data.catalog import ROLL_SETS
from elman.data.table import Table
from elman.models.model import Model
from elman.prediction.answers import Answers, answer
from elman.prediction.written import writes
from elman.report.facts.forecasting import forecast_examples
from elman.report.facts.inputs import shown_input
from elman.report.facts.weighing import gradient_times_input
from elman.report.facts.writing import written_examples
from elman.report.run.facts import (
    Bands,
    GeneratedRoll,
    GeneratedText,
    PredictedNumbers,
    PredictedSeries,
    TaggedSentence,
    WeighedText,
    WrongAnswer,
)

MISTAKES = 12
EXAMPLES = 6
LONGEST = 60
"""Words of an example; of a longer text the end is shown."""
STEPS_SHOWN = 2_000
FRAMES = 96
"""Frames of a piece of music."""
_IN_ORDER = "The value after each window, in the order of time"


def examples_of(model: Model, table: Table) -> dict[str, Any]:
    """Choose what fits the task: mistakes, tags, bands along time, series, text, music."""
    task = model.task
    if task.predicts_next:
        return _generated(model, table)
    if task.forecasts:
        return forecast_examples(model, table)
    if writes(task):
        return written_examples(model, table)
    found = answer(task, model.network, table, model.experiment.training.batch_size)
    truths = [task.target.decode(task.target.encode(v)) for v in table.values(task.target_columns)]
    if task.objective["name"] == "ctc":
        return {"wrong": _mistakes(model, table, found._replace(probabilities=None), truths)}
    if task.target.kind in {"category", "labels"}:
        shown: dict[str, Any] = {"wrong": _mistakes(model, table, found, truths)}
        if task.input.kind in {"text", "symbols"} and task.target.kind == "category":
            shown["weighed"] = _weighed(model, table, found, truths)
            shown["weights_said"] = "Gradient × input of each of them, for the answer given."
        return shown
    if task.target.kind == "number":
        flat = [np.ravel(np.asarray(each, dtype=float))[0] for each in (*truths, *found.values)]
        half = len(truths)
        pairs = np.array(flat[:half]), np.array(flat[half:])
        series = [PredictedSeries(_IN_ORDER, *pairs)] if _is_one_series(table) else []
        return {"numbers": PredictedNumbers(*pairs), "series": series}
    if task.target.kind == "symbols" and task.input.kind in {"text", "symbols"}:
        return {"sentences": _sentences(model, table, found, truths)}
    if task.target.kind == "symbols":
        return {"bands": _bands(table, found, truths)}
    return {"series": _series(table, found, truths)}


def _is_one_series(table: Table) -> bool:
    """Tell whether the rows are windows of one long series, in the order of time."""
    return table.spans is not None and len(np.unique(table.spans.sequence)) == 1


def _generated(model: Model, table: Table) -> dict[str, Any]:
    if model.sees_the_future:
        return {}
    if model.task.input.kind == "roll":
        return {"rolls": _music(model, table)}
    if model.task.input.kind not in {"text", "symbols"}:
        return {}
    texts = []
    for temperature in (0.5, 0.8, 1.0):
        drawn = model.generate(400, seed=1, temperature=temperature)
        text = drawn if isinstance(drawn, str) else " ".join(map(str, drawn))
        texts.append(GeneratedText(text, how=f"temperature {temperature}, seed 1"))
    return {"texts": texts}


def _music(model: Model, table: Table) -> list[GeneratedRoll]:
    """Compose two pieces, and take a real one to see beside them."""
    known = ROLL_SETS.get(model.experiment.data.name or "")
    beat = known.frames_per_beat if known else 1
    real = next(iter(table.values(model.task.input_columns)))
    return [
        GeneratedRoll("A real piece", np.asarray(real)[:FRAMES], beat),
        *(
            GeneratedRoll(f"Composed, seed {seed}", model.generate(FRAMES, seed=seed), beat)
            for seed in (1, 2)
        ),
    ]


def _mistakes(
    model: Model, table: Table, found: Answers, truths: Sequence[Any]
) -> list[WrongAnswer]:
    """List wrong answers, those the model was surest of first."""
    wrong = [row for row, truth in enumerate(truths) if found.values[row] != truth]
    sure = {row: _surest(found, row) for row in wrong}
    wrong.sort(key=lambda row: -(sure[row] or 0.0))
    cells = list(table.values(model.task.input_columns))
    return [
        WrongAnswer(
            shown_input(model.task, cells[row]),
            _words(truths[row]),
            _words(found.values[row]),
            sure[row],
            table.where(row),
        )
        for row in wrong[:MISTAKES]
    ]


def _surest(found: Answers, row: int) -> float | None:
    return None if found.probabilities is None else float(found.probabilities[row].max())


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def _weighed(
    model: Model, table: Table, found: Answers, truths: Sequence[Any]
) -> list[WeighedText]:
    """Weigh the words of some texts, right and wrong answers in turn."""
    right = [row for row, truth in enumerate(truths) if found.values[row] == truth]
    wrong = [row for row, truth in enumerate(truths) if found.values[row] != truth]
    chosen = (right[: EXAMPLES // 2] + wrong[: EXAMPLES // 2])[:EXAMPLES]
    feature: Any = model.task.input
    by_character = getattr(feature, "level", "word") == "character"
    cells = list(table.values(model.task.input_columns))
    shown = []
    for row in chosen:
        encoded = feature.encode(cells[row])
        if not len(encoded):
            continue
        weights = gradient_times_input(model, encoded)
        words = [feature.decode(encoded[step : step + 1]) for step in range(len(encoded))]
        names = [word if isinstance(word, str) else _words(word) for word in words]
        shown.append(
            WeighedText(
                [name or "·" for name in names][-LONGEST:],
                weights[-LONGEST:],
                _words(truths[row]),
                _words(found.values[row]),
                _surest(found, row),
                table.where(row),
                "" if by_character else " ",
            )
        )
    return shown


def _sentences(
    model: Model, table: Table, found: Answers, truths: Sequence[Any]
) -> list[TaggedSentence]:
    """Choose sentences with wrong tags, those with most of them first."""
    cells = list(table.values(model.task.input_columns))
    counted = []
    for row, truth in enumerate(truths):
        words = cells[row].split() if isinstance(cells[row], str) else list(cells[row])
        wrong = sum(a != b for a, b in zip(truth, found.values[row], strict=True))
        if wrong and len(words) == len(truth) <= LONGEST:
            counted.append((-wrong, row, words))
    counted.sort()
    return [
        TaggedSentence(
            [str(word) for word in words],
            [str(tag) for tag in truths[row]],
            [str(tag) for tag in found.values[row]],
            table.where(row),
        )
        for _, row, words in counted[:EXAMPLES]
    ]


def _bands(table: Table, found: Answers, truths: Sequence[Any]) -> list[Bands]:
    return [
        Bands(
            table.where(row),
            [str(name) for name in truth][:STEPS_SHOWN],
            [str(name) for name in found.values[row]][:STEPS_SHOWN],
        )
        for row, truth in enumerate(truths[:EXAMPLES])
    ]


def _series(table: Table, found: Answers, truths: Sequence[Any]) -> list[PredictedSeries]:
    shown = []
    for row, truth in enumerate(truths[:EXAMPLES]):
        real = np.asarray(truth, dtype=float).reshape(len(truth), -1)[:STEPS_SHOWN, 0]
        guess = np.asarray(found.values[row], dtype=float).reshape(len(truth), -1)
        if not math.isnan(float(np.nanmean(real))):
            shown.append(PredictedSeries(table.where(row), real, guess[:STEPS_SHOWN, 0]))
    return shown
