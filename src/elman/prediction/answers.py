"""What a network answers to the rows of a table, decoded; and how good that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from elman.data.table import Table
from elman.errors import DataError, unknown
from elman.evaluation.scores import Scores, score
from elman.experiment import Experiment
from elman.experiment.data import DataSpec
from elman.networks.decoding import DecodingOptions
from elman.prediction.backtest import backtest
from elman.prediction.forecasts import ForecastOptions
from elman.prediction.rolls import measure
from elman.prediction.written import decoding_options, write_answers, writes, written_scores
from elman.tasks.alignment import unequal_steps
from elman.tasks.batches import evaluation_batches, input_batches, targets_of
from elman.tasks.task import NAMED, Task

_SCORES_OF = {
    "classification": "classification",
    "labelling": "labels",
    "regression": "regression",
    "tagging": "tagging",
    "crf": "tagging",
    "step-regression": "series",
    "ctc": "transcription",
}
"""Objective → kind of score."""


class Answers(NamedTuple):
    """One answer a row, in the order of the table."""

    values: list[Any]
    """Decoded: as the data would have them."""
    probabilities: list[Tensor] | None
    """Of every name, (n,) or (T, n) a row, where the objective has any."""


@torch.no_grad()
def answer(
    task: Task,
    network: nn.Module,
    table: Table,
    batch_size: int,
    decoding: DecodingOptions | None = None,
) -> Answers:
    """Answer every row of a table.

    Args:
        task: what is asked.
        network: with its objective; left in evaluation mode.
        table: with the input's columns.
        batch_size: rows at a time.
        decoding: how an answer is searched for, where one is written; None for the likeliest symbol
            each time.

    Raises:
        DataError: a value cannot be taken.
    """
    if writes(task):
        written = write_answers(task, network, table, batch_size, decoding or DecodingOptions())
        return Answers([task.target.decode(best[0].ids) for best in written], None)
    network.eval()
    device = next(network.parameters()).device
    objective: Any = network.objective
    found: list[Any] = [None] * len(table)
    likely: list[Any] = [None] * len(table)
    if not len(table):
        return Answers([], None)
    batches, order = input_batches(task, table, batch_size)
    rows = iter(order)
    has_probabilities = True
    for batch in batches:
        batch = batch.to(device)
        outputs, _ = network(batch.input, lengths=batch.lengths)
        chosen = objective.answers(outputs, batch.lengths)
        probable = objective.probabilities(outputs, batch.lengths)
        has_probabilities = probable is not None
        for index, encoded in enumerate(chosen):
            row = next(rows)
            found[row] = task.target.decode(encoded.cpu())
            if probable is not None:
                likely[row] = probable[index].cpu()
    return Answers(found, likely if has_probabilities else None)


def scores(
    task: Task,
    network: nn.Module,
    table: Table,
    batch_size: int,
    decoding: DecodingOptions | ForecastOptions | None = None,
    **facts: Any,
) -> Scores:
    """Measure a network on a table that has the truth.

    Args:
        task: what is asked.
        network: with its objective.
        table: with the columns of input and target.
        batch_size: rows at a time.
        decoding: as for `answer`; of a forecast how it is made and measured.
        facts: what the kind of score needs beside answers and truths; `main`, the name of the
            score that counts.

    Raises:
        DataError: a value cannot be taken, or a column is missing.
    """
    table.require(task.input_columns)
    if isinstance(decoding, ForecastOptions):
        main = facts.get("main")
        return backtest(task, network, table, decoding, batch_size, main=main)
    name = task.objective["name"]
    if name == "roll":
        return _with_main(_roll_scores(task, network, table, batch_size), facts)
    if name == "language-model":
        return _with_main(_language_scores(task, network, table), facts)
    for column in task.target_columns:
        if column not in table.columns:
            raise DataError(
                f"{table.source} has no column {column!r}, which holds the truth to measure by; "
                f"it has {', '.join(table.columns)}. `predict` needs none."
            )
    if writes(task):
        options = decoding or DecodingOptions()
        return _with_main(written_scores(task, network, table, batch_size, options), facts)
    found = answer(task, network, table, batch_size)
    truths = [_truth(task, value) for value in table.values(task.target_columns)]
    if targets_of(task) == "step":
        for row, (truth, given) in enumerate(zip(truths, found.values, strict=True)):
            if len(truth) != len(given):
                steps = row, len(given), len(truth)
                raise unequal_steps(table, steps, task.input_columns, task.target_columns)
    kind = _SCORES_OF[name]
    if kind in {"classification", "labels", "tagging"}:
        names: Any = task.target
        facts |= {"names": list(names.names)}
        return score(kind, truths, found.values, found.probabilities, **facts)
    return score(kind, truths, found.values, **facts)


def answer_options(experiment: Experiment) -> DecodingOptions | ForecastOptions:
    """Return how the answers of an experiment are searched for, drawn and measured."""
    if experiment.data.horizon:
        return ForecastOptions.of(experiment.forecast)
    return decoding_options(experiment.decoding)


def _with_main(found: Scores, facts: Mapping[str, Any]) -> Scores:
    """Let the score that was asked for be the one that counts."""
    main = facts.get("main") or found.main
    if main not in found.values:
        raise unknown("score", main, found.values)
    return found.model_copy(update={"main": main})


def forecast_facts(data: DataSpec, task: Task, train: Table) -> dict[str, Any]:
    """Return what forecasts of one series are measured by: the seasonal naive forecast.

    Args:
        data: with the length of a season.
        task: what is asked.
        train: the training part, windows of a long series in the order of time.

    Returns:
        `training` and `season` of `evaluation.regression`; nothing where nothing is forecast, or
        where the windows are of several series.
    """
    is_one_series = train.spans is not None and len(np.unique(train.spans.sequence)) == 1
    if task.objective["name"] != "regression" or not is_one_series:
        return {}
    known = np.array([np.ravel(value) for value in train.values(task.target_columns)], float)
    return {"training": known, "season": data.season} if len(known) > data.season else {}


def _truth(task: Task, value: Any) -> Any:
    """Bring a value to the form that answers have; a name never seen in training stays itself."""
    try:
        return task.target.decode(task.target.encode(value))
    except DataError:
        if task.target.kind not in NAMED:
            raise
        return value


def _roll_scores(task: Task, network: nn.Module, table: Table, batch_size: int) -> Scores:
    feature: Any = task.input
    device = next(network.parameters()).device
    batches = evaluation_batches(task, table, batch_size).epoch(0)
    found = measure(network, feature.frame_nll, batches, device)
    values = {name: value for name, value in found._asdict().items() if name != "frames"}
    return Scores(kind="roll", main="nll", values=values, count=found.frames, unit="frames")


def _language_scores(task: Task, network: nn.Module, table: Table) -> Scores:
    """Read the whole text from its beginning to its end, in rows side by side."""
    objective: Any = network.objective
    device = next(network.parameters()).device
    truths: list[list[int]] = []
    answers: list[list[int]] = []
    nll = 0.0
    network.eval()
    state = None
    with torch.no_grad():
        for batch in evaluation_batches(task, table, 1).epoch(0):
            batch = batch.to(device)
            outputs, state = network(
                batch.input, state if batch.continues else None, lengths=batch.lengths
            )
            nll += float(objective.step_nll(outputs, batch.target, batch.lengths).sum())
            answers += [row.tolist() for row in objective.answers(outputs, batch.lengths)]
            rows = zip(batch.target.unbind(1), batch.lengths.tolist(), strict=True)
            truths += [ids[:steps].tolist() for ids, steps in rows]
    symbols = sum(map(len, truths))
    spells = getattr(task.input, "level", None) == "character"
    facts: dict[str, Any] = {"characters": symbols} if spells else {}
    return score("language", truths, answers, nll=nll / symbols, **facts)
