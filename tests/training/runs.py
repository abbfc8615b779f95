"""Small trainings on random piano rolls, for the tests of the loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from elman.batches.batching import Batch, BucketedBatches
from elman.experiment.training import TrainingSettings
from elman.features.roll import RollFeature
from elman.networks import ManyToMany, many_to_many
from elman.training.callbacks import Callback
from elman.training.history import History
from elman.training.progress import Progress
from elman.training.trainer import Score, fit
from rolls import evaluation_batches, training_batches

FEATURE = RollFeature()


def rolls(*lengths: int, seed: int = 3) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [(random.random((length, 88)) < 0.05).astype(np.uint8) for length in lengths]


def network(cell: str = "gru", **options: Any) -> ManyToMany:
    torch.manual_seed(11)
    sizes = {"input_size": 88, "output_size": 88, "hidden_size": 5}
    return many_to_many(cell=cell, **sizes | options)


def train_in(
    directory: Path,
    net: ManyToMany,
    seed: int = 1,
    *,
    resume: bool = False,
    score: Score | None = None,
    callbacks: Sequence[Callback] = (),
    progress: Progress | None = None,
    **settings: Any,
) -> History:
    chosen = TrainingSettings(
        **{"epochs": 4, "batch_size": 2, "learning_rate": 0.02, "accelerator": "cpu"} | settings
    )
    return fit(
        net,
        FEATURE.loss,
        InterruptedIn(training_batches(rolls(7, 3, 11, 8, 5), FEATURE, chosen, seed)),
        evaluation_batches(rolls(6, 9, 4, seed=4), FEATURE, 2),
        chosen,
        directory=directory,
        seed=seed,
        resume=resume,
        score=score,
        callbacks=callbacks,
        progress=progress,
    )


class InterruptedIn:
    """Batches during which someone presses Ctrl-C, once, in the epoch `epoch_to_interrupt`."""

    epoch_to_interrupt: int | None = None

    def __init__(self, batches: BucketedBatches) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, n: int) -> Iterator[Batch]:
        for index, batch in enumerate(self.batches.epoch(n)):
            if n == type(self).epoch_to_interrupt and index == 1:
                type(self).epoch_to_interrupt = None
                raise KeyboardInterrupt
            yield batch


def without_seconds(history: History) -> list[dict[str, float]]:
    return [record.model_dump(exclude={"seconds"}) for record in history.epochs]


def assert_same_weights(one: ManyToMany, other: ManyToMany) -> None:
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, other.state_dict()[name]), name


def differ(one: ManyToMany, other: ManyToMany) -> bool:
    there = other.state_dict()
    return any(not torch.equal(weight, there[name]) for name, weight in one.state_dict().items())
