"""A table is the same task, model and predictions whatever format its file has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elman.data.table import Table
from elman.experiment import DataSpec, Experiment
from elman.models.model import Model
from elman.runs.run import prepare
from elman.runs.train import train

ROWS = 40
NAMES = ["0010", "10", "1.10", "1E5", "9007199254740993", "true", "NA", "a b", 'say "x", y', "é"]

WORDS = ["good", "bad", "it", "was", "film", "1", "№2", "a,b"]


def cells(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=ROWS, max_size=ROWS)


NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3) + 0.0)
INPUTS = {
    "number": cells(NUMBERS),
    "whole": cells(st.integers(-1000, 1000)),
    "missing": cells(st.one_of(st.none(), NUMBERS)).filter(lambda c: any(v is not None for v in c)),
    "truth": cells(st.booleans()),
    "identifier": cells(st.integers(2**53 + 1, 2**60)),
    "name": cells(st.sampled_from(NAMES[:6])),
}
ALONE = {
    "text": cells(st.lists(st.sampled_from(WORDS), min_size=4, max_size=8).map(" ".join)),
    "symbols": cells(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5)),
    "series": cells(st.lists(NUMBERS, min_size=1, max_size=5)),
}
TARGETS = {
    "class": st.lists(st.sampled_from(NAMES), min_size=2, max_size=5, unique=True),
    "whole": st.lists(st.integers(-20, 20), min_size=2, max_size=5, unique=True),
    "truth": st.just([False, True]),
    "number": None,
}


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Draw a table of columns of random kinds, with a target `y`."""
    if draw(st.booleans()):
        kinds = draw(st.lists(st.sampled_from(sorted(INPUTS)), min_size=1, max_size=3))
        columns = {f"x{i}": draw(INPUTS[kind]) for i, kind in enumerate(kinds)}
    else:
        columns = {"x0": draw(ALONE[draw(st.sampled_from(sorted(ALONE)))])}
    names = TARGETS[draw(st.sampled_from(sorted(TARGETS)))]
    if names is None:
        columns["y"] = draw(cells(NUMBERS.map(lambda x: x + 0.5)))
    else:
        chosen = draw(names)
        columns["y"] = [chosen[n % len(chosen)] for n in range(ROWS)]
    return columns


def written(columns: dict[str, list[Any]], folder: Path) -> list[Path]:
    """Write a table in every format."""
    frame = pd.DataFrame(
        {n: pd.array(c, "boolean") if type(c[0]) is bool else c for n, c in columns.items()}
    )
    for name, values in columns.items():
        if None in values:
            frame[name] = pd.array(values, "Float64")
    paths = [folder / f"it.{suffix}" for suffix in ("csv", "tsv", "jsonl", "parquet")]
    frame.to_csv(paths[0], index=False)
    frame.to_csv(paths[1], index=False, sep="\t")
    frame.to_json(paths[2], orient="records", lines=True, double_precision=15)
    frame.to_parquet(paths[3])
    return paths


def spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def encoded(task: Any, table: Table) -> list[list[torch.Tensor]]:
    """Return the rows of a table as a network sees them."""
    return [
        [task.input.encode(x), task.target.encode(y)]
        for x, y in zip(
            table.values(task.input_columns), table.values(task.target_columns), strict=True
        )
    ]


@pytest.mark.slow
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(columns=tables())
def test_a_network_sees_the_same_numbers_in_every_format(
    tmp_path: Path, columns: dict[str, list[Any]]
) -> None:
    prepared = [
        prepare(Experiment(data=DataSpec(files=[str(path)], target=["y"])))
        for path in written(columns, tmp_path)
    ]
    first = prepared[0]
    for other in prepared[1:]:
        assert other.task.sentence == first.task.sentence
        assert other.task.input_columns == first.task.input_columns
        for part in ("train", "valid", "test"):
            rows = encoded(first.task, getattr(first.parts, part))
            others = encoded(other.task, getattr(other.parts, part))
            torch.testing.assert_close(rows, others, rtol=0, atol=0, equal_nan=True)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", ["record", "text", "series"])
def test_model_and_predictions_are_the_same_and_each_reads_the_others_file(
    tmp_path: Path, kind: str
) -> None:
    y = [NAMES[n % 3] for n in range(ROWS)]
    columns: dict[str, list[Any]] = {
        "record": {"x": [n * 0.37 - 3 for n in range(ROWS)], "zip": y[::-1], "y": y},
        "text": {"x": [f"a {WORDS[n % 7]} film {WORDS[n % 3]}" for n in range(ROWS)], "y": y},
        "series": {"x": [[n * 0.1, n % 3, 0.25] for n in range(ROWS)], "y": y},
    }[kind]
    paths = written(columns, tmp_path)
    models = [
        train(str(path), target="y", out=tmp_path / path.suffix, epochs=2, hidden_size=5)
        for path in paths
    ]
    first = models[0]
    want = list(map(spelled, first.predict(str(paths[0]))))
    assert set(want) <= set(y)
    for path, model in zip(paths, models, strict=True):
        for name, weights in first.network.state_dict().items():
            assert torch.equal(weights, model.network.state_dict()[name]), (path, name)
        loaded = Model.load(tmp_path / path.suffix)
        for other in paths:
            assert list(map(spelled, loaded.predict(str(other)))) == want, (path, other)
            assert loaded.evaluate(str(other)) == first.evaluate(str(paths[0]))
