"""What is predicted from what: the columns, their features, the category and the objective.

A task belongs to one of the classes below, one file each. A class knows its batches, its default
settings and what its network needs beside its own options. The rooms above, which predict, score
and report, each keep a table with an entry per class and look the class up once.

| class            | predicts                                                | file            |
| ---------------- | ------------------------------------------------------- | --------------- |
| `PredictionTask` | one target per row, or one per step                     | `prediction.py` |
| `JointTask`      | several targets per row, or per step                    | `joint.py`      |
| `NextStepTask`   | the next token of a text or the next symbol of a list   | `next_step.py`  |
| `NextFrameTask`  | the next frame of a piano roll                          | `next_frame.py` |
| `WritingTask`    | a text or symbols of their own length                   | `writing.py`    |
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

from elman.batches.augmented import AUGMENTATIONS
from elman.batches.batching import Batch, Batches, BucketedBatches, Example, Targets, chunks
from elman.batches.encoding import EncodedExamples, Ragged, RaggedParts, encode, encode_inputs
from elman.batches.inputs import InputLayout, OneInput, SeveralInputs
from elman.batches.streams import StreamBatches
from elman.data.table import Table
from elman.errors import DataError, ExperimentError
from elman.experiment import Experiment, NetworkSpec
from elman.experiment.decoder import DecodingSpec
from elman.experiment.training import TrainingSettings
from elman.features.feature import Encodings, Feature
from elman.networks.objectives import OBJECTIVES, Objective, objective_from_json
from elman.tasks.alignment import columns_of_steps
from elman.tasks.defaults import Settings, column_settings, with_common_settings


@dataclass(frozen=True)
class Task(ABC):
    """What is predicted from what: fitted features of input and target, and the objective.

    Attributes:
        category: one of the five, see `tasks.category`.
        input_columns: columns that make a row's input, in this order.
        target_columns: columns that make its target; `next` alone where the target is the input
            shifted by one step.
        input: feature of the input.
        target: feature of the target.
        objective: name and options of the objective.
        sentence: the task in words.
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
    """Whether targets have columns of their own; else they are the input shifted by one step."""
    rows_name: ClassVar[str] = "rows"
    """What the rows of a part are called."""
    shuffles_steps: ClassVar[bool] = False
    """Whether a column is shuffled by single steps, to see what it contributes, not by cells."""
    scores_training: ClassVar[bool] = False
    """Whether the training part is scored too, as the literature does."""
    decodes: ClassVar[bool] = False
    """Whether outputs are decoded into a sequence of their own length."""
    transposes: ClassVar[bool] = False
    """Whether the training part can be transposed."""

    @property
    def can_be_folded(self) -> bool:
        """Whether networks that each hold out other rows can answer together."""
        return False

    def as_settled(self, experiment: Experiment, train: Table) -> Task:
        """Return the task with the options of its objective that follow from the settings.

        Args:
            experiment: complete.
            train: the training part.
        """
        del experiment, train
        return self

    @property
    def smooths_labels(self) -> bool:
        """Whether the probability of one class a row can be spread over all."""
        return False

    @property
    def augments(self) -> bool:
        """Whether training rows are series of numbers that can be changed at random."""
        return False

    @property
    def objective_class(self) -> type[Objective]:
        """The class of the objective."""
        return OBJECTIVES[self.objective["name"]]

    @property
    def targets(self) -> Targets:
        """What has a target: each step, each row, or the target is a sequence of its own length."""
        return self.objective_class.targets

    @property
    def can_be_cut(self) -> bool:
        """Whether a sequence may end at any step and still have a loss."""
        return self.objective_class.can_be_cut

    def make_objective(self) -> Objective:
        """Build the objective, with new weights where it has any."""
        return objective_from_json(self.objective)

    def batches(
        self,
        train: Table,
        valid: Table,
        experiment: Experiment,
        settings: TrainingSettings,
        seed: int,
        cache: Path | None = None,
    ) -> tuple[Any, Any]:
        """Return the batches of training and those of validation.

        Args:
            train: the training part.
            valid: the validation part.
            experiment: complete.
            settings: of the training.
            seed: random seed of the order.
            cache: a directory for what is encoded once; None to keep it in memory.
        """
        del experiment
        return (
            self.training_batches(train, settings, seed, cache),
            self.evaluation_batches(valid, settings.batch_size, cache),
        )

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
        """Batch the training part: rows of similar length, cut as the settings say.

        Args:
            table: the training part.
            settings: `batch_size`, `chunk_length`, `carry_state`, `augment_transpose`.
            seed: fixes the order of the rows.
            cache: folder for encoded rows; None to keep them in memory.
        """
        examples = self.examples(table, cache)
        if settings.chunk_length and not settings.carry_state:
            examples = chunks(examples, settings.chunk_length, self.input_layout)
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
        """Batch a part for evaluation: all rows uncut, always in the same order."""
        examples = self.examples(table, cache)
        return BucketedBatches(examples, batch_size, seed=0, shuffle=False, **self._form)

    @property
    def columns_of_steps(self) -> Sequence[str]:
        """The columns whose steps a row has: those of its main sequence."""
        return columns_of_steps(self.input, self.input_columns)

    @property
    def _form(self) -> dict[str, Any]:
        return {"inputs": self.input_layout, "targets": self.targets}

    @property
    def input_layout(self) -> InputLayout:
        """How the encoded inputs lie in a batch."""
        encoding: Any = self.input.encoding
        if isinstance(encoding, Encodings):
            return SeveralInputs(len(encoding.sequences))
        return OneInput(self.input.has_steps)

    def _is_recording(self, examples: Any, settings: TrainingSettings) -> bool:
        """Tell whether the training part is one row, long enough to be a batch of its own.

        Like a text it is then cut into `batch_size` rows that are read in parallel: one row at a
        time would leave most of a processor idle.
        """
        long = settings.batch_size * settings.chunk_length
        one = (
            len(examples) == 1
            and self.targets == "step"
            and isinstance(self.input_layout, OneInput)
        )
        return one and 0 < long <= len(examples[0].input)

    def input_batches(self, table: Table, batch_size: int) -> tuple[Iterator[Batch], list[int]]:
        """Batch rows without targets, sorted by length.

        Returns:
            The batches; and the place in the table of each of their rows, in order.
        """
        encoded = list(self.encoded_inputs(table))
        lengths = list(map(self.input_layout.steps, encoded))
        order = sorted(range(len(encoded)), key=lengths.__getitem__)
        no_target = torch.zeros(())
        rows = [Example(encoded[row], no_target) for row in order]
        batches = BucketedBatches(
            rows,
            batch_size,
            seed=0,
            shuffle=False,
            inputs=self.input_layout,
            targets="row",
        )
        return batches.epoch(0), order

    @property
    def measured_columns(self) -> tuple[str, ...]:
        """The columns whose contribution to a score can be measured by shuffling them."""
        return self.input_columns

    def encoded_inputs(self, table: Table, cache: Path | None = None) -> Ragged | RaggedParts:
        """Encode the inputs of all rows, or read them from the cache."""
        return encode_inputs(table, self.input_columns, self.input, cache=cache)

    def encoded_targets(self, table: Table) -> Iterator[Tensor]:
        """Encode the target of every row; where that is the shifted input, the input."""
        columns = self.target_columns if self.has_target_columns else self.input_columns
        for value in table.values(columns):
            yield self.target.encode(value)

    def base_rates(self, train: Table) -> Tensor | None:
        """Return the outputs that predict the base rates of the targets, (O,).

        Args:
            train: the training part.

        Returns:
            The outputs; None where targets are not counted.
        """
        return self.make_objective().base_rates(self.encoded_targets(train))

    def settings(self, experiment: Experiment, train: Table) -> Settings:
        """Return a default for every setting: columns, kinds, and those that suit the task.

        Args:
            experiment: with the settings that were given.
            train: the training part.
        """
        return column_settings(self, experiment, train) | self.default_settings(len(train))

    def default_settings(self, rows: int) -> Settings:
        """Return settings that suit the task and the number of training rows."""
        return with_common_settings(self.category, rows, self.chosen_settings(rows))

    @abstractmethod
    def chosen_settings(self, rows: int) -> Settings:
        """Return the settings in which this task differs from the common defaults."""

    def check(self, experiment: Experiment) -> None:
        """Refuse settings that have no meaning in this task.

        Raises:
            ExperimentError: there is such a setting.
        """
        if experiment.decoding != DecodingSpec() and not self.decodes:
            raise ExperimentError(
                "[decoding] says how a sequence is decoded, and this task decodes none: "
                f"{self.sentence}; leave it out."
            )
        self._check_augmentation(experiment.training)
        if experiment.training.augment_transpose and not self.transposes:
            raise ExperimentError(
                "training.augment_transpose transposes piano rolls, and this task is "
                f"{self.sentence}; leave it out."
            )

    def _check_augmentation(self, settings: TrainingSettings) -> None:
        """Refuse to change series of numbers at random where the rows are none."""
        for name in AUGMENTATIONS:
            value = getattr(settings, name)
            if value and not self.augments:
                raise ExperimentError(
                    f"training.{name} = {value:g} changes series of numbers with one target each, "
                    f"and this task is {self.sentence}; leave it out."
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
        """Return what building the network needs beside its own options.

        Args:
            experiment: complete.
        """
        return {"decoder": experiment.decoder.arguments()}

    def caveat(self, network: NetworkSpec) -> str:
        """Say that the loss measures no prediction where the network sees its target; else `""`."""
        del network
        return ""

    def notes_of_settings(self, experiment: Experiment, train: Table) -> list[str]:
        """Say what the settings will do to the training part, a sentence each."""
        del experiment, train
        return []

    def notes_of_later(self, table: Table) -> list[str]:
        """Return notes on validation and test rows that training rows do not prepare for.

        Args:
            table: the last part; of series, with what is before it.
        """
        del table
        return []


def refuse_no_steps(task: Task, table: Table, inputs: Ragged | RaggedParts) -> None:
    """Refuse a row without steps, and name its place."""
    for row in (inputs.lengths == 0).nonzero()[0]:
        raise DataError(
            f"{table.where(int(row))}: {', '.join(task.columns_of_steps)} has no steps, so there "
            "is nothing to predict. Fill it in or remove the row."
        )
