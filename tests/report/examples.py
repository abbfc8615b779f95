"""Small comparisons, made by hand, for the tests of what is drawn and said about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from elman.inspection.gradient_flow import GradientFlow
from elman.report.comparison.results import CellResult, Comparison, EpochRecord, SeedResult


def seed_result(
    seed: int, test: float, *, curve: Sequence[float] = (9.0, 8.0, 8.5), score: str = "nll"
) -> SeedResult:
    """A run whose validation followed `curve`, training one nat below, two seconds an epoch."""
    records = [
        EpochRecord(epoch=n, seconds=2.0 * n, train_loss=v - 1, valid_loss=v, learning_rate=0.01)
        for n, v in enumerate(curve, 1)
    ]
    best = min(records, key=lambda record: record.valid_loss)
    return SeedResult(
        seed=seed,
        score=score,
        scores={
            "train": {score: best.train_loss},
            "valid": {score: best.valid_loss},
            "test": {score: test},
        },
        best_epoch=best.epoch,
        epochs=len(records),
        seconds=records[-1].seconds,
        seconds_per_epoch=2.0,
        curve=records,
    )


def comparison(
    tests: dict[str, Sequence[float]],
    *,
    published: dict[str, float] | None = None,
    title: str = "",
    score: str = "nll",
    **more: Any,
) -> Comparison:
    """Cells by their test scores, one a seed: losses of piano rolls, or another score."""
    published = published or {}
    if score != "nll":
        more = {"kind": "classification", "dataset": "mine", **more}
    told = {"dataset": "chorales", "title": title or "Chorales", "parameters": 20_000, **more}
    return Comparison(
        **told,
        epochs=3,
        threads=1,
        machine="an abacus",
        command="elman compare chorales --seeds 2",
        results=[
            CellResult(
                cell=cell,
                hidden_size=40 + place,
                parameters=20_011 + place,
                published=published.get(cell),
                published_source="Chung et al. 2014" if cell in published else None,
                seeds=[
                    seed_result(seed, reached, score=score) for seed, reached in enumerate(scores)
                ],
            )
            for place, (cell, scores) in enumerate(tests.items())
        ],
    )


def falling(kept: float, *, steps: int = 41, memory: float | None = None) -> GradientFlow:
    """A gradient of which every step back keeps the same share."""
    distance = torch.arange(steps)
    cell = None if memory is None else torch.tensor(memory, dtype=torch.float64) ** distance
    return GradientFlow(distance, torch.tensor(kept, dtype=torch.float64) ** distance, cell, rows=4)
