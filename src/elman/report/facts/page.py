"""The page of a run: what a trained model predicts for its test part, ready to be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

from elman.data.table import Table
from elman.errors import counted
from elman.evaluation.joint import scores_by_target
from elman.evaluation.measures import measure_of
from elman.evaluation.scores import Scores
from elman.experiment import Experiment
from elman.models.model import Model
from elman.music.midi import can_write_midi
from elman.report.facts.examples import examples_of
from elman.report.facts.flow import flow_of
from elman.report.facts.forecasting import forecast_examples
from elman.report.facts.importance import importance_of
from elman.report.facts.network import cell_of, network_in_words
from elman.report.run.facts import Column, CurvePoint, RunFacts
from elman.report.run.page import MOST_ANSWERS, write_run_report
from elman.tasks.dividing import Parts
from elman.tasks.forecast import ForecastTask
from elman.tasks.joint import with_target
from elman.tasks.next_frame import NextFrameTask
from elman.tasks.next_step import NextStepTask
from elman.tasks.rows import AFTER
from elman.tasks.task import Task
from elman.training.history import EpochRecord

ROWS = 400
"""Rows that examples are chosen from."""
COLUMNS = 4
"""Columns that a title names, at most."""


def notes_of_page(task: Task, experiment: Experiment) -> list[str]:
    """Say what the page of a run will leave out because an extra is missing."""
    composes = isinstance(task, NextFrameTask) and not task.caveat(experiment.network)
    if not composes or can_write_midi():
        return []
    return [
        "the report has no music to listen to: writing MIDI needs the package mido; install it "
        'with pip install "elman[music]".'
    ]


def write_page(
    path: Path,
    model: Model,
    parts: Parts,
    scores: dict[str, Scores],
    curve: Sequence[EpochRecord],
    *,
    selected: int,
    seconds: float,
    machine: str = "",
) -> Path:
    """Write the page of one run.

    Args:
        path: of the HTML file.
        model: trained.
        parts: of the data it was trained on; examples come from its test part.
        scores: part → scores; the headline speaks of the last part.
        curve: one record per epoch.
        selected: the epoch whose weights were kept.
        seconds: of training.
        machine: that trained it.
    """
    part = parts.valid if parts.test is None else parts.test
    task, spec = model.task, model.experiment
    named = {"train": parts.train, "valid": parts.valid, "test": parts.test}
    facts: dict[str, Any] = {
        "title": spec.title or _title(task, spec.data.title),
        "category": task.category,
        "cell": cell_of(model.network, spec.network),
        "network": network_in_words(model.network, spec.network),
        "parameters": model.parameters,
        "scores": scores,
        "target": _columns([_in_words(name, "“{}”") for name in task.target_columns]),
        "source": spec.data.title,
        "inputs": [Column(name, task.input.kind_of_column(name)) for name in task.input_columns],
        "targets": [Column(name, task.target.kind_of_column(name)) for name in task.target_columns],
        "parts": {name: len(part) for name, part in named.items() if part is not None},
        "rows_name": task.rows_name,
        "notes": [*parts.notes, *task.notes],
        "curve": [
            CurvePoint(each.epoch, each.train_loss, each.valid_loss, each.score) for each in curve
        ],
        "loss_unit": task.objective_class.loss_unit,
        "score_title": _score_title(scores),
        "selected": selected,
        "seconds": seconds,
        "seed": spec.seed,
        "machine": machine,
        "settings": {
            section: table for section, table in spec.to_values().items() if isinstance(table, dict)
        },
        "flow": flow_of(model, parts.valid),
        **importance_of(model, parts),
    }
    final = scores[list(scores)[-1]]
    if scores_by_target(final):
        answers = _answers(model, facts, _first(part))
        return write_run_report(path, RunFacts(**facts, answers=answers))
    return write_run_report(path, RunFacts(**(facts | _examples(task, model, part, final))))


def _first(part: Table) -> Table:
    """Return the rows that examples are chosen from."""
    return part.select(range(min(ROWS, len(part))))


@singledispatch
def _examples(task: Task, model: Model, part: Table, scores: Scores) -> dict[str, Any]:
    """Choose examples among the rows of a part that was scored."""
    del task, scores
    return examples_of(model, _first(part))


@_examples.register
def _(task: ForecastTask, model: Model, part: Table, scores: Scores) -> dict[str, Any]:
    del task
    return forecast_examples(model, part, scores)


def _answers(model: Model, facts: dict[str, Any], shown: Table) -> list[RunFacts]:
    """Return the facts of each target that was measured, with examples among some rows."""
    measured = {part: scores_by_target(of_part) for part, of_part in facts["scores"].items()}
    answers: list[RunFacts] = []
    for name, alone in model.by_target().items():
        scores = {part: each[name] for part, each in measured.items() if name in each}
        if scores:
            rows = with_target(alone.task.target, shown, name)
            has_section = len(answers) < MOST_ANSWERS and len(rows)
            examples = examples_of(alone, rows) if has_section else {}
            own = {"scores": scores, "target": _in_words(name, "“{}”"), "flow": None}
            answers.append(RunFacts(**(facts | own | examples)))
    return answers


@singledispatch
def _title(task: Task, source: str) -> str:
    """Say what is predicted from what."""
    targets = _columns([_in_words(name) for name in task.target_columns])
    return f"{targets} predicted from {_columns(task.input_columns)} ({source})"


@_title.register
def _(task: NextStepTask | NextFrameTask, source: str) -> str:
    return f"next step of {_columns(task.input_columns)} predicted from its past ({source})"


@_title.register
def _(task: ForecastTask, source: str) -> str:
    ahead = counted(task.series.horizon, "step")
    return f"{_columns(task.target_columns)} forecast {ahead} ahead ({source})"


def _columns(names: Sequence[str]) -> str:
    """List some columns, or count many."""
    return _and(names) if len(names) <= COLUMNS else f"{len(names)} columns"


def _and(names: Iterable[str]) -> str:
    """List names: `a`, `a and b`, `a, b and c`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _in_words(column: str, style: str = "{}") -> str:
    """Name a target, also one that is the value after a window."""
    name = style.format(column.removeprefix(AFTER))
    return f"the next value of {name}" if column.startswith(AFTER) else name


def _score_title(scores: Mapping[str, Scores]) -> str:
    """Name the score of the learning curve, in which higher is better."""
    measure = measure_of(list(scores.values())[-1].main)
    return measure.title if measure.higher_is_better else f"− {measure.title.lower()}"
