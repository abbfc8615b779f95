"""What the page of a comparison shows of its networks: gradient flow, generated texts, music."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from elman.batches.batching import BucketedBatches, next_step
from elman.data.table import Table
from elman.features.roll import Roll, as_roll
from elman.inspection.gradient_flow import GradientFlow, gradient_flow
from elman.models.model import Model
from elman.models.network import untrained_network
from elman.music.midi import can_write_midi, write_midi
from elman.networks import ManyToMany
from elman.report.facts.flow import flow_of
from elman.report.run.facts import Flow
from elman.tasks.dividing import Parts
from elman.tasks.next_step import NextStepTask

WRITTEN_STEPS, TEMPERATURE = 300, 0.8
"""How many characters, words or symbols a network generates, and at which temperature."""
SAMPLING = f"Sampled at temperature {TEMPERATURE} with random seed 1, without a prompt."
"""How texts are sampled, in a sentence."""
COMPOSED_FRAMES = 96
FLOW_PIECES = 16
FLOW_FRAMES = 100
"""Gradient flow is measured over so many frames of so many pieces."""


class Flows(NamedTuple):
    """The gradient flow of each cell before and after training, and how it was measured."""

    by_cell: Mapping[str, tuple[GradientFlow, GradientFlow]]
    reading: Flow | None
    """That of one of the trained networks; None where none was measured."""


def flows_of(models: Mapping[str, Model], parts: Parts) -> Flows:
    """Measure how the gradient of each cell's network fades; nothing where it cannot be measured.

    Args:
        models: cell → its trained network.
        parts: parts of the data; validation rows are read, the same for every cell.
    """
    by_cell: dict[str, tuple[GradientFlow, GradientFlow]] = {}
    reading = None
    for cell, model in models.items():
        after = flow_of(model, parts.valid)
        before = None if after is None else flow_of(_untrained(model, parts.train), parts.valid)
        if before is None or after is None:
            continue
        by_cell[cell] = before.directions["forward"], after.directions["forward"]
        reading = after
    return Flows(by_cell, reading)


def roll_flows(model: Model, parts: Parts) -> tuple[GradientFlow, GradientFlow]:
    """Measure the gradient flow of the last frame's loss, before and after training.

    Args:
        model: a trained model of piano rolls; the untrained one is built again from its seed.
        parts: parts of the data; the longest validation pieces are read up to the same frame,
            `FLOW_FRAMES` or the end of the shortest of them, so that the mean at every distance is
            over all of them.
    """
    rolls = map(as_roll, parts.valid.values(model.task.input_columns))
    longest = sorted(rolls, key=len, reverse=True)[:FLOW_PIECES]
    frames = min(FLOW_FRAMES, max(1, len(longest[-1])))
    feature: Any = model.task.input
    examples = [next_step(feature.encode(roll[:frames])) for roll in longest]
    batch = next(BucketedBatches(examples, FLOW_PIECES, seed=0, shuffle=False).epoch(0))
    before, after = (
        gradient_flow(
            cast(ManyToMany, each.network),
            batch.input,
            batch.target,
            feature.frame_nll,
            lengths=batch.lengths,
        )
        for each in (_untrained(model, parts.train), model)
    )
    return before, after


def _untrained(model: Model, train: Table) -> Model:
    """Build a model with the weights that a trained one had before training."""
    return Model(
        model.experiment, model.task, untrained_network(model.experiment, model.task, train)
    )


def texts_by(models: Mapping[str, Model]) -> dict[str, str]:
    """Generate a text with every next-step model of text that does not see the future."""
    texts = {}
    for cell, model in models.items():
        if isinstance(model.task, NextStepTask) and not model.sees_the_future:
            sample = model.generate(WRITTEN_STEPS, seed=1, temperature=TEMPERATURE)
            texts[cell] = sample if isinstance(sample, str) else " ".join(map(str, sample))
    return texts


def compose_with(
    models: Mapping[str, Model], out: Path, *, frames_per_beat: int
) -> dict[str, Roll]:
    """Generate a piece with every model, and write it as a MIDI file named after its cell."""
    composed = {}
    for cell, model in models.items():
        composed[cell] = model.generate(COMPOSED_FRAMES, seed=1)
        if can_write_midi():
            write_midi(composed[cell], out / f"{cell}.mid", frames_per_beat=frames_per_beat)
    return composed


def real_piece(parts: Parts, columns: tuple[str, ...]) -> Roll:
    """Return the beginning of a real piece to show beside generated ones, a long one if any."""
    shown = parts.valid if parts.test is None else parts.test
    rolls = [as_roll(roll) for roll in shown.values(columns)]
    long_enough = [roll for roll in rolls if len(roll) >= COMPOSED_FRAMES]
    return (long_enough or rolls)[0][:COMPOSED_FRAMES]
