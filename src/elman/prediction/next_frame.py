"""The next frame of piano rolls: its scores, and composing."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from elman.data.table import Table
from elman.evaluation.scores import Scores
from elman.features.roll import Roll
from elman.prediction.next_step import check_sees_no_future
from elman.prediction.predictor import check_sampling
from elman.prediction.rolls import roll_scores
from elman.prediction.targets import TargetPredictor, with_base_rates


class NextFramePredictor(TargetPredictor):
    """Predicts the next frame of piano rolls, and composes."""

    task: Any
    measures_columns: ClassVar[bool] = False

    def _scores(self, table: Table, training: Table | None) -> Scores:
        del training
        batches = self.task.evaluation_batches(table, self.batch_size)
        return roll_scores(self.network, batches.epoch(0), self.device)

    def with_plain_guess(self, scores: Scores, table: Table, training: Table) -> Scores:
        """Add the scores of how often each key sounds."""
        return with_base_rates(self, scores, table, training)

    def generate(self, steps: int, seed: int, *, prime: Any, temperature: float) -> Roll:
        """Sample frames, each from the prediction given all frames before it.

            x(t) ~ Bernoulli(σ(y(t) / temperature)),    y(t) = network(x(t−1), h(t−1))

        Args:
            steps: frames to sample.
            seed: of sampling.
            prime: frames to continue, (P, 88); None begins a piece.
            temperature: below 1 samples likely frames more often, above 1 less often.

        Returns:
            The sampled frames, (steps, 88), without the prime.
        """
        spec = self.experiment.network
        check_sees_no_future(spec.bidirectional, spec.delay)
        generator = check_sampling(steps=steps, temperature=temperature, seed=seed)
        feature, device = self.task.input, self.device
        heard = torch.zeros(1, feature.size)
        if prime is not None:
            heard = torch.cat([heard, feature.encode(prime)])
        frames = []
        x, state = heard[:, None].to(device), None
        with torch.no_grad():
            for _ in range(steps):
                logits, state = self.network(x, state)
                frame = feature.sample(logits[-1:].cpu() / temperature, generator)
                frames.append(frame[0, 0])
                x = frame.to(device)
        composed: Roll = feature.decode(torch.stack(frames))
        return composed
