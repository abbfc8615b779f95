"""An output layer begins at how often each answer is right."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from elman.data.table import Table
from elman.experiment import DataSpec, NetworkSpec
from elman.tasks.find import find_task
from roads import NEXT_CHARACTER, ROADS, untrained


def rates_of(columns: dict[str, list[Any]], target: str, **data: Any) -> dict[Any, float] | None:
    """Name → base rate, for columns in memory."""
    spec = DataSpec.model_validate({"target": target, "input": "x"} | data)
    table = Table.from_columns(columns, origin="rows")
    task = find_task(spec, NetworkSpec(), table)
    rates = task.base_rates(table)
    names = getattr(task.target, "names", None)
    return None if rates is None else dict(zip(names or (), rates.tolist(), strict=True))


def test_of_classes_they_are_the_logs_of_shares() -> None:
    columns = {"x": [1.5, 2.0] * 4, "label": ["rare"] * 2 + ["often"] * 6}
    found = rates_of(columns, "label")
    assert found == pytest.approx({"rare": math.log(2.5 / 9), "often": math.log(6.5 / 9)})


def test_of_labels_they_are_log_odds_each_by_itself() -> None:
    columns = {"x": [1.5, 2.0] * 4, "topics": [["x"]] * 5 + [["x", "y"]] * 2 + [[]]}
    found = rates_of(columns, "topics", target_kind="labels")
    assert found == pytest.approx({"x": math.log(7.5 / 1.5), "y": math.log(2.5 / 6.5)})


def test_of_numbers_there_are_none() -> None:
    assert rates_of({"x": [1.0, 2.0] * 4, "y": [0.1 * n for n in range(8)]}, "y") is None


def test_of_tags_they_are_counted_step_by_step(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["tokens to tags"], tmp_path)
    rates = model.task.base_rates(parts.train)
    assert rates is not None
    every = [tag for tags in parts.train.values(["tags"]) for tag in tags]
    target: Any = model.task.target
    names = list(target.names)
    expected = [(every.count(name) + 0.5) / (len(every) + 0.5 * len(names)) for name in names]
    torch.testing.assert_close(rates.softmax(-1), torch.tensor(expected))


def test_of_the_next_character_they_are_those_of_the_text(tmp_path: Path) -> None:
    model, parts = untrained(NEXT_CHARACTER, tmp_path)
    rates = model.task.base_rates(parts.train)
    assert rates is not None
    text = "".join(parts.train.values(["text"]))
    feature: Any = model.task.input
    letter = int(feature.encode("r")[0])
    expected = (text.count("r") + 0.5) / (len(text) + 0.5 * len(rates))
    assert rates.softmax(-1)[letter].item() == pytest.approx(expected)
