"""The task of predicting one target per row, or one for each step of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from elman.batches.augmented import AUGMENTATIONS, AugmentedBatches
from elman.batches.batching import Batches
from elman.batches.encoding import EncodedExamples
from elman.data.table import Table
from elman.errors import counted
from elman.evaluation.leading import MOST_NAMED
from elman.experiment import Experiment
from elman.experiment.training import TrainingSettings
from elman.features.mixture import MixtureFeature
from elman.networks.objectives import Classification
from elman.tasks.alignment import unequal_steps
from elman.tasks.defaults import FEW, FEW_TEXTS, MANY, Settings, chosen_by_score, epochs_for
from elman.tasks.objective import RARE, TIMES, class_weights, counts_of_classes
from elman.tasks.of_series import settings_of_series
from elman.tasks.task import Task, refuse_no_steps


@dataclass(frozen=True)
class PredictionTask(Task):
    """One target per row: a class, labels, a number; or one per step: tags, numbers.

    A target may also be a sequence of its own length in the order of the input, as a transcription
    is (CTC).
    """

    def examples(self, table: Table, cache: Path | None = None) -> EncodedExamples:
        """Encode inputs and targets; targets per step must have as many steps as their input."""
        encoded: EncodedExamples = super().examples(table, cache)
        if self.targets == "step":
            refuse_no_steps(self, table, encoded.inputs)
            inputs, targets = encoded.inputs.lengths, encoded.targets.lengths
            for row in np.flatnonzero(inputs != targets):
                steps = int(row), int(inputs[row]), int(targets[row])
                raise unequal_steps(table, steps, self.columns_of_steps, self.target_columns)
        return encoded

    def settings(self, experiment: Experiment, train: Table) -> Settings:
        """Return a default for every setting."""
        of_rare = self._settings_of_rare(experiment, train)
        of_series = settings_of_series(self, experiment, train)
        return super().settings(experiment, train) | of_rare | of_series

    def _settings_of_rare(self, experiment: Experiment, train: Table) -> Settings:
        """Return settings by which rare classes are learned; none where there are none.

        Of few rows hardly one or none of a rare class is a validation row: these would stop the
        training, or choose an epoch, before that class is ever answered.
        """
        if not self.rare_classes(train):
            return {}
        given = experiment.training.model_fields_set & {"select", "patience", "average_patience"}
        few = len(train) < FEW_TEXTS and not given
        last = {"training.select": "last", "training.patience": 0}
        return {"network.class_weights": "rare", **(last if few else {})}

    def rare_classes(self, train: Table) -> dict[str, int]:
        """Return the rare classes of the training part with their rows, the rarest first.

        A rare one has fewer than `RARE` rows, and the commonest has `TIMES` as many as it.
        """
        if not self.has_classes:
            return {}
        rows = counts_of_classes(self.target, train, self.target_columns).int().tolist()
        names: Sequence[Any] = getattr(self.target, "names")  # noqa: B009 - a class has them
        most = min(RARE - 1, max(rows) // TIMES)
        rare = {str(names[n]): count for n, count in enumerate(rows) if 0 < count <= most}
        return dict(sorted(rare.items(), key=lambda each: each[1]))

    def notes_of_settings(self, experiment: Experiment, train: Table) -> list[str]:
        """Say which classes count for more because they are rare."""
        rare = self.rare_classes(train) if experiment.network.class_weights == "rare" else {}
        if not rare:
            return []
        listed = [f"{name!r} ({counted(rows, 'row')})" for name, rows in rare.items()][:MOST_NAMED]
        more = [f"{len(rare) - len(listed)} more"] * (len(rare) > len(listed))
        return [
            f"a class of fewer than {RARE} training rows counts for more, so that it is learned, "
            f"too: {', '.join(listed + more)}. Accuracy may fall a little where classes are hard "
            "to tell apart; --set class_weights=none (network.class_weights) turns it off."
        ]

    @property
    def can_be_folded(self) -> bool:
        """Whether there is one answer a row, to one target."""
        return self.targets == "row" and "parts" not in self.objective

    def as_settled(self, experiment: Experiment, train: Table) -> PredictionTask:
        """Return the task, its labels smoothed and its classes weighted as the settings say."""
        if not self.has_classes:
            return self
        network = experiment.network
        weights = class_weights(network.class_weights, self.target, train, self.target_columns)
        chosen = {"label_smoothing": network.label_smoothing, "class_weights": weights}
        given = {name: value for name, value in chosen.items() if value}
        others = {name: value for name, value in self.objective.items() if name not in chosen}
        return replace(self, objective=others | given)

    @property
    def smooths_labels(self) -> bool:
        """Whether the probability of one class a row can be spread over all."""
        return self.has_classes

    @property
    def has_classes(self) -> bool:
        """Whether a row has one of several classes."""
        return self.target.is_class and self.objective["name"] == Classification.name

    def network_arguments(self, experiment: Experiment) -> dict[str, Any]:
        """Return what building the network needs beside its own options."""
        folds = {"members": experiment.training.folds} if experiment.training.folds else {}
        return {**super().network_arguments(experiment), **folds}

    @property
    def augments(self) -> bool:
        """Whether training rows are series of numbers with one target each."""
        return self.targets == "row" and self.input.scaled_numbers > 0

    def training_batches(
        self, table: Table, settings: TrainingSettings, seed: int, cache: Path | None = None
    ) -> Batches:
        """Batch the training part, its series changed at random as the settings say."""
        batches = super().training_batches(table, settings, seed, cache)
        if not any(getattr(settings, name) for name in AUGMENTATIONS):
            return batches
        return AugmentedBatches(batches, settings, numbers=self.input.scaled_numbers, seed=seed)

    def chosen_settings(self, rows: int) -> Settings:
        """Return settings that suit the category, the kinds of columns and the size of the data."""
        return _OF_CATEGORY[self.category](self, rows)


@dataclass(frozen=True)
class FramesTask(PredictionTask):
    """One frame of a piano roll per step, from a target column: a harmony to a melody, say."""

    scores_training: ClassVar[bool] = True


def _one_to_one(task: Task, rows: int) -> Settings:
    del task, rows
    return {
        "network.head": [128, 128],
        "network.output_dropout": 0.1,
        "network.embedding_size": 16,
        "training.learning_rate": 1e-3,
        "training.weight_decay": 0.01,
    }


def _many_to_one(task: Task, rows: int) -> Settings:
    if isinstance(task.input, MixtureFeature):  # columns may mean something together alone
        return _of_one_sequence(task, rows) | {"network.head": [64 if rows < FEW else 128]}
    return _of_one_sequence(task, rows)


def _of_one_sequence(task: Task, rows: int) -> Settings:
    if task.input.writable:
        return _reading(task, rows)
    forecast = not task.target.predicts_names
    heavy = task.input.reads_files
    return {
        "network.cell": "gru",
        "network.hidden_size": 32 if rows < FEW else 64 if rows < 2_000 else 128,
        "network.bidirectional": not forecast,
        "network.pooling": "last" if forecast else "mean",
        "network.output_dropout": 0.3,
        "training.learning_rate": 3e-3,
        "training.weight_decay": 0.05,
        "training.epochs": epochs_for(rows, seen=60_000 if heavy else 200_000),
    }


def _reading(task: Task, rows: int) -> Settings:
    """Texts are memorised within a few epochs, so they get few, and much dropout."""
    ids = task.input.main.encoding.ids
    reads_words = bool(ids) and ids[0] > 300
    chosen: Settings = {
        "network.bidirectional": True,
        "network.pooling": "max",
        "network.output_dropout": 0.5,
        "training.weight_decay": 0.05,
        **chosen_by_score(rows),
    }
    if reads_words:
        return chosen | {
            "network.cell": "lstm",
            "network.hidden_size": 128,
            "network.embedding_size": 128,
            "network.input_dropout": 0.5,
            "network.word_dropout": 0.05,
            "training.learning_rate": 2e-3,
            "training.epochs": epochs_for(rows, seen=60_000, least=4, most=30),
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
        "training.epochs": epochs_for(rows, seen=320_000, most=30),
        **slow,
    }


def _many_to_many(task: Task, rows: int) -> Settings:
    if task.input.writable:
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
            "training.epochs": epochs_for(rows, seen=150_000, most=20),
            **chosen_by_score(rows),
        }
    return {
        "network.cell": "gru",
        "network.hidden_size": 64,
        "network.bidirectional": task.target.predicts_names,
        "network.output_dropout": 0.3,
        "training.learning_rate": 3e-3,
        "training.weight_decay": 0.05,
    }


_OF_CATEGORY = {
    "one-to-one": _one_to_one,
    "many-to-one": _many_to_one,
    "many-to-many": _many_to_many,
}
"""Category → settings that suit it."""
