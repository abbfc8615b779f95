"""Settings that suit a task: what a first run takes where nobody has said otherwise.

They follow what the literature settled on for each kind of task and size of data, and the recipes
under `recipes/`; each run writes them into its `experiment.toml`, where they can be read and
changed.
"""

from __future__ import annotations

from typing import Any

from elman.task import Task


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
        "training.batch_size": 16 if rows < 2_000 else 32 if rows < 20_000 else 64,
        "training.epochs": _epochs(rows),
        **_of_kind(task, rows),
    }
    return {"training.patience": max(5, chosen["training.epochs"] // 5), **chosen}


def _epochs(rows: int) -> int:
    """So many that small data is seen often enough and large data is not seen for hours."""
    return min(200, max(8, 200_000 // max(rows, 1)))


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
    return _many_to_many(task, rows)


def _many_to_one(task: Task, rows: int) -> dict[str, Any]:
    if task.input.kind in {"text", "symbols"}:
        reads_words = task.input.encoding.ids[0] > 300 if task.input.encoding.ids else False
        return {
            "network.cell": "lstm" if reads_words else "gru",
            "network.hidden_size": 128,
            "network.bidirectional": True,
            "network.embedding_size": 100 if reads_words else 32,
            "network.pooling": "max",
            "network.input_dropout": 0.3 if reads_words else 0.1,
            "network.output_dropout": 0.5 if reads_words else 0.3,
            "training.learning_rate": 2e-3,
            "training.weight_decay": 0.01,
            "training.epochs": min(_epochs(rows), 30),
        }
    return {
        "network.cell": "gru",
        "network.hidden_size": 64 if rows < 2_000 else 128,
        "network.bidirectional": task.target.kind != "number",
        "network.pooling": "last" if task.target.kind == "number" else "mean",
        "network.output_dropout": 0.2,
        "training.learning_rate": 3e-3,
        "training.weight_decay": 0.01,
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
        "training.epochs": min(_epochs(rows), 20),
    }


def _many_to_many(task: Task, rows: int) -> dict[str, Any]:
    if task.input.kind in {"text", "symbols"}:
        return {
            "network.cell": "lstm",
            "network.hidden_size": 128,
            "network.bidirectional": True,
            "network.embedding_size": 100,
            "network.input_dropout": 0.4,
            "network.output_dropout": 0.4,
            "network.word_dropout": 0.02,
            "training.learning_rate": 3e-3,
            "training.weight_decay": 0.01,
            "training.epochs": min(_epochs(rows), 20),
        }
    return {
        "network.cell": "gru",
        "network.hidden_size": 64,
        "network.output_dropout": 0.2,
        "training.learning_rate": 3e-3,
        "training.weight_decay": 0.01,
    }
