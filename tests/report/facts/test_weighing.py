"""Tokens are weighed by what they add to the output of the predicted class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from elman.features.build import build_feature
from elman.report.facts import weighing
from elman.report.facts.examples import examples_of
from elman.report.facts.weighing import note_of_weights, weights_of_tokens
from roads import ROADS, untrained


@torch.no_grad()
def test_the_weights_of_a_text_add_up_to_what_it_makes_of_the_predicted_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weighing, "POINTS", 2_000)  # the weights are large, and the path is steep
    model, parts = untrained(ROADS["text to a class"], tmp_path)
    network: Any = model.network
    for row, text in enumerate(parts.valid.column("text")):
        ids = model.task.input.encode(text)
        weights = weights_of_tokens(model, parts.valid, row, len(ids))
        vectors = network.inputs(ids[:, None])
        outputs = network(ids[:, None])[0][0]
        handle = network.inputs.register_forward_hook(lambda *_, v=vectors: torch.zeros_like(v))
        of_zeros = network(ids[:, None])[0][0]
        handle.remove()
        predicted = int(outputs.argmax())
        difference = float(outputs[predicted] - of_zeros[predicted])
        size = sum(map(abs, weights))
        assert len(weights) == len(ids)
        assert sum(weights) == pytest.approx(difference, abs=0.05 * size)
        assert size > 0


def test_a_long_text_has_fewer_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def seen(*_: Any, points: int) -> Any:
        asked.append(points)
        raise InterruptedError

    monkeypatch.setattr(weighing, "integrated_gradients", seen)
    model, parts = untrained(ROADS["text to a class"], tmp_path)
    for steps in (20, 5_000, 10**6):
        with pytest.raises(InterruptedError):
            weights_of_tokens(model, parts.valid, 0, steps)
    assert asked == [50, 20, 10]


def test_the_page_says_what_a_weight_is(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["text to a class"], tmp_path)
    found = examples_of(model, parts.train)
    assert found["weighed"]
    assert found["weights_note"] == (
        "Integrated gradients of each word (Sundararajan et al. 2017): what its vector adds to the "
        "output of the predicted class on the way from zeros to what it is. Together they add up "
        "to what the text makes of that output."
    )
    kinds = {"character": ("text", {"level": "character"}), "byte pair": ("text", {"level": "bpe"})}
    for token, (kind, options) in (kinds | {"symbol": ("symbols", {})}).items():
        assert f"gradients of each {token} (" in note_of_weights(build_feature(kind, options))
