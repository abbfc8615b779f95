"""What the recipes promise, trained in full."""

from __future__ import annotations

from pathlib import Path

import pytest

from elman.experiment import read_experiment
from elman.runs.compare import compare

CELLS = ["simple", "gru", "lstm"]


@pytest.mark.slow
def test_every_cell_is_better_than_published_on_the_chorales(tmp_path: Path) -> None:
    experiment = read_experiment("chorales").override({"accelerator": "cpu"})
    results = compare(experiment, CELLS, [1], tmp_path / "out").comparison.results
    assert [result.cell for result in results] == CELLS
    for result in results:
        assert result.published is not None
        assert result.test.mean <= result.published, result.cell
        assert abs(result.parameters - 20_000) < 250
