"""The task of writing a text, or symbols, of their own length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from elman.data.table import Table
from elman.evaluation.leading import OF_SHORT, are_short
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
        settings = super().settings(experiment, train)
        if self._is_short(train):
            settings["score"] = OF_SHORT
        return settings | {"decoding.max_length": half_as_long_again}

    def _is_short(self, train: Table) -> bool:
        """Tell whether written texts are too short on average to be measured by BLEU."""
        if not self.target.has_words or self.input.says_little:
            return False
        words = [len(text.split()) for text in train.values(self.target_columns)]
        return are_short(sum(words), len(words))

    def chosen_settings(self, rows: int) -> Settings:
        """Return settings that suit the category and the size of the data."""
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
        """Say how many training targets are longer than any output may be."""
        max_length = experiment.decoding.max_length
        if max_length is None:
            return []
        lengths = list(map(len, self.encoded_targets(train)))
        longer = sum(length > max_length for length in lengths)
        if not longer:
            return []
        return [
            f"{longer} of {len(lengths)} training targets have more than decoding.max_length = "
            f"{max_length} symbols, where decoding stops; the longest has {max(lengths)}."
        ]
