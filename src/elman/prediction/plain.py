"""Plain guesses for the rows of a table, made from training rows: what a score has to beat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from elman.data.table import Table
from elman.errors import ElmanError, counted
from elman.evaluation.plain_guesses import PlainGuess, always, levels_of, tags_of
from elman.evaluation.scores import Scores, score
from elman.prediction.truths import true_values, with_truths
from elman.tasks.prediction import PredictionTask
from elman.tasks.rows import AFTER
from elman.tasks.task import Task

MOST_LEARNED = 50_000
"""Training rows that a guess is made from; of more, evenly spaced ones."""
BY_FREQUENCY = "the frequencies of training"


def guesses_for(
    task: PredictionTask, table: Table, training: Table, season: int
) -> list[PlainGuess]:
    """Guess the targets of rows from those of the training rows.

    Args:
        task: with one target.
        table: rows, all with the target.
        training: the training rows.
        season: steps in a season; a window of a series is continued by the value a season before.

    Raises:
        DataError: a value is malformed.
    """
    kind = task.objective_class.score_kind
    if kind == "series" and task.target.is_sound:
        truths = true_values(task, table)
        silence = [np.zeros(np.shape(truth)) for truth in truths]
        return [PlainGuess("silence", silence), *_copies(task, table, truths)]
    learned_rows = with_truths(task, _some(training))[0]
    learned = true_values(task, learned_rows)
    if kind == "tagging":
        truths = true_values(task, table)
        return tags_of(learned, [len(row) for row in truths], _words(task, learned_rows, table))
    if kind == "series":
        truths = true_values(task, table)
        return [levels_of(learned, list(map(np.shape, truths))), *_copies(task, table, truths)]
    guesses = always(kind, learned, len(table))
    return guesses + (_a_season_before(task, table, season) if kind == "regression" else [])


def text_guesses(
    kind: str, learned: Sequence[Any], sources: Sequence[Any] | None, rows: int
) -> list[PlainGuess]:
    """Guess outputs of a model that writes: always the commonest, or a copy of the input.

    Args:
        kind: kind of score.
        learned: the outputs of the training rows.
        sources: the inputs of the rows to answer, where these are of the same form; else None.
        rows: number of rows to answer.
    """
    guesses = always(kind, learned, rows)
    if sources is not None:
        guesses.append(PlainGuess("a copy of the input", list(sources)))
    return guesses


def frequencies(task: Task, training: Table, truths: Sequence[Sequence[int]], **facts: Any) -> Any:
    """Score the frequencies of symbols in training as the probabilities of every symbol.

    Args:
        task: whose objective counts symbols.
        training: the training rows.
        truths: ids of the true symbols of each row.
        facts: of the scores of a language model.

    Returns:
        A plain guess with its scores, as `details["plain_guess"]` has it; None where symbols are
        not counted.
    """
    logits = task.base_rates(_some(training))
    if logits is None:
        return None
    likely = logits.double().log_softmax(0)
    ids = torch.tensor([symbol for row in truths for symbol in row])
    nll = -float(likely[ids].mean()) if len(ids) else math.nan
    best = int(likely.argmax())
    scores = score("language", truths, [[best] * len(row) for row in truths], nll=nll, **facts)
    return {"words": BY_FREQUENCY, "scores": scores.values}


class AlwaysTheSame(nn.Module):
    """Stands in for a network: the same outputs at every step.

    Args:
        outputs: (O,).
    """

    def __init__(self, outputs: Tensor) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, None]:
        """Return the outputs for each step of a batch, (T, B, O)."""
        del lengths
        return self.outputs.to(x.device).expand(*x.shape[:2], -1), None


def with_guess(scores: Scores, guess: Any) -> Scores:
    """Add a plain guess with its scores to the details of scores; None adds nothing."""
    if guess is None:
        return scores
    return scores.model_copy(update={"details": {**scores.details, "plain_guess": guess}})


def _some(training: Table) -> Table:
    """Return the training rows that a guess is made from."""
    if len(training) <= MOST_LEARNED:
        return training
    return training.select(np.linspace(0, len(training) - 1, MOST_LEARNED).astype(np.int64))


def _words(
    task: PredictionTask, training: Table, table: Table
) -> tuple[list[list[str]], list[list[str]]] | None:
    """Return the words that tags stand beside, where the input is one column of them."""
    if len(task.input_columns) != 1 or not task.input.writable:
        return None
    (column,) = task.input_columns
    words = [[_words_in(cell) for cell in part.column(column)] for part in (training, table)]
    tags = [true_values(task, part) for part in (training, table)]
    for part, of_part in zip(words, tags, strict=True):
        if any(len(w) != len(t) for w, t in zip(part, of_part, strict=True)):
            return None
    return words[0], words[1]


def _words_in(cell: Any) -> list[str]:
    """Return the words of a cell: those of a list, or of a text between spaces."""
    return cell.split() if isinstance(cell, str) else [str(word) for word in cell]


def _copies(task: PredictionTask, table: Table, truths: Sequence[Any]) -> list[PlainGuess]:
    """Guess each input column that has the shape of the target in all rows."""
    guesses = []
    for column in task.input_columns:
        try:
            copies = [
                np.asarray(task.target.decode(task.target.encode(cell)))
                for cell in table.column(column)
            ]
        except ElmanError:  # a value of another kind
            continue
        if all(np.shape(a) == np.shape(b) for a, b in zip(copies, truths, strict=True)):
            guesses.append(PlainGuess(f"a copy of {column}", copies))
    return guesses


def _a_season_before(task: PredictionTask, table: Table, season: int) -> list[PlainGuess]:
    """Continue each window by its value of a season before its end, where it holds the target."""
    columns = [name.removeprefix(AFTER) for name in task.target_columns]
    if columns == list(task.target_columns) or not set(columns) <= set(task.input_columns):
        return []
    windows = [table.column(name) for name in columns]
    rows = [[np.ravel(of_column[row]) for of_column in windows] for row in range(len(table))]
    if any(len(window) < season for row in rows for window in row):
        return []
    answers = [[float(window[-season]) for window in row] for row in rows]
    if not np.isfinite(answers).all():
        return []
    words = f"the value {counted(season, 'step')} before"
    return [PlainGuess(words, [row if len(row) > 1 else row[0] for row in answers])]
