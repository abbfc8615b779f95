"""The task of predicting the next frame of a piano roll."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from elman.batches.batching import Batches, Example, chunks, next_step
from elman.batches.inputs import main_part
from elman.batches.transposed import TransposedBatches
from elman.data.table import Table
from elman.experiment import NetworkSpec
from elman.experiment.training import TrainingSettings
from elman.tasks.defaults import Settings
from elman.tasks.next_step import caveat_of_future
from elman.tasks.task import Task, refuse_no_steps


@dataclass(frozen=True)
class NextFrameTask(Task):
    """The next frame, given all frames before it in the same piece."""

    has_target_columns: ClassVar[bool] = False
    transposes: ClassVar[bool] = True
    scores_training: ClassVar[bool] = True

    def examples(self, table: Table, cache: Path | None = None) -> list[Example]:
        """Encode pieces; targets are the same pieces shifted by one frame."""
        inputs = self.encoded_inputs(table, cache)
        refuse_no_steps(self, table, inputs)
        return [next_step(main_part(x)) for x in inputs]

    def training_batches(
        self, table: Table, settings: TrainingSettings, seed: int, cache: Path | None = None
    ) -> Batches:
        """Batch pieces, their chunks, or pieces transposed anew in each epoch."""
        if not settings.augment_transpose:
            return super().training_batches(table, settings, seed, cache)
        rolls = list(table.values(self.input_columns))

        def examples(pieces: Sequence[Any]) -> list[Example]:
            whole = [next_step(self.input.encode(roll)) for roll in pieces]
            return whole if settings.carry_state else chunks(whole, settings.chunk_length)

        return TransposedBatches(
            rolls, examples, settings.augment_transpose, batch_size=settings.batch_size, seed=seed
        )

    def caveat(self, network: NetworkSpec) -> str:
        """Say that the loss measures no prediction where the network sees the next step."""
        return caveat_of_future(network)

    def chosen_settings(self, rows: int) -> Settings:
        """Return the settings of the recipe on the chorales."""
        del rows
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
