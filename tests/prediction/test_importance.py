"""Columns are shuffled as if their cells were, in every task that predicts something for a row."""

from __future__ import annotations

import json
import math
import random
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import elman
from elman.data.table import Table
from elman.errors import DataError, OptionError
from elman.evaluation.scores import Scores
from elman.inspection.shuffling import Shuffle
from elman.models.model import Model
from elman.prediction.importance import column_importance, shuffles_of
from elman.prediction.targets import TargetPredictor
from roads import (
    NEXT_CHARACTER,
    ROADS,
    WITHOUT_IDS,
    WRITTEN_ROADS,
    Road,
    travelled,
    untrained,
    write_json_lines,
)

ALL = ROADS | WRITTEN_ROADS


def tracks(folder: Path) -> Path:
    """Two channels of the same length a row, of which one tells the label."""
    draw = random.Random(3)
    rows = []
    for _ in range(40):
        level, steps = draw.choice([-1, 1]), draw.randint(3, 8)
        rows.append(
            {
                "telling": [level + draw.gauss(0, 0.3) for _ in range(steps)],
                "noise": [draw.gauss(0, 1) for _ in range(steps)],
                "label": "up" if level > 0 else "down",
            }
        )
    return write_json_lines(folder / "tracks.jsonl", rows)


TRACKS = Road(
    tracks, {"target": "label"} | WITHOUT_IDS, "many-to-one", "classification", "", "", bool
)


def shuffled_cells(table: Table, column: str, shuffle: Shuffle, seed: int) -> Table:
    """Shuffle the cells of a table itself, in the order of the first repeat."""
    order = np.random.default_rng([seed, zlib.crc32(column.encode()), 0])
    cells = list(table.column(column))
    if shuffle.keeps_steps and len(set(map(len, cells))) > 1:
        steps = np.concatenate(cells)
        steps = steps[order.permutation(len(steps))]
        cells = np.split(steps, np.cumsum(list(map(len, cells)))[:-1])
    else:
        cells = [cells[row] for row in order.permutation(len(cells))]
    columns = {name: list(table.column(name)) for name in table.columns}
    return Table.from_columns(columns | {column: cells}, origin="shuffled")


@pytest.mark.parametrize(
    "road",
    [ROADS["measurements to a class"], ROADS["a long table to a class"], TRACKS],
    ids=["a record", "a long table", "channels"],
)
def test_a_column_is_shuffled_as_if_its_cells_were(road: Road, tmp_path: Path) -> None:
    model, parts = untrained(road, tmp_path)
    found = column_importance(
        model.predictor, parts.train, scores=["accuracy", "calibration_error"], repeats=1, seed=4
    )
    shuffles = shuffles_of(model.task, list(model.task.encoded_inputs(parts.train)))
    before = model.predictor.scores(parts.train).values
    assert found.scores.values == before
    for column in model.task.input_columns:
        cells = shuffled_cells(parts.train, column, shuffles[column], seed=4)
        after = model.predictor.scores(cells).values
        for name, sign in (("accuracy", 1), ("calibration_error", -1)):
            expected = sign * (before[name] - after[name])
            assert found.columns[name][column].mean == pytest.approx(expected, abs=1e-9)
    falls = [each.mean for each in found.columns["calibration_error"].values()]
    assert any(abs(fall) > 1e-3 for fall in falls)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("road", ALL.values(), ids=ALL)
def test_whatever_predicts_something_for_a_row_is_measured(road: Road, tmp_path: Path) -> None:
    model, parts = untrained(road, tmp_path)
    found = column_importance(model.predictor, parts.train, repeats=2, training=parts.train)
    own_scores = len(model.task.target_columns) if model.task.target.kind == "joint" else 1
    assert len(found.columns) == own_scores
    assert found.rows == len(parts.train)
    for columns in found.columns.values():
        assert list(columns) == list(model.task.input_columns)
        assert all(math.isfinite(each.mean) and each.deviation >= 0 for each in columns.values())
    assert any(each.mean for columns in found.columns.values() for each in columns.values())


def test_what_is_written_is_measured_by_its_likelihood(tmp_path: Path) -> None:
    model, parts = untrained(WRITTEN_ROADS["letters to letters"], tmp_path)
    found = column_importance(model.predictor, parts.train, repeats=1)
    assert list(found.columns) == ["nll"]
    nats = model.predictor.scores(parts.train).values["bits_per_character"] * math.log(2)
    assert found.scores.values["nll"] == pytest.approx(nats)


def test_where_each_step_has_a_target_rows_keep_their_steps(tmp_path: Path) -> None:
    for name, keeps in (("tokens to tags", True), ("sounds to letters", False)):
        model, parts = untrained(ROADS[name], tmp_path)
        (shuffle,) = shuffles_of(model.task, list(model.task.encoded_inputs(parts.train))).values()
        assert shuffle.keeps_steps == keeps


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model of a table in which the colour alone decides, and the rest is noise."""
    draw = random.Random(5)
    rows = 200
    colours = [draw.choice(["red", "green", "blue"]) for _ in range(rows)]
    columns = {
        "size": [draw.random() for _ in range(rows)],
        "letter": [draw.choice("xyz") for _ in range(rows)],
        "colour": colours,
        "label": ["warm" if colour == "red" else "cold" for colour in colours],
    }
    folder = tmp_path_factory.mktemp("table")
    path = folder / "table.json"
    path.write_text(
        json.dumps(
            [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        )
    )
    settings = {"head": [8], "epochs": 15, "seed": 2, "folds": 0}
    return elman.train(str(path), target="label", out=folder / "run", **settings)


def test_a_column_that_alone_decides_has_the_whole_fall_and_noise_none(trained: Model) -> None:
    assert trained.evaluate("valid")["accuracy"] == 1.0
    found = trained.importance(repeats=20)
    assert list(found) == ["size", "letter", "colour"]
    # A third of the rows is red: of two rows that are exchanged, 2 · ⅓ · ⅔ differ in their label.
    assert found["colour"].mean == pytest.approx(4 / 9, abs=0.08)
    assert found["colour"].deviation < 0.15
    for noise in ("size", "letter"):
        assert abs(found[noise].mean) <= found[noise].deviation + 1e-12


def test_a_score_in_which_lower_is_better_rises(trained: Model) -> None:
    found = trained.importance(score="log_loss")
    assert found["colour"].mean > 0.4
    assert abs(found["size"].mean) < 0.1


def test_a_seed_repeats_to_the_bit(trained: Model) -> None:
    assert trained.importance(seed=3) == trained.importance(seed=3)
    assert trained.importance(seed=3)["colour"] != trained.importance(seed=4)["colour"]
    loaded = elman.load(str(Path(trained.experiment.data.files[0]).parent / "run"))
    assert loaded.importance(seed=3) == trained.importance(seed=3)


def test_rows_are_drawn_by_the_seed_where_there_are_many(trained: Model) -> None:
    table = trained.table(trained.experiment.data.files[0])
    few = column_importance(trained.predictor, table, rows=50, repeats=2)
    assert (few.rows, few.scores.count) == (50, 50)
    again = column_importance(trained.predictor, table, rows=50, repeats=2)
    assert few.columns == again.columns
    other = column_importance(trained.predictor, table, rows=50, repeats=2, seed=9)
    assert few.columns != other.columns
    assert column_importance(trained.predictor, table, rows=10**6, repeats=1).rows == 200


def test_each_target_may_have_its_own_score(
    trained: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two(self: Any, scores: Scores) -> tuple[str, ...]:
        del self, scores
        return ("macro_f1", "log_loss")

    monkeypatch.setattr(TargetPredictor, "scores_of_targets", two)
    table = trained.table(trained.experiment.data.files[0])
    found = column_importance(trained.predictor, table, rows=50, repeats=2)
    assert list(found.columns) == ["macro_f1", "log_loss"]
    assert found.columns["macro_f1"] == trained.importance(table, rows=50, repeats=2)


def test_what_cannot_be_measured_is_refused_in_words(trained: Model, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="unknown score 'acuracy'; did you mean 'accuracy'"):
        trained.importance(score="acuracy")
    with pytest.raises(OptionError, match="unknown split 'vlid'; did you mean 'valid'"):
        trained.importance("vlid")
    with pytest.raises(OptionError, match="rows must be at least 1, got 0"):
        trained.importance(rows=0)
    strange = [{"size": 0.5, "letter": "x", "colour": "red", "label": "hot"}]
    with pytest.raises(DataError, match="Log loss is not computed: 1 of 1 true names"):
        trained.importance(strange, score="log_loss")
    with pytest.raises(DataError, match="unknown column 'colour'"):
        trained.importance([{"size": 0.5, "letter": "x", "label": "warm"}])
    song = travelled(NEXT_CHARACTER, tmp_path)
    with pytest.raises(
        OptionError,
        match="measured where something is predicted for each row; this model's task is input: "
        "characters; target: the next one",
    ):
        song.model.importance()


def test_a_forecast_without_covariates_has_nothing_to_measure(tmp_path: Path) -> None:
    days = {"day": list(range(60)), "value": [math.sin(n) for n in range(60)]}
    model = elman.train(
        days,
        target="value",
        time="day",
        horizon=2,
        window=6,
        out=tmp_path / "run",
        hidden_size=3,
        epochs=1,
    )
    with pytest.raises(OptionError, match="reads no column that could be shuffled"):
        model.importance(days)


def test_a_model_of_one_column_is_measured_too(tmp_path: Path) -> None:
    label = ["a", "b"] * 60
    settings = {"epochs": 15, "head": [4], "out": tmp_path / "run"}
    model = elman.train({"sign": ["+", "-"] * 60, "label": label}, target="label", **settings)
    (found,) = model.importance({"sign": ["+", "-"] * 60, "label": label}).items()
    assert found[0] == "sign"
    assert found[1].mean == pytest.approx(0.5, abs=0.1)
