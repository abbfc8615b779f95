"""Default settings that suit a task: what a run takes for settings that are not given.

They follow what the literature settled on for each kind of task and size of data, and the recipes
under `recipes/`; each run writes them into its `experiment.toml`, where they can be read and
changed. This module holds what all task classes share; each class chooses the rest itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elman.data.table import Table
from elman.experiment import Experiment
from elman.features.feature import Feature
from elman.tasks.layout import layout_of
from elman.tasks.mixing import described_columns

if TYPE_CHECKING:
    from elman.tasks.task import Task

Settings = dict[str, Any]
"""Setting in full → value."""

FEW = 200
"""Fewer training rows than this: small network, small batches, little dropout, long patience."""

MANY = 10_000
"""Training rows that give enough updates for a slow average of the weights."""

FEW_TEXTS = 2_000
"""Fewer texts than this: weights are not averaged, and selected by the loss, not the score."""


def completed(experiment: Experiment, task: Task, train: Table) -> Experiment:
    """Fill in what was not given: columns, kinds, and settings that suit the task.

    Args:
        experiment: with the settings that were given.
        task: what is predicted from what.
        train: the training part.

    Raises:
        ExperimentError: a setting has no meaning in this task.
    """
    task.check(experiment)
    settings = task.settings(experiment, train)
    if isinstance(experiment.network.hidden_size, list):
        settings.pop("network.num_layers", None)
    if experiment.network.delay:  # a delayed network has not read the whole sequence
        settings.pop("network.bidirectional", None)
    complete = experiment.with_defaults(settings)
    if not task.input.parts:
        return complete
    # Names of columns may hold a dot, so they are no names of settings.
    columns = described_columns(task.input, task.input_columns)
    columns = {
        name: {**columns.get(name, {}), **complete.data.columns.get(name, {})}
        for name in (*columns, *complete.data.columns)
    }
    data = complete.data.model_copy(update={"columns": columns})
    return complete.model_copy(update={"data": data})


def column_settings(task: Task, experiment: Experiment, train: Table) -> Settings:
    """Return the columns of a task, their kinds and options, inferred ones included."""
    of_one = {
        "data.input_kind": task.input.kind,
        **_options("data.input_options", task.input),
    }
    return {
        "data.input": list(task.input_columns),
        "data.target": list(task.target_columns),
        **({} if task.input.parts or experiment.data.columns else of_one),
        "data.target_kind": task.target.kind,
        "data.per_sequence": layout_of(experiment.data).single_columns(train),
        **(_options("data.target_options", task.target) if task.has_target_columns else {}),
    }


def _options(table: str, feature: Feature) -> Settings:
    """Return the options of a feature, inferred ones included."""
    return {f"{table}.{name}": value for name, value in chosen_options(feature).items()}


def chosen_options(feature: Feature) -> Settings:
    """Return the options of a feature that a setting can hold, inferred ones included."""
    described = feature.to_json().get("options", {}).items()
    options = {name: value for name, value in described if name not in {"as_target", "columns"}}
    return {
        name: value
        for name, value in options.items()
        if value is not None and not isinstance(value, dict)  # a record infers its kinds again
    }


def with_common_settings(category: str, rows: int, chosen: Settings) -> Settings:
    """Add the settings common to all tasks on rows to those that a task has chosen.

    Args:
        category: of the task.
        rows: of the training part.
        chosen: by the task; they take precedence.
    """
    settings = {
        "network.category": category,
        "training.optimizer": "adamw",
        "training.schedule": "cosine",
        "training.clip_norm": 1.0,
        "training.batch_size": batch_size_for(rows),
        "training.epochs": epochs_for(rows),
        "training.average_decay": 0.98 if rows < 2_000 else 0.99,
        **chosen,
    }
    share = 2 if rows < FEW else 5  # few validation rows say little about one epoch
    return {"training.patience": max(5, settings["training.epochs"] // share), **settings}


def epochs_for(rows: int, *, seen: int = 200_000, least: int = 8, most: int = 200) -> int:
    """Return how many epochs show the network about `seen` rows in all."""
    return min(most, max(least, seen // max(rows, 1)))


def batch_size_for(rows: int) -> int:
    """Return a batch size: larger for more rows."""
    return 8 if rows < FEW else 16 if rows < 2_000 else 32 if rows < 20_000 else 64


def chosen_by_score(rows: int) -> Settings:
    """Select averaged weights by score; with too few rows, plain weights by loss."""
    many = rows >= FEW_TEXTS
    return {
        "training.select": "score" if many else "loss",
        "training.average_decay": 0.99 if many else 0.0,
    }
