"""The task of predicting the next token of a text, or the next symbol of a list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from elman.batches.streams import StreamBatches
from elman.data.table import Table
from elman.errors import counted
from elman.experiment import NetworkSpec
from elman.experiment.training import TrainingSettings
from elman.tasks.defaults import Settings, batch_size_for, epochs_for
from elman.tasks.task import Task

STREAM_ROWS = 10
"""Parallel rows in which a stream of text is evaluated, unless it is shorter than that."""


@dataclass(frozen=True)
class NextStepTask(Task):
    """The next token, given all tokens before it; the rows are joined into one stream."""

    has_target_columns: ClassVar[bool] = False

    def training_batches(
        self, table: Table, settings: TrainingSettings, seed: int, cache: Path | None = None
    ) -> StreamBatches:
        """Cut the stream into parallel rows, their state carried from chunk to chunk."""
        del cache
        length = settings.chunk_length or 100
        return StreamBatches(
            self._stream(table), settings.batch_size, length, seed=seed, vary_cuts=True
        )

    def evaluation_batches(
        self, table: Table, batch_size: int, cache: Path | None = None
    ) -> StreamBatches:
        """Read the stream from its beginning to its end, in a few parallel rows."""
        del batch_size, cache
        stream = self._stream(table)
        return StreamBatches(stream, min(STREAM_ROWS, max(1, len(stream) - 1)), 200)

    def _stream(self, table: Table) -> Tensor:
        """Join all rows into one stream, in their order."""
        return torch.cat([self.input.encode(value) for value in table.values(self.input_columns)])

    def caveat(self, network: NetworkSpec) -> str:
        """Say that the loss measures no prediction where the network sees the next step."""
        return caveat_of_future(network)

    def chosen_settings(self, rows: int) -> Settings:
        """Return settings that suit a language model of this size of data."""
        return {
            "network.cell": "lstm",
            "network.hidden_size": 256,
            "network.embedding_size": 256,
            "network.input_dropout": 0.3,
            "network.output_dropout": 0.3,
            "training.learning_rate": 2e-3,
            "training.chunk_length": 100,
            "training.average_decay": 0.0,  # a text gives few updates an epoch
            "training.epochs": max(min(epochs_for(rows), 20), self._epochs_of_stream(rows)),
        }

    def _epochs_of_stream(self, rows: int) -> int:
        """Return how many epochs give a short text about 1,000 updates."""
        vocabulary: Any = getattr(self.input, "vocabulary", None)
        elements = sum(getattr(vocabulary, "counts", ()))  # byte pairs are not counted
        updates = elements // (100 * batch_size_for(rows))
        return min(200, 1_000 // max(updates, 1)) if elements else 1


def caveat_of_future(network: NetworkSpec) -> str:
    """Say that a network sees its target where it reads backwards or looks ahead."""
    if not (network.bidirectional or network.delay):
        return ""
    backwards = "reads every piece backwards too"
    ahead = f"reads {counted(network.delay, 'step')} ahead"
    return (
        f"This network {backwards if network.bidirectional else ahead}, so it sees the step it is "
        "to predict: its loss measures memory, not prediction, and cannot be compared with "
        "published numbers."
    )
