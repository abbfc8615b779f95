"""Models of earlier versions load, and predict what they predicted then.

The folders of `format_1` were written by version 0.1.0 as it stood before its modules moved into
rooms, with small networks of two epochs; `expected.json` is what they predicted on the day.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import elman

WRITTEN = Path(__file__).parent / "format_1"

USES: dict[str, Callable[[elman.Model], Any]] = {
    "class": lambda model: model.predict(["a fine film", "a dull plot"]),
    "number": lambda model: model.predict({"area": [12, 30], "place": ["hill", "shore"]}),
    "tags": lambda model: model.predict([["Ada", "ran"], ["to", "Oslo"]]),
    "written": lambda model: model.predict(["ein hund läuft"]),
    "names": lambda model: [each.value for each in model.write(["it"], beam_size=2, n_best=2)[0]],
    "text": lambda model: model.generate(20, 1, prime="row"),
    "forecast": lambda model: model.forecast(str(WRITTEN / "forecast" / "sales.csv"), seed=2),
    "rolls": lambda model: np.argwhere(model.generate(12, 1)).tolist(),
}


def test_every_kind_of_task_has_a_model_of_the_first_format() -> None:
    assert {path.name for path in WRITTEN.iterdir()} == set(USES)


@pytest.mark.parametrize("name", USES)
def test_a_model_of_the_first_format_predicts_as_it_did(name: str) -> None:
    folder = WRITTEN / name
    predictions = USES[name](elman.load(folder))
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    if isinstance(expected, dict):
        assert list(predictions) == list(expected)
        for column, values in expected.items():
            assert predictions[column] == pytest.approx(values) or predictions[column] == values
    elif isinstance(expected[0], float):
        assert predictions == pytest.approx(expected, rel=1e-5)
    else:
        assert predictions == expected
    assert json.loads((folder / "model.json").read_text(encoding="utf-8"))["format"] == "elman 1"
