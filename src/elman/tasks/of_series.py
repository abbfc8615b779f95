"""Settings that suit one answer about a series of numbers: where it is long, or rows are few."""

from __future__ import annotations

import numpy as np

from elman.data.table import Table
from elman.experiment import Experiment
from elman.experiment.data import DataSpec
from elman.tasks.defaults import Settings, epochs_for
from elman.tasks.task import Task

LONG = 160
"""Steps from which on the recurrent layers take fewer than the series has."""

MOST_STEPS = 200
"""Steps that they take about at most."""

FEW_SERIES = 2_000
"""Fewer training rows than this: convolutions and augmentation, however short the series are."""

LOOKED_AT = 100
"""Rows of which lengths are seen."""

FEW_TO_VALIDATE = 50
"""Fewer validation rows than this: folds, in which every row is one."""

FOLDS = 5
"""Where there are at least four rows, or groups of them, for each."""


def settings_of_series(task: Task, experiment: Experiment, train: Table) -> Settings:
    """Return settings that suit series of numbers with one answer each; none for other tasks.

    Args:
        task: what is predicted from what.
        experiment: with the settings that were given.
        train: the training part.
    """
    network, training = experiment.network, experiment.training
    given = network.model_fields_set | training.model_fields_set
    alone = "convolutions" in given and not network.convolutions
    if not task.augments or task.category != "many-to-one" or train.spans is not None or alone:
        return {}
    steps = steps_of(task, train)
    if len(train) >= FEW_SERIES and steps <= LONG:
        return {}
    names = task.target.predicts_names
    settings: Settings = {
        "network.convolutions": convolutions_for(steps),
        "network.convolution_dropout": 0.1,
        "network.own_scale": True,
        "network.cell": "gru",
        "network.hidden_size": 64,
        "network.bidirectional": True,
        "network.pooling": "mean",
        "network.output_dropout": 0.2,
        "network.label_smoothing": 0.1 if task.smooths_labels else 0.0,
        "training.learning_rate": 3e-3,
        "training.weight_decay": 0.01,
        "training.batch_size": 16 if len(train) < FEW_SERIES else 64,
        "training.epochs": _epochs_for(len(train)),
        "training.average_decay": 0.0,
        # Neither moved nor cropped: where series are cut by hand, their ends say much.
        "training.augment_jitter": 0.03,
        "training.augment_scale": 0.1 if names else 0.0,  # a number may depend on the level
    }
    if not given & {"select", "patience", "average_patience"}:
        settings |= {"training.select": "last", "training.patience": 0}
    if task.can_be_folded and _few_are_drawn(experiment.data, train):
        settings["training.folds"] = FOLDS
    return settings


def convolutions_for(steps: int) -> list[dict[str, int]]:
    """Return convolutions whose strides leave the recurrent layers steps that they can learn from.

    >>> [layer["stride"] for layer in convolutions_for(24)]
    [1, 1, 1]
    >>> [layer["stride"] for layer in convolutions_for(1_460)]
    [2, 2, 2]
    """
    sizes = ((64, 8), (96, 5), (96, 3))
    layers: list[dict[str, int]] = []
    for channels, kernel in sizes:
        stride = 2 if steps > (MOST_STEPS if layers else LONG) else 1
        layers.append({"channels": channels, "kernel": kernel, "stride": stride})
        steps = -(-steps // stride)
    return layers


def steps_of(task: Task, train: Table) -> int:
    """Return the median number of steps of some rows, evenly spread over a table."""
    rows = np.unique(np.linspace(0, len(train) - 1, min(len(train), LOOKED_AT)).astype(np.int64))
    return int(np.median(task.encoded_inputs(train.select(rows)).lengths))


def _epochs_for(rows: int) -> int:
    """Return epochs of about as many updates for few rows, and of many rows seen for many."""
    if rows < FEW_SERIES:
        return epochs_for(rows, seen=6_000, least=40, most=120)
    return epochs_for(rows, seen=60_000)


def _few_are_drawn(data: DataSpec, train: Table) -> bool:
    """Tell whether validation rows are drawn at random, and few, but enough for folds."""
    rows = len(train)
    units = rows if data.group is None else len({*map(str, train.column(data.group))})
    drawn = not (data.valid_files or data.split_column or data.split_order == "time")
    if not drawn or units < 4 * FOLDS:
        return False
    return rows * data.valid_fraction < FEW_TO_VALIDATE * (1 - data.valid_fraction)
