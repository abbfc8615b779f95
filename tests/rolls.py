"""Piano rolls to the batches that tests train on: next-step examples, cut as asked."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from elman.batches.batching import BucketedBatches, Example, chunks, next_step
from elman.batches.transposed import TransposedBatches
from elman.experiment.data import NEXT
from elman.experiment.training import TrainingSettings
from elman.features.roll import Roll, RollFeature
from elman.tasks.category import explain
from elman.tasks.next_frame import NextFrameTask


def training_batches(
    rolls: Sequence[Roll], feature: RollFeature, settings: TrainingSettings, seed: int
) -> BucketedBatches | TransposedBatches:
    """Prepare the training split, as the settings ask for it.

    Args:
        rolls: each (T, 88).
        feature: encodes them.
        settings: `batch_size`, `augment_transpose`, and `chunk_length` where `carry_state` is off;
            chunks that carry their state are the trainer's to cut.
        seed: of order and transpositions.
    """

    def examples(some: Sequence[ArrayLike]) -> list[Example]:
        whole = [next_step(feature.encode(roll)) for roll in some]
        return whole if settings.carry_state else chunks(whole, settings.chunk_length)

    if not settings.augment_transpose:
        return BucketedBatches(examples(rolls), settings.batch_size, seed=seed)
    return TransposedBatches(
        rolls, examples, settings.augment_transpose, batch_size=settings.batch_size, seed=seed
    )


def evaluation_batches(
    rolls: Sequence[ArrayLike], feature: RollFeature, batch_size: int
) -> BucketedBatches:
    """Prepare rolls, each (T, 88), for evaluation: whole, untouched, always in the same order."""
    examples = [next_step(feature.encode(roll)) for roll in rolls]
    return BucketedBatches(examples, batch_size, seed=0, shuffle=False)


def roll_task() -> NextFrameTask:
    """The task of a corpus of piano rolls, whose feature needs no fitting."""
    feature = RollFeature()
    return NextFrameTask(
        category="many-to-many",
        input_columns=("roll",),
        target_columns=(NEXT,),
        input=feature,
        target=feature,
        objective={"name": "roll"},
        sentence=explain(feature, None, "many-to-many"),
    )
