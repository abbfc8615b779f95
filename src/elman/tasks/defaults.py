"""Settings that suit a task: what a first run takes where nobody has said otherwise.

They follow what the literature settled on for each kind of task and size of data, and the recipes
under `recipes/`; each run writes them into its `experiment.toml`, where they can be read and
changed.
"""

from __future__ import annotations

from typing import Any

from elman.errors import ExperimentError
from elman.experiment import Experiment
from elman.experiment.categories import WRITERS
from elman.experiment.decoder import DecodingSpec
from elman.features.feature import Feature
from elman.tasks.parts import Parts, single_columns
from elman.tasks.task import Task

FEW = 200
"""Rows of which fewer make a small network, small batches, little dropout and long patience."""

MANY = 10_000
"""Rows of which more are updates enough for a slow average of the weights."""

FEW_TEXTS = 2_000
"""Texts of which fewer are learned from without averaging weights and selecting by the score."""


def completed(experiment: Experiment, task: Task, parts: Parts) -> Experiment:
    """Fill in what nobody has said: columns, kinds, and settings that suit the task.

    Raises:
        ExperimentError: it was said how an answer is searched for, and none is written.
    """
    if task.forecasts:
        return experiment.with_defaults(_forecasting(task, parts))
    if task.category not in WRITERS and experiment.decoding != DecodingSpec():
        raise ExperimentError(
            "[decoding] says how an answer of its own length is searched for, and this task is "
            f"{task.sentence}; leave it out."
        )
    found = {
        "data.input": list(task.input_columns),
        "data.target": list(task.target_columns),
        "data.input_kind": task.input.kind,
        "data.target_kind": task.target.kind,
        "data.per_sequence": single_columns(experiment.data, parts.train),
        **_options("data.input_options", task.input),
        **({} if task.predicts_next else _options("data.target_options", task.target)),
        **defaults_for(task, len(parts.train)),
        **_longest(task, parts),
    }
    if isinstance(experiment.network.hidden_size, list):
        found.pop("network.num_layers", None)
    if experiment.network.delay:  # whoever waits for a few steps has not the whole sequence
        found.pop("network.bidirectional", None)
    return experiment.with_defaults(found)


def _options(table: str, feature: Feature) -> dict[str, Any]:
    """Name the options that a feature was made with, those seen from the data too."""
    known = feature.to_json().get("options", {}).items()
    told = {name: value for name, value in known if name not in {"as_target", "columns"}}
    return {
        f"{table}.{name}": value
        for name, value in told.items()
        if value is not None and not isinstance(value, dict)  # a record sees its kinds again
    }


def defaults_for(task: Task, rows: int) -> dict[str, Any]:
    """Return settings in full → values for a task.

    Args:
        task: what is read and what is answered.
        rows: of the training part.
    """
    chosen = {
        "network.category": task.category,
        "training.optimizer": "adamw",
        "training.schedule": "cosine",
        "training.clip_norm": 1.0,
        "training.batch_size": _batch_size(rows),
        "training.epochs": _epochs(rows),
        "training.average_decay": 0.98 if rows < 2_000 else 0.99,
        **_of_kind(task, rows),
    }
    share = 2 if rows < FEW else 5  # a few rows to validate by say little about one epoch
    return {"training.patience": max(5, chosen["training.epochs"] // share), **chosen}


def _epochs(rows: int, *, seen: int = 200_000, least: int = 8, most: int = 200) -> int:
    """So many that small data is seen often enough and large data is not seen for hours."""
    return min(most, max(least, seen // max(rows, 1)))


def _batch_size(rows: int) -> int:
    return 8 if rows < FEW else 16 if rows < 2_000 else 32 if rows < 20_000 else 64


def _of_kind(task: Task, rows: int) -> dict[str, Any]:
    if task.category == "one-to-one":
        return {
            "network.head": [128, 128],
            "network.output_dropout": 0.1,
            "network.embedding_size": 16,
            "training.learning_rate": 1e-3,
            "training.weight_decay": 0.01,
        }
    if task.category == "many-to-one":
        return _many_to_one(task, rows)
    if task.predicts_next:
        return _next(task, rows)
    if task.category in WRITERS:
        return _writing(task, rows)
    return _many_to_many(task, rows)


def _many_to_one(task: Task, rows: int) -> dict[str, Any]:
    if task.input.kind in {"text", "symbols"}:
        return _reading(task, rows)
    forecast, heavy = task.target.kind == "number", task.input.kind in {"audio", "frames"}
    return {
        "network.cell": "gru",
        "network.hidden_size": 32 if rows < FEW else 64 if rows < 2_000 else 128,
        "network.bidirectional": not forecast,
        "network.pooling": "last" if forecast else "mean",
        "network.output_dropout": 0.3,
        "training.learning_rate": 3e-3,
        "training.weight_decay": 0.05,
        "training.epochs": _epochs(rows, seen=60_000 if heavy else 200_000),
    }


def _reading(task: Task, rows: int) -> dict[str, Any]:
    """Texts are learned by heart within a few epochs, so they get few, and much dropout."""
    reads_words = bool(task.input.encoding.ids) and task.input.encoding.ids[0] > 300
    chosen: dict[str, Any] = {
        "network.bidirectional": True,
        "network.pooling": "max",
        "network.output_dropout": 0.5,
        "training.weight_decay": 0.05,
        **_chosen_by_score(rows),
    }
    if reads_words:
        return chosen | {
            "network.cell": "lstm",
            "network.hidden_size": 128,
            "network.embedding_size": 128,
            "network.input_dropout": 0.5,
            "network.word_dropout": 0.05,
            "training.learning_rate": 2e-3,
            "training.epochs": _epochs(rows, seen=60_000, least=4, most=30),
        }
    slow = {"training.average_decay": 0.999} if rows >= MANY else {}
    return chosen | {
        "network.cell": "gru",
        "network.hidden_size": 128,
        "network.embedding_size": 64,
        "network.input_dropout": 0.1,
        "network.output_dropout": 0.3,
        "training.learning_rate": 2e-3,
        "training.weight_decay": 0.01,
        "training.epochs": _epochs(rows, seen=320_000, most=30),
        **slow,
    }


def _chosen_by_score(rows: int) -> dict[str, Any]:
    """Select averaged weights by their score, unless that is of too few rows to tell them apart."""
    many = rows >= FEW_TEXTS
    return {
        "training.select": "score" if many else "loss",
        "training.average_decay": 0.99 if many else 0.0,
    }


def _next(task: Task, rows: int) -> dict[str, Any]:
    if task.input.kind == "roll":
        return {
            "network.parameters": 20_000,
            "training.learning_rate": 0.02,
            "training.weight_decay": 0.2,
            "training.weight_noise": 0.075,
            "training.average_decay": 0.98,
            "training.warmup_epochs": 3.0,
            "training.epochs": 67,
            "training.patience": 20,
            "training.batch_size": 16,
        }
    return {
        "network.cell": "lstm",
        "network.hidden_size": 256,
        "network.embedding_size": 256,
        "network.input_dropout": 0.3,
        "network.output_dropout": 0.3,
        "training.learning_rate": 2e-3,
        "training.chunk_length": 100,
        "training.average_decay": 0.0,  # a text is few updates an epoch, whatever its rows
        "training.epochs": max(min(_epochs(rows), 20), _epochs_of_stream(task, rows)),
    }


def _epochs_of_stream(task: Task, rows: int) -> int:
    """So many that a short text, which is few chunks, is learned from in a thousand updates."""
    vocabulary: Any = getattr(task.input, "vocabulary", None)
    elements = sum(getattr(vocabulary, "counts", ()))  # byte pairs are not counted
    updates = elements // (100 * _batch_size(rows))
    return min(200, 1_000 // max(updates, 1)) if elements else 1


def _writing(task: Task, rows: int) -> dict[str, Any]:
    """What is written is learned word by word, so that every row says much."""
    has_source = task.category == "encoder-decoder"
    encoder = {"network.bidirectional": True, "decoder.attention": "general"}
    return {
        "network.cell": "lstm",
        "network.hidden_size": 64 if rows < FEW else 128 if rows < 5_000 else 256,
        "network.embedding_size": 64 if rows < 5_000 else 256,
        "network.input_dropout": 0.1 if rows < FEW else 0.3,
        "network.output_dropout": 0.1 if rows < FEW else 0.3,
        **(encoder if has_source else {}),
        "training.learning_rate": 3e-3 if rows < 5_000 else 2e-3,
        "training.epochs": _epochs(rows, seen=300_000, most=100),
        "training.patience": 0,
        "training.average_decay": 0.98 if rows < 5_000 else 0.995,
    }


def _longest(task: Task, parts: Parts) -> dict[str, Any]:
    """Let answers be half as long again as the longest that was learned from."""
    if task.category not in WRITERS:
        return {}
    column = parts.train.values(task.target_columns)
    longest = max((len(task.target.encode(value)) for value in column), default=0)
    return {"decoding.max_length": max(1, longest + (longest + 1) // 2)}


def _forecasting(task: Task, parts: Parts) -> dict[str, Any]:
    """Small networks: what there is to learn of a series is little beside its noise."""
    feature: Any = task.input
    assert parts.train.spans is not None, "the parts of a forecast have spans"
    room = parts.train.spans.stop - feature.window - feature.horizon
    windows = int(room.clip(min=1).sum())
    size = 16 if windows < FEW else 40 if windows < 20_000 else 64
    found = {
        "data.target": list(task.target_columns),
        "data.input": list(feature.past),
        "data.window": feature.window,
        "data.season": feature.season,
        "data.frequency": feature.frequency,
        "network.category": task.category,
        "network.cell": "gru",
        "network.hidden_size": size,
        "network.output_dropout": 0.1,
        "network.word_dropout": 0.1 if feature.several else 0.0,  # items may come that are new
        "training.optimizer": "adamw",
        "training.schedule": "cosine",
        "training.clip_norm": 1.0,
        "training.batch_size": 16 if windows < 2_000 else 64,
        "training.epochs": _epochs(windows, seen=100_000, least=10, most=100),
        "training.learning_rate": 3e-3,
        "training.weight_decay": 0.01,
        "training.average_decay": 0.98 if windows < 2_000 else 0.99,
    }
    found["training.patience"] = max(5, found["training.epochs"] // 3)
    return {name: value for name, value in found.items() if value not in (None, [])}


def _many_to_many(task: Task, rows: int) -> dict[str, Any]:
    if task.input.kind in {"text", "symbols"}:
        return {
            "network.cell": "lstm",
            "network.hidden_size": 128,
            "network.bidirectional": True,
            "network.embedding_size": 100,
            "network.input_dropout": 0.5 if rows >= FEW else 0.2,
            "network.output_dropout": 0.5 if rows >= FEW else 0.2,
            "network.word_dropout": 0.05,
            "training.learning_rate": 3e-3,
            "training.weight_decay": 0.01,
            "training.epochs": _epochs(rows, seen=150_000, most=20),
            **_chosen_by_score(rows),
        }
    return {
        "network.cell": "gru",
        "network.hidden_size": 64,
        "network.bidirectional": task.target.kind == "symbols",
        "network.output_dropout": 0.3,
        "training.learning_rate": 3e-3,
        "training.weight_decay": 0.05,
    }
