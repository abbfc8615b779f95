"""What a network is asked: its columns, their features, the category and the objective.

A task is of one of the classes below, each in its own file. A class knows its batches, its default
settings and what its network needs beside its own options; the rooms above, which predict, score
and show, keep a table with an entry for each class and look the class up once, at their door.

| class            | asks for                                                | file            |
| ---------------- | ------------------------------------------------------- | --------------- |
| `PredictionTask` | a target a row, or one a step                           | `prediction.py` |
| `NextStepTask`   | the next token of a text or the next symbol of a list   | `next_step.py`  |
| `NextFrameTask`  | the next frame of a piano roll                          | `next_frame.py` |
| `WritingTask`    | a text or symbols of a length of their own              | `writing.py`    |
| `ForecastTask`   | the next values of series                               | `forecast.py`   |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from elman.batches.batching import Batch, Batches, BucketedBatches, Example, Targets, chunks
from elman.batches.encoding import EncodedExamples, Ragged, encode
from elman.batches.streams import StreamBatches
from elman.data.table import Table
from elman.errors import DataError, ExperimentError
from elman.experiment import Experiment, NetworkSpec
from elman.experiment.decoder import DecodingSpec
from elman.experiment.training import TrainingSettings
from elman.features.feature import Feature
from elman.networks.objectives import OBJECTIVES, Objective, objective_from_json
from elman.tasks.defaults import Settings, column_settings, with_common_settings


@dataclass(frozen=True)
class Task(ABC):
    """What a network is asked: fitted features of its input and target, and what joins them.

    Attributes:
        category: one of the five, see `tasks.category`.
        input_columns: whose cells are a row's input, in this order.
        target_columns: whose cells are its target; `next` alone where that is the input moved on.
        input: feature of the input.
        target: feature of the target.
        objective: name and options of what the outputs are for.
        sentence: all of this in words.
        notes: what was assumed, a sentence each.
    """

    category: str
    input_columns: tuple[str, ...]
    target_columns: tuple[str, ...]
    input: Feature
    target: Feature
    objective: Mapping[str, Any]
    sentence: str
    notes: tuple[str, ...] = ()

    has_target_columns: ClassVar[bool] = True
    """Whether targets have columns of their own; else they are the input moved on."""
    rows_name: ClassVar[str] = "rows"
    """What the rows of a part are called."""
    scores_training: ClassVar[bool] = False
    """Whether the training part is scored in the end, as the literature does."""
    decodes: ClassVar[bool] = False
    """Whether outputs are decoded into a sequence of their own length."""
    transposes: ClassVar[bool] = False
    """Whether the training part can be transposed."""

    @property
    def objective_class(self) -> type[Objective]:
        """The class of the objective."""
        return OBJECTIVES[self.objective["name"]]

    @property
    def targets(self) -> Targets:
        """What has a target: every step, every row, or the target is a sequence of its own."""
        return self.objective_class.targets

    def make_objective(self) -> Objective:
        """Build the objective, with new weights where it has any."""
        return objective_from_json(self.objective)

    def to_json(self) -> dict[str, Any]:
        """Describe the task in JSON values, for `tasks.find.task_from_json`."""
        return {
            "category": self.category,
            "input_columns": list(self.input_columns),
            "target_columns": list(self.target_columns),
            "input": self.input.to_json(),
            "target": self.target.to_json(),
            "objective": dict(self.objective),
            "sentence": self.sentence,
        }

    def examples(self, table: Table, cache: Path | None = None) -> Any:
        """Encode the inputs and targets of all rows, or read them from the cache."""
        inputs = self.encoded_inputs(table, cache)
        targets = encode(table, range(len(table)), self.target_columns, self.target, cache=cache)
        return EncodedExamples(inputs, targets)

    def training_batches(
        self, table: Table, settings: TrainingSettings, seed: int, cache: Path | None = None
    ) -> Batches:
        """Prepare the training part: rows of like length, cut as the settings ask.

        Args:
            table: the training part.
            settings: `batch_size`, `chunk_length`, `carry_state`, `augment_transpose`.
            seed: of the order.
            cache: folder for what has been encoded; None to hold it in memory.
        """
        examples = self.examples(table, cache)
        if settings.chunk_length and not settings.carry_state:
            examples = chunks(examples, settings.chunk_length)
        elif self._is_recording(examples, settings):
            stream, targets = examples[0]
            return StreamBatches(
                stream,
                settings.batch_size,
                settings.chunk_length,
                targets=targets,
                seed=seed,
                vary_cuts=True,
            )
        return BucketedBatches(examples, settings.batch_size, seed=seed, **self._form)

    def evaluation_batches(
        self, table: Table, batch_size: int, cache: Path | None = None
    ) -> Batches:
        """Prepare a part for evaluation: whole, untouched, always in the same order."""
        examples = self.examples(table, cache)
        return BucketedBatches(examples, batch_size, seed=0, shuffle=False, **self._form)

    @property
    def _form(self) -> dict[str, Any]:
        return {"has_steps": self.input.has_steps, "targets": self.targets}

    def _is_recording(self, examples: Any, settings: TrainingSettings) -> bool:
        """Tell whether the training part is one row, long enough to be a batch of its own.

        Like a text it is then cut into `batch_size` rows that are read side by side, for one row
        at a time would leave most of a processor idle.
        """
        long = settings.batch_size * settings.chunk_length
        one = len(examples) == 1 and self.targets == "step"
        return one and 0 < long <= len(examples[0].input)

    def input_batches(self, table: Table, batch_size: int) -> tuple[Iterator[Batch], list[int]]:
        """Prepare rows without targets, of like length together.

        Returns:
            The batches; and the row of the table that each of their rows is, one after another.
        """
        encoded = list(self.encoded_inputs(table))
        lengths = [len(x) if self.input.has_steps else 1 for x in encoded]
        order = sorted(range(len(encoded)), key=lengths.__getitem__)
        nothing = torch.zeros(())
        rows = [Example(encoded[row], nothing) for row in order]
        batches = BucketedBatches(
            rows,
            batch_size,
            seed=0,
            shuffle=False,
            has_steps=self.input.has_steps,
            targets="row",
        )
        return batches.epoch(0), order

    def encoded_inputs(self, table: Table, cache: Path | None = None) -> Ragged:
        """Encode the inputs of all rows, or read them from the cache."""
        return encode(table, range(len(table)), self.input_columns, self.input, cache=cache)

    def encoded_targets(self, table: Table) -> Iterator[Tensor]:
        """Encode the target of every row, or where it is the input moved on, the input."""
        columns = self.target_columns if self.has_target_columns else self.input_columns
        for value in table.values(columns):
            yield self.target.encode(value)

    def base_rates(self, train: Table) -> Tensor | None:
        """Measure how often each answer is right, as the outputs that predict just that, (O,).

        Args:
            train: the training part.

        Returns:
            The outputs; None where answers are not counted.
        """
        return self.make_objective().base_rates(self.encoded_targets(train))

    def settings(self, experiment: Experiment, train: Table) -> Settings:
        """Return all settings that nobody need give: columns, kinds, and those that suit the task.

        Args:
            experiment: what was given.
            train: the training part.
        """
        return column_settings(self, experiment, train) | self.default_settings(len(train))

    def default_settings(self, rows: int) -> Settings:
        """Return settings that suit the task and the number of training rows."""
        return with_common_settings(self.category, rows, self.chosen_settings(rows))

    @abstractmethod
    def chosen_settings(self, rows: int) -> Settings:
        """Return the settings that suit this task more than those common to all tasks."""

    def check(self, experiment: Experiment) -> None:
        """Refuse settings that have no meaning in this task.

        Raises:
            ExperimentError: there is such a setting.
        """
        if experiment.decoding != DecodingSpec() and not self.decodes:
            raise ExperimentError(
                "[decoding] says how an answer of its own length is searched for, and this task is "
                f"{self.sentence}; leave it out."
            )
        if experiment.training.augment_transpose and not self.transposes:
            raise ExperimentError(
                "training.augment_transpose transposes piano rolls, and this task is "
                f"{self.sentence}; leave it out."
            )

    def check_targets(self, parts: Sequence[Table]) -> None:
        """Refuse a target that is missing where it is needed for scores, before hours of training.

        Raises:
            DataError: there is one; file, row and column are named.
        """
        if self.has_target_columns and not self.target.predicts_names:
            for part in parts:
                encode(part, range(len(part)), self.target_columns, self.target, cache=None)

    def network_arguments(self, experiment: Experiment) -> dict[str, Any]:
        """Return what a builder needs beside the options of the network: those of its other parts.

        Args:
            experiment: complete.
        """
        return {"decoder": experiment.decoder.arguments()}

    def caveat(self, network: NetworkSpec) -> str:
        """Say what a network's loss is not, where it sees what it is asked for; else nothing."""
        del network
        return ""

    def notes_of_settings(self, experiment: Experiment, train: Table) -> list[str]:
        """Say what the settings will do to the training part, a sentence each."""
        del experiment, train
        return []


def refuse_no_steps(task: Task, table: Table, inputs: Ragged) -> None:
    """Refuse, by its place, a row without a step to have a target."""
    for row in (inputs.lengths == 0).nonzero()[0]:
        raise DataError(
            f"{table.where(int(row))}: {', '.join(task.input_columns)} has no steps, so there is "
            "nothing to answer. Fill it in or remove the row."
        )
