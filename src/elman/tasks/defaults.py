"""Settings that suit a task: what a first run takes where nobody has said otherwise.

They follow what the literature settled on for each kind of task and size of data, and the recipes
under `recipes/`; each run writes them into its `experiment.toml`, where they can be read and
changed. Here stands what the classes of tasks share; what each chooses by itself stands with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from elman.data.table import Table
from elman.experiment import Experiment
from elman.features.feature import Feature
from elman.tasks.layout import layout_of

if TYPE_CHECKING:
    from elman.tasks.task import Task

Settings = dict[str, Any]
"""Setting in full → value."""

FEW = 200
"""Rows of which fewer make a small network, small batches, little dropout and long patience."""

MANY = 10_000
"""Rows of which more are updates enough for a slow average of the weights."""

FEW_TEXTS = 2_000
"""Texts of which fewer are learned from without averaging weights and selecting by the score."""


def completed(experiment: Experiment, task: Task, train: Table) -> Experiment:
    """Fill in what nobody has said: columns, kinds, and settings that suit the task.

    Args:
        experiment: what was said.
        task: what is asked.
        train: the training part.

    Raises:
        ExperimentError: a setting has no meaning in this task.
    """
    task.check(experiment)
    settings = task.settings(experiment, train)
    if isinstance(experiment.network.hidden_size, list):
        settings.pop("network.num_layers", None)
    if experiment.network.delay:  # whoever waits for a few steps has not the whole sequence
        settings.pop("network.bidirectional", None)
    return experiment.with_defaults(settings)


def column_settings(task: Task, experiment: Experiment, train: Table) -> Settings:
    """Return the columns of a task, their kinds and options, those seen from the data too."""
    return {
        "data.input": list(task.input_columns),
        "data.target": list(task.target_columns),
        "data.input_kind": task.input.kind,
        "data.target_kind": task.target.kind,
        "data.per_sequence": layout_of(experiment.data).single_columns(train),
        **_options("data.input_options", task.input),
        **(_options("data.target_options", task.target) if task.has_target_columns else {}),
    }


def _options(table: str, feature: Feature) -> Settings:
    """Name the options that a feature was made with, those seen from the data too."""
    known = feature.to_json().get("options", {}).items()
    told = {name: value for name, value in known if name not in {"as_target", "columns"}}
    return {
        f"{table}.{name}": value
        for name, value in told.items()
        if value is not None and not isinstance(value, dict)  # a record sees its kinds again
    }


def with_common_settings(category: str, rows: int, chosen: Settings) -> Settings:
    """Complete what a task has chosen with what suits every task of rows.

    Args:
        category: of the task.
        rows: of the training part.
        chosen: by the task; it has the last word.
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
    share = 2 if rows < FEW else 5  # a few rows to validate by say little about one epoch
    return {"training.patience": max(5, settings["training.epochs"] // share), **settings}


def epochs_for(rows: int, *, seen: int = 200_000, least: int = 8, most: int = 200) -> int:
    """So many that small data is seen often enough and large data is not seen for hours."""
    return min(most, max(least, seen // max(rows, 1)))


def batch_size_for(rows: int) -> int:
    """Larger batches for more rows."""
    return 8 if rows < FEW else 16 if rows < 2_000 else 32 if rows < 20_000 else 64


def chosen_by_score(rows: int) -> Settings:
    """Select averaged weights by their score, unless that is of too few rows to tell them apart."""
    many = rows >= FEW_TEXTS
    return {
        "training.select": "score" if many else "loss",
        "training.average_decay": 0.99 if many else 0.0,
    }
