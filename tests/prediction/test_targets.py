"""Predictions are decoded, in the order of the rows, the same in any batches; and scored."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import elman
from elman.data.table import Table
from elman.errors import DataError
from elman.evaluation.scores import Scores
from elman.models.model import Model
from elman.prediction.predictor import Predictions, Predictor
from elman.prediction.predictors import predictor_of
from elman.training.progress import NoProgress
from roads import NEXT_CHARACTER, ROADS, WRITTEN_ROADS, Road, untrained

ALL = ROADS | WRITTEN_ROADS
EVERY = pytest.mark.parametrize("road", ALL.values(), ids=ALL)
WITH_NAMES = [name for name, road in ROADS.items() if road.objective == "classification"]


def predictor(model: Model, batch_size: int) -> Predictor:
    experiment = model.experiment.override({"training.batch_size": batch_size})
    return predictor_of(model.task, model.network, experiment)


def answer(model: Model, table: Table, batch_size: int) -> Predictions:
    return predictor(model, batch_size).predict(table)


def scores(model: Model, table: Table, batch_size: int) -> Scores:
    return predictor(model, batch_size).scores(table)


def whole(parts: Any) -> Table:
    table: Table = parts.train
    return table


def assert_same(one: Any, other: Any) -> None:
    """Names must agree, numbers up to rounding."""
    if isinstance(one, list):
        assert len(one) == len(other)
        for ours, theirs in zip(one, other, strict=True):
            assert_same(ours, theirs)
    elif isinstance(one, float | np.ndarray):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    else:
        assert one == other


def outputs_of(model: Model, value: Any) -> Tensor:
    """What the network gives for a single value."""
    x = model.task.input.encode(value)
    lengths = torch.tensor([len(x) if model.task.input.has_steps else 1])
    batch = x[:, None] if model.task.input.has_steps else x[None]
    with torch.no_grad():
        outputs: Tensor = model.network(batch, lengths=lengths)[0]
    return outputs


@EVERY
def test_there_is_an_answer_of_the_right_kind_to_every_row(road: Road, tmp_path: Path) -> None:
    model, parts = untrained(road, tmp_path)
    found = answer(model, whole(parts), 5).values
    assert len(found) == len(whole(parts))
    assert all(map(road.answers, found))
    assert len({str(value) for value in found}) > 1
    if road.objective in {"crf", "step-regression"}:
        steps = map(len, whole(parts).values(model.task.input_columns[:1]))
        assert list(map(len, found)) == list(steps)


@pytest.mark.sampled(2)
@EVERY
def test_an_answer_depends_neither_on_batches_nor_on_the_order_of_rows(
    road: Road, tmp_path: Path
) -> None:
    model, parts = untrained(road, tmp_path)
    table = whole(parts)
    expected = [answer(model, table.select([row]), 1).values[0] for row in range(len(table))]
    order = torch.randperm(len(table)).tolist()
    for size in (1, 7, len(table)):
        for row, found in zip(order, answer(model, table.select(order), size).values, strict=True):
            assert_same(found, expected[row])


@pytest.mark.parametrize("name", WITH_NAMES)
def test_probabilities_of_classes_are_the_softmax_and_the_answer_is_the_likeliest(
    name: str, tmp_path: Path
) -> None:
    model, parts = untrained(ROADS[name], tmp_path)
    target: Any = model.task.target
    found = answer(model, whole(parts), 5)
    assert found.probabilities is not None
    rows = whole(parts).values(model.task.input_columns)
    for value, given, likely in zip(rows, found.values, found.probabilities, strict=True):
        expected = outputs_of(model, value)[0].softmax(-1)
        torch.testing.assert_close(likely, expected, rtol=1e-4, atol=1e-5)
        assert given == target.names[int(likely.argmax())]


def test_probabilities_of_labels_are_each_by_itself_and_the_likely_ones_are_given(
    tmp_path: Path,
) -> None:
    model, parts = untrained(ROADS["text to several labels"], tmp_path)
    target: Any = model.task.target
    found = answer(model, whole(parts), 5)
    assert found.probabilities is not None
    rows = whole(parts).values(["text"])
    for value, given, likely in zip(rows, found.values, found.probabilities, strict=True):
        expected = outputs_of(model, value)[0].sigmoid()
        torch.testing.assert_close(likely, expected, rtol=1e-4, atol=1e-5)
        assert set(given) == {
            name for name, chance in zip(target.names, expected, strict=True) if chance > 0.5
        }


def test_probabilities_of_tags_are_those_of_each_step(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["tokens to tags"], tmp_path)
    found = answer(model, whole(parts), 5)
    assert found.probabilities is not None
    for given, likely in zip(found.values, found.probabilities, strict=True):
        assert likely.shape == (len(given), 4)
        torch.testing.assert_close(likely.sum(-1), torch.ones(len(given)))


def test_numbers_have_no_probabilities(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["measurements to a number"], tmp_path)
    assert answer(model, whole(parts), 5).probabilities is None


@EVERY
def test_no_rows_have_no_answers(road: Road, tmp_path: Path) -> None:
    model, parts = untrained(road, tmp_path)
    empty = whole(parts).select([])
    assert answer(model, empty, 5) == ([], None)


def test_accuracy_is_the_share_of_right_answers(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["measurements to a class"], tmp_path)
    table = whole(parts)
    given = answer(model, table, 5).values
    right = [a == b for a, b in zip(given, table.column("species"), strict=True)]
    found = scores(model, table, 5)
    assert found.main == "accuracy"
    assert found.value == pytest.approx(sum(right) / len(right))
    assert (found.count, found.unit) == (len(table), "rows")


@pytest.mark.parametrize(
    ("name", "column"),
    [("measurements to a number", "price"), ("windows to the next value", "next_celsius")],
)
def test_the_error_of_numbers_is_in_their_own_unit(name: str, column: str, tmp_path: Path) -> None:
    model, parts = untrained(ROADS[name], tmp_path)
    table = whole(parts)
    given = np.array(answer(model, table, 5).values)
    truth = np.array(list(table.column(column)))
    found = scores(model, table, 5)
    assert found.main == "rmse"
    assert found.value == pytest.approx(np.sqrt(np.mean((given - truth) ** 2)), rel=1e-5)


def test_tags_are_scored_over_all_steps(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["tokens to tags"], tmp_path)
    table = whole(parts)
    given = answer(model, table, 5).values
    pairs = [
        (a, b)
        for row, tags in zip(given, table.column("tags"), strict=True)
        for a, b in zip(row, tags, strict=True)
    ]
    found = scores(model, table, 5)
    assert found.values["accuracy"] == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))


def test_a_name_that_is_in_no_part_of_the_data_counts_as_wrong(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["text to a class"], tmp_path)
    texts = list(whole(parts).column("text"))[:8]
    given = answer(model, Table.from_columns({"text": texts}, "new"), 5).values
    table = Table.from_columns({"text": texts, "label": [*given[:6], "odd", "odd"]}, "new")
    assert scores(model, table, 5).value == pytest.approx(6 / 8)


def changed(table: Table, column: str, values: list[Any]) -> Table:
    """Take the first rows of a table, with another column of targets."""
    columns = {name: list(table.column(name))[: len(values)] for name in table.columns}
    return Table.from_columns({**columns, column: values}, origin="new")


@pytest.mark.parametrize("as_text", [False, True])
def test_labels_beside_one_that_was_never_learned_are_still_compared(
    as_text: bool, tmp_path: Path
) -> None:
    model, parts = untrained(ROADS["text to several labels"], tmp_path)
    (column,) = model.task.target_columns
    given = answer(model, whole(parts).select(range(6)), 5).values
    truths: list[Any] = [[*map(str, labels), "odd"] for labels in given[:2]] + given[2:]
    separator = getattr(model.task.target, "separator", ";")
    if as_text:
        truths = [separator.join(labels) for labels in truths]
    found = scores(model, changed(whole(parts), column, truths), 5)
    assert found.values["subset_accuracy"] == pytest.approx(4 / 6)
    hits = 2 * sum(map(len, given))
    assert found.values["micro_f1"] == pytest.approx(hits / (hits + 2))
    assert found.notes == (
        "2 of 6 rows have labels that the model never learned ('odd' 2: new, row 0, …); they count "
        "as errors.",
    )


@pytest.mark.parametrize("as_text", [False, True])
def test_tags_beside_one_that_was_never_learned_are_still_compared(
    as_text: bool, tmp_path: Path
) -> None:
    model, parts = untrained(ROADS["tokens to tags"], tmp_path)
    given = answer(model, whole(parts).select(range(6)), 5).values
    truths: list[Any] = [["odd", *given[0][1:]], *given[1:]]
    if as_text:
        truths = [" ".join(tags) for tags in truths]
    found = scores(model, changed(whole(parts), "tags", truths), 5)
    steps = sum(map(len, given))
    assert found.values["accuracy"] == pytest.approx((steps - 1) / steps)
    assert f"1 of {steps} steps has tags that the model never learned" in found.notes[0]


def test_a_malformed_target_is_refused_with_its_row(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["text to several labels"], tmp_path)
    (column,) = model.task.target_columns
    table = changed(whole(parts), column, [[0.25], [0.5]])
    with pytest.raises(DataError, match=r"new, row 0, column .*: label 0 must be a name"):
        scores(model, table, 5)


def test_categories_of_an_input_that_no_training_row_has_are_said(tmp_path: Path) -> None:
    colours = ["red", "green", "blue", "red"] * 10
    rows = {
        "colour": colours,
        "size": list(map(float, range(40))),
        "price": [1.5 * n + 0.1 for n in range(40)],
    }
    model = elman.train(rows, target="price", epochs=1, out=tmp_path / "run", progress=NoProgress())
    new = {"colour": ["red", "Red", None, "pink"], "size": [1.0] * 4, "price": [5.0] * 4}
    found = model.scores(new)
    assert found.notes == (
        "2 of 4 rows have a category in colour that the model never learned ('Red', 'pink': the "
        "data, row 1, …); it is read as unknown.",
    )
    assert found.undefined == {"r2": "the true values do not vary"}


def test_scores_without_the_truth_say_which_column_is_missing(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["text to a class"], tmp_path)
    table = Table.from_columns({"text": list(whole(parts).column("text"))}, origin="new")
    words = r"new has no column 'label', the target to compare with; it has text\. `predict"
    with pytest.raises(DataError, match=words):
        scores(model, table, 5)


def test_truths_of_another_length_than_the_input_name_the_row(tmp_path: Path) -> None:
    model, _ = untrained(ROADS["tokens to tags"], tmp_path)
    rows = {"tokens": [["the"], ["the", "in"]], "tags": [["O"], ["O"]]}
    table = Table.from_columns(rows, origin="new")
    with pytest.raises(DataError, match="new, row 1: tokens has 2 steps and tags has 1"):
        scores(model, table, 5)


def test_the_next_character_is_scored_over_the_text_read_from_its_beginning(
    tmp_path: Path,
) -> None:
    model, parts = untrained(NEXT_CHARACTER, tmp_path)
    found = scores(model, parts.valid, 5)
    (batch,) = model.task.evaluation_batches(parts.valid, 1).epoch(0)
    nll = steps = right = 0.0
    for row, length in enumerate(batch.lengths.tolist()):
        with torch.no_grad():
            outputs, _ = model.network(batch.input[:length, row : row + 1])
        likely = outputs[:, 0].double().log_softmax(-1)
        target = batch.target[:length, row]
        nll -= float(likely.gather(1, target[:, None]).sum())
        right += float((likely.argmax(-1) == target).sum())
        steps += length
    assert found.count == steps == sum(map(len, parts.valid.values(["text"]))) - 1
    assert found.values["nll"] == pytest.approx(nll / steps, rel=1e-5)
    assert found.values["perplexity"] == pytest.approx(math.exp(nll / steps), rel=1e-4)
    assert found.values["bits_per_character"] == pytest.approx(nll / steps / math.log(2), rel=1e-5)
    assert found.values["accuracy"] == pytest.approx(right / steps)
    assert found.main == "bits_per_character"


def test_words_are_scored_by_perplexity(tmp_path: Path) -> None:
    model, parts = untrained(NEXT_CHARACTER, tmp_path, **{"data.input_options.level": "word"})
    assert scores(model, parts.valid, 5).main == "perplexity"
