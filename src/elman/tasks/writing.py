"""The task of writing a text, or symbols, of a length of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from elman.data.table import Table
from elman.experiment import Experiment
from elman.tasks.defaults import FEW, Settings, epochs_for
from elman.tasks.task import Task


@dataclass(frozen=True)
class WritingTask(Task):
    """A sequence of its own length, written token by token: encoder–decoder or one-to-many."""

    decodes: ClassVar[bool] = True

    def settings(self, experiment: Experiment, train: Table) -> Settings:
        """Return columns, kinds, their options, the default settings, and the longest output."""
        longest = max(map(len, self.encoded_targets(train)), default=0)
        half_as_long_again = max(1, longest + (longest + 1) // 2)
        return super().settings(experiment, train) | {"decoding.max_length": half_as_long_again}

    def chosen_settings(self, rows: int) -> Settings:
        """Return settings that suit the category; a row is learned word by word and says much."""
        chosen: dict[str, Any] = {
            "network.cell": "lstm",
            "network.hidden_size": 64 if rows < FEW else 128 if rows < 5_000 else 256,
            "network.embedding_size": 64 if rows < 5_000 else 256,
            "network.input_dropout": 0.1 if rows < FEW else 0.3,
            "network.output_dropout": 0.1 if rows < FEW else 0.3,
            "training.learning_rate": 3e-3 if rows < 5_000 else 2e-3,
            "training.epochs": epochs_for(rows, seen=300_000, most=100),
            "training.patience": 0,
            "training.average_decay": 0.98 if rows < 5_000 else 0.995,
        }
        if self.input.has_steps:  # there is an encoder
            chosen |= {"network.bidirectional": True, "decoder.attention": "general"}
        return chosen

    def notes_of_settings(self, experiment: Experiment, train: Table) -> list[str]:
        """Say how many targets of the training part are longer than any that may be written."""
        most = experiment.decoding.max_length
        if most is None:
            return []
        lengths = list(map(len, self.encoded_targets(train)))
        longer = sum(length > most for length in lengths)
        if not longer:
            return []
        return [
            f"{longer} of {len(lengths)} answers to learn from have more than decoding.max_length "
            f"= {most} symbols, at which what is written ends; the longest has {max(lengths)}."
        ]
