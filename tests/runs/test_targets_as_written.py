"""Targets as people write them, from a file to the scores of a trained model."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from elman.models.model import Model
from elman.runs.run import TrainedRun
from elman.runs.train import experiment_for, train_run
from roads import TINY, write_csv, write_json_lines

CASES = Path(__file__).parents[3] / "shared" / "cases"


def trained(path: Path, folder: Path, **settings: Any) -> TrainedRun:
    """Train a small network for two epochs."""
    changes = TINY | {f"data.{name}": value for name, value in settings.items() if "." not in name}
    changes |= {name: value for name, value in settings.items() if "." in name}
    experiment, _ = experiment_for(str(path), changes)
    return train_run(experiment, folder / "run")


def tokens(rows: int) -> list[list[int]]:
    draw = random.Random(3)
    return [[draw.choice((3, 5)) for _ in range(draw.randint(2, 3))] for _ in range(rows)]


@pytest.mark.parametrize("kind", ["symbols", None])
@pytest.mark.parametrize("form", ["lists", "strings"])
def test_whole_numbers_are_tokens_like_strings(form: str, kind: str | None, tmp_path: Path) -> None:
    sources = tokens(80)
    pairs = [(source, [source[0], *source]) for source in sources]
    if form == "lists":
        rows = [{"src": source, "tgt": target} for source, target in pairs]
        path = write_json_lines(tmp_path / "pairs.jsonl", rows)
    else:
        texts = [[" ".join(map(str, tokens)) for tokens in pair] for pair in pairs]
        path = write_csv(tmp_path / "pairs.csv", ["src", "tgt"], texts)
    changes = {"network.hidden_size": 24, "training.epochs": 12, "training.learning_rate": 0.02}
    model, result = trained(
        path, tmp_path, input="src", target="tgt", input_kind=kind, target_kind=kind, **changes
    )
    assert result.sentence == "input: symbols; target: symbols → encoder-decoder"
    predictions = model.predict([{"src": source} for source, _ in pairs])
    right = [
        list(map(str, each)) == list(map(str, target))
        for each, (_, target) in zip(predictions, pairs, strict=True)
    ]
    assert sum(right) > 0
    assert model.evaluate(path)["sequence_accuracy"] == pytest.approx(sum(right) / len(right))
    loaded = Model.load(tmp_path / "run" / "model")
    assert loaded.predict([{"src": sources[0]}]) == predictions[:1]
