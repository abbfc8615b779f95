"""How well a network predicts piano rolls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from elman.batches.batching import Batch
from elman.evaluation.language import not_finite
from elman.evaluation.measures import Measured, Scores
from elman.features.roll import RollFeature


class RollMetrics(NamedTuple):
    """How well every frame was predicted from the frames before it.

        accuracy = TP / (TP + FP + FN)          F1 = 2 TP / (2 TP + FP + FN)

    over all keys and frames, a key being predicted where its probability exceeds ½. True
    negatives, which are most of a roll, do not count. Both are 1 where no key was pressed and
    none was predicted.

    Source: Bay, Ehmann & Downie 2009, "Evaluation of multiple-F0 estimation and tracking
    systems", §3.
    """

    nll: float
    """Negative log-likelihood in nats, summed over keys, mean over frames."""
    frames: int
    """Frames predicted, the first of every piece included."""
    accuracy: float
    f1: float


def measure(
    network: nn.Module,
    frame_nll: Callable[[Tensor, Tensor], Tensor],
    batches: Iterable[Batch],
    device: torch.device,
) -> RollMetrics:
    """Predict every frame of whole sequences and measure the predictions.

    Args:
        network: called as `network(x, lengths=lengths)`, returns logits (T, B, 88) and a state.
        frame_nll: logits and targets, (T, B, 88) each, → (T, B).
        batches: whole sequences.
        device: where the network is.
    """
    network.eval()
    nll, frames, hits, played, predicted = 0.0, 0, 0, 0, 0
    with torch.no_grad():
        for batch in batches:
            x, target, lengths, *_ = batch.to(device)
            logits, _ = network(x, lengths=lengths)
            real = torch.arange(len(x), device=device)[:, None] < lengths
            nll += float(frame_nll(logits, target)[real].double().sum())
            frames += int(real.sum())
            prediction, truth = logits[real] > 0, target[real] > 0
            hits += int((prediction & truth).sum())
            played += int(truth.sum())
            predicted += int(prediction.sum())
    either = played + predicted - hits
    return RollMetrics(
        nll=nll / frames,
        frames=frames,
        accuracy=hits / either if either else 1.0,
        f1=2 * hits / (played + predicted) if either else 1.0,
    )


def roll_scores(network: nn.Module, batches: Iterable[Batch], device: torch.device) -> Scores:
    """Measure the predictions of frames.

    Args:
        network: returns logits (T, B, 88) and a state.
        batches: whole sequences with their targets.
        device: where the network is.
    """
    metrics = measure(network, RollFeature().frame_nll, batches, device)
    measured = Measured()
    for name in ("nll", "accuracy", "f1"):
        measured.add(name, getattr(metrics, name), not_finite(metrics.nll))
    return measured.scores(kind="roll", count=metrics.frames, unit="frames")
