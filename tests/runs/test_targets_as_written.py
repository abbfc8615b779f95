"""Targets as people write them, from a file to the scores of a trained model."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from elman.cli.main import run
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


@pytest.mark.slow
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


def texts(rows: int) -> list[str]:
    draw = random.Random(5)
    return [" ".join(draw.choices(["good", "bad", "nice", "dull"], k=6)) for _ in range(rows)]


FORMS: dict[str, tuple[Any, str, list[Any]]] = {
    "one-hot": (lambda k: [k % 2, 1 - k % 2], "one of 2 classes", [[0, 1], [1, 0]]),
    "multi-hot": (
        lambda k: [k % 2, int(k % 3 > 0), int(k % 5 > 1)],
        "any of 3 labels",
        [[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)],
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("named", [False, True])
def test_zeros_and_ones_are_classes_or_labels_and_predictions_are_such_lists(
    form: str, named: bool, tmp_path: Path
) -> None:
    value, description, possible = FORMS[form]
    rows = [{"text": text, "y": value(k)} for k, text in enumerate(texts(60))]
    path = write_json_lines(tmp_path / "rows.jsonl", rows)
    kind = {"target_kind": "category" if form == "one-hot" else "labels"} if named else {}
    model, result = trained(path, tmp_path, input="text", target="y", **kind)
    assert f"target: {description}, as zeros and" in result.sentence
    assert all(each in possible for each in model.predict(path))
    out = tmp_path / "predicted.jsonl"
    assert run(["predict", str(tmp_path / "run"), str(path), "--out", str(out)]) == 0
    predicted = [json.loads(line)["predicted y"] for line in out.read_text().splitlines()]
    assert predicted == model.predict(path)
    table = write_json_lines(
        tmp_path / "again.jsonl",
        [row | {"y": each} for row, each in zip(rows, predicted, strict=True)],
    )
    assert model.evaluate(table).get("accuracy", model.evaluate(table).get("subset_accuracy")) == 1


@pytest.mark.sampled(2)
@pytest.mark.parametrize("separator", [",", ", ", ";", "|", " / "])
@pytest.mark.parametrize("kind", ["labels", None])
def test_labels_are_split_at_what_separates_them_and_written_with_it(
    separator: str, kind: str | None, tmp_path: Path
) -> None:
    tags = [["bug"], ["money", "bug"], ["angry", "money"], ["money"], ["angry", "bug"], []]
    rows = [[text, separator.join(tags[k % 6])] for k, text in enumerate(texts(60))]
    path = write_csv(tmp_path / "rows.csv", ["text", "tags"], rows)
    model, result = trained(path, tmp_path, input="text", target="tags", target_kind=kind)
    assert "any of 3 labels" in result.sentence
    sign = separator.strip()
    assert any(f"several labels, with {sign!r} between" in note for note in result.notes)
    way_out = any(note.endswith("say --target tags:category.") for note in result.notes)
    assert way_out == (kind is None)
    assert all(isinstance(each, list) for each in model.predict(path))
    columns = model.predictor.columns(model.table([text for text, _ in rows]))
    assert columns["tags"] == [sign.join(each) for each in model.predict(path)]


def test_a_comma_within_names_does_not_separate_and_the_other_way_is_said(tmp_path: Path) -> None:
    places = ["Paris, France", "Lyon, France", "Rome, Italy"]
    rows = [[text, places[k % 3]] for k, text in enumerate(texts(60))]
    path = write_csv(tmp_path / "rows.csv", ["text", "home town"], rows)
    _, result = trained(path, tmp_path, input="text", target="home town")
    assert "one of 3 classes" in result.sentence
    assert (
        "',' is part of the names of 3 classes, such as 'Lyon, France'; if it stands between "
        "several labels, say --target 'home town:labels'."
    ) in result.notes


@pytest.mark.skipif(not CASES.exists(), reason="the cases lie beside the project")
@pytest.mark.parametrize(
    ("name", "target", "words"),
    [
        ("onehot.jsonl", "label", "one of 2 classes"),
        ("multihot.jsonl", "labels", "any of 3 labels"),
        ("genres_comma.csv", "genres", "any of 3 labels"),
        ("tickets-multi.csv", "Tags", "any of 9 labels"),
        ("label-space.csv", "label", "one of 3 classes"),
    ],
)
def test_the_cases_are_read_as_meant(name: str, target: str, words: str, tmp_path: Path) -> None:
    column = "Description" if target == "Tags" else "text"
    _, result = trained(CASES / name, tmp_path, input=column, target=target)
    assert words in result.sentence


@pytest.mark.parametrize(("words", "score"), [(2, "sequence_accuracy"), (7, "bleu")])
def test_the_score_of_written_texts_follows_from_their_length_in_training(
    words: int, score: str, tmp_path: Path
) -> None:
    draw = random.Random(1)
    names = ["house", "door", "lid", "wheel", "red", "big", "the", "on"]
    rows = [[" ".join(draw.choices(names, k=words)) for _ in "ab"] for _ in range(60)]
    path = write_csv(tmp_path / "pairs.csv", ["de", "en"], rows)
    changes = {"target_kind": "text", "input_kind": "text"}
    model, result = trained(path, tmp_path, input="de", target="en", **changes)
    assert {scores.main for scores in result.scores.values()} == {score}
    assert model.experiment.score == (None if score == "bleu" else score)
    assert ("bleu" in model.evaluate(path)) == (score == "bleu")
