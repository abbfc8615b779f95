"""What is asked is found from the columns, and what contradicts itself is refused in words."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from elman.data.sources import read_table
from elman.data.table import Table
from elman.errors import DataError, ElmanError, ExperimentError
from elman.experiment import DataSpec, NetworkSpec
from elman.experiment.decoder import DecoderSpec
from elman.tasks.find import find_task, task_from_json
from elman.tasks.fitting import SAMPLE, sample
from elman.tasks.layout import layout_of
from elman.tasks.task import Task
from roads import NEXT_CHARACTER, ROADS, WRITTEN_ROADS, Road, untrained
from rolls import roll_task

REVIEWS = {
    "text": [f"a {word} film with plot {n}" for n, word in enumerate(["fine", "dull", "loud"] * 4)],
    "stars": [5.0, 1.0, 2.0] * 4,
    "label": ["good", "bad", "bad"] * 4,
}


def task_of(columns: dict[str, list[Any]], network: NetworkSpec | None = None, **data: Any) -> Task:
    """Find what is asked of columns in memory."""
    spec = DataSpec.model_validate(data)
    return find_task(spec, network or NetworkSpec(), Table.from_columns(columns, origin="rows"))


EVERY = ROADS | WRITTEN_ROADS | {"next": NEXT_CHARACTER}


@pytest.mark.parametrize("road", EVERY.values(), ids=EVERY)
def test_category_and_objective_are_seen_from_the_columns(road: Road, tmp_path: Path) -> None:
    task = untrained(road, tmp_path).model.task
    assert (task.category, task.objective["name"]) == (road.category, road.objective)
    assert task.sentence == road.sentence


@pytest.mark.parametrize("road", EVERY.values(), ids=EVERY)
def test_a_task_comes_back_from_json_the_same(road: Road, tmp_path: Path) -> None:
    task = untrained(road, tmp_path).model.task
    state = task.to_json()
    again = task_from_json(json.loads(json.dumps(state)))
    assert again.to_json() == state
    assert again.make_objective().to_json() == task.make_objective().to_json()
    assert again.input.encoding == task.input.encoding


def test_all_columns_but_the_target_are_read_unless_said_otherwise() -> None:
    numbers = {"a": [1.0, 2.5] * 3, "b": [0.5, 9.0] * 3, "c": ["x", "y"] * 3}
    assert task_of(numbers, target="c").input_columns == ("a", "b")
    assert task_of(numbers, target="c", input="b").input_columns == ("b",)
    assert task_of(numbers, target="a", group="b").input_columns == ("c",)


def test_the_next_element_of_piano_rolls_needs_nothing_fitted() -> None:
    task = roll_task()
    assert task.target_columns == ("next",)
    assert task.input is task.target
    assert task_from_json(json.loads(json.dumps(task.to_json()))).to_json() == task.to_json()


def test_several_columns_are_given_row_by_row() -> None:
    table = Table.from_columns({"a": [1, 2], "b": [3, 4]}, origin="rows")
    assert list(table.values(["b"])) == [3, 4]
    assert list(table.values(["b", "a"])) == [[3, 1], [4, 2]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"target": "lable"}, "unknown column 'lable'; did you mean 'label'? Known columns: label"),
        ({"target": "label", "input": "txt"}, "unknown column 'txt'; did you mean 'text'?"),
        ({}, "say which column to predict: --target COLUMN (data.target), one of text, sta"),
        ({"target": ["text", "stars", "label"]}, "no input column is left: the table has text,"),
        ({"target": "label", "input": ["text", "label"]}, "'label' is both input and target"),
        ({"target": "next", "input": "stars"}, "column stars holds no sequences but one number a"),
        ({"target": "next", "input": "stars"}, "a row. If the rows are steps of sequences, name"),
        ({"target": "label", "input": "text", "input_kind": "txt"}, "did you mean 'text'?"),
        (
            {"target": "label", "input": "text", "input_options": {"levl": "word"}},
            "unknown text option 'levl'; did you mean 'level'?",
        ),
    ],
)
def test_columns_that_cannot_be_are_refused_in_words(data: dict[str, Any], words: str) -> None:
    with pytest.raises(ElmanError, match=re.escape(words)):
        task_of(REVIEWS, **data)


@pytest.mark.parametrize(
    ("data", "option"),
    [
        ({"target": "next", "input_options": {"characters": True}}, "input_options"),
        (
            {"target": "b", "target_kind": "text:word", "target_options": {"characters": True}},
            "target_options",
        ),
        ({"target": "next", "input_options": {"subwords": 9}}, "input_options"),
    ],
)
def test_words_that_are_written_have_no_characters_beside_them(
    data: dict[str, Any], option: str
) -> None:
    texts = {"a": ["one two three", "four five"] * 9, "b": ["un deux trois", "quatre"] * 9}
    with pytest.raises(ExperimentError, match=rf"data\.{option}\.\w+ lets .* are written"):
        task_of(texts, input="a", input_kind="text:word", **data)


def test_the_next_number_is_refused_with_the_way_to_a_forecast() -> None:
    words = re.escape(
        "target = next is for texts, symbols and piano rolls, and column pulse holds a number a "
        "step. To predict the value after some steps, name the column as the target and say "
        "--window STEPS (data.window)."
    )
    with pytest.raises(ExperimentError, match=words):
        task_of({"pulse": [[60.0, 61.0, 65.0], [70.0, 71.0]] * 9}, target="next")


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (
            {"category": "many-to-many"},
            "category='many-to-many' was asked for, but the input (w",
        ),
        ({"category": "one-to-one"}, "has steps and the target (one of 2 classes) has no steps"),
        ({"objective": "crff"}, "unknown objective 'crff'; did you mean 'crf'?"),
        (
            {"objective": "regression"},
            "network.objective = 'regression' does not suit the target, which is one of 2 classes; "
            "leave it out, or choose classification.",
        ),
    ],
)
def test_a_network_that_contradicts_the_columns_is_refused_in_words(
    network: dict[str, Any], words: str
) -> None:
    with pytest.raises(ElmanError, match=re.escape(words)):
        task_of(REVIEWS, NetworkSpec(**network), target="label", input="text")


@pytest.mark.parametrize(
    ("columns", "network", "words"),
    [
        (
            {"a": [1.0, 2.0] * 4, "b": [0.1 * n for n in range(8)]},
            {"label_smoothing": 0.1},
            "network.label_smoothing has no meaning for the objective 'regression'",
        ),
        (
            {"a": [1.0, 2.0] * 4, "b": [0.1 * n for n in range(8)]},
            {"class_weights": "balanced"},
            "network.class_weights has no meaning for the objective 'regression'",
        ),
    ],
)
def test_an_option_without_meaning_for_the_target_is_refused(
    columns: dict[str, list[Any]], network: dict[str, Any], words: str
) -> None:
    with pytest.raises(ExperimentError, match=re.escape(words)):
        task_of(columns, NetworkSpec(**network), target="b")


def test_an_answer_of_its_own_length_is_written_with_the_names_of_the_training_part() -> None:
    rows = {"de": [["der", "Hund"], ["ja"]] * 4, "en": [["the", "big", "dog"], ["yes", "!"]] * 4}
    train = Table.from_columns(rows, origin="train")
    test = Table.from_columns({"de": [["nein"]], "en": [["no"]]}, origin="test")
    spec = DataSpec(input=["de"], target=["en"], target_kind="symbols")
    task = find_task(spec, NetworkSpec(), train, [test])
    assert task.category == "encoder-decoder"
    assert dict(task.objective) == {"name": "conditional-language-model", "size": 6}
    assert task.target.decode(task.target.encode(["the", "dog"])) == ["the", "dog"]
    assert task.target.encode(["no"]).tolist() == [0]  # unknown, and never written


def test_a_text_is_written_in_byte_pairs_unless_its_level_is_said() -> None:
    rows = {"en": ["a small dog barks"] * 8, "de": ["ein kleiner Hund bellt heute"] * 8}
    task = task_of(rows, target="de")
    assert task.sentence == "input: byte pairs; target: byte pairs → encoder-decoder"
    assert task.target.decode(task.target.encode("Ein Hund: ja!")) == "Ein Hund: ja!"
    assert any("--target de:category" in note for note in task.notes)
    said = task_of(rows, target="de", input_kind="text:word", target_kind="text:char")
    assert said.sentence == "input: words; target: characters → encoder-decoder"
    assert not said.notes


def test_one_value_to_a_text_is_one_to_many() -> None:
    rows = {"language": ["Irish", "Czech"] * 4, "name": [f"O'Neill {k}" for k in range(8)]}
    task = task_of(rows, target="name", target_kind="text:char")
    assert task.category == "one-to-many"
    assert task.sentence == "input: one of 2 classes; target: characters → one-to-many"


def test_input_and_target_may_share_their_vocabulary() -> None:
    table = Table.from_columns({"a": ["x y z u v"] * 4, "b": ["p q r s t"] * 4}, origin="rows")
    spec = DataSpec(input=["a"], target=["b"])
    task = find_task(spec, NetworkSpec(), table, decoder=DecoderSpec(share_embeddings=True))
    ids = task.input.encode("x s")
    assert ids.tolist() == task.target.encode("x s").tolist()
    assert task.target.decode(ids) == "x s"
    unlike = spec.model_copy(update={"input_kind": "text:char"})
    with pytest.raises(
        ExperimentError, match="needs input and target of the same kind and options"
    ):
        find_task(unlike, NetworkSpec(), table, decoder=DecoderSpec(share_embeddings=True))


def test_numbers_of_their_own_length_are_refused() -> None:
    rows = {"past": [[1.0, 2.5]] * 4, "future": [[3.0, 4.5, 5.0]] * 4}
    with pytest.raises(ExperimentError, match="Elman writes only texts and symbols, not"):
        task_of(rows, target="future")


def test_tags_and_words_of_unequal_number_name_the_row(tmp_path: Path) -> None:
    path = tmp_path / "tags.jsonl"
    row = {"tokens": ["the", "big", "big", "cat"], "tags": ["D", "A", "A", "N"]}
    rows = [row] * 10 + [{"tokens": ["a", "dog", "barks"], "tags": ["D", "N"]}] + [row] * 10
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    words = (
        r"tags\.jsonl, line 11: tokens has 3 steps and tags has 2, and they must have equally many"
    )
    with pytest.raises(DataError, match=words):
        find_task(DataSpec(target=["tags"]), NetworkSpec(), read_table(str(path)))


TAGS = {
    "tokens": [["Ann", "Lee", "sings", "and", "sings"], ["in", "in", "Oslo"]] * 4,
    "tags": [["B-PER", "I-PER", "O", "O", "O"], ["O", "O", "B-LOC"]] * 4,
}


def test_the_scheme_of_tags_is_seen_from_their_names() -> None:
    spec = NetworkSpec(objective="crf")
    assert task_of(TAGS, spec, target="tags").objective["scheme"] == "BIO"
    words = {**TAGS, "tags": [["N", "N", "V", "C", "V"], ["P", "P", "N"]] * 4}
    assert task_of(words, spec, target="tags").objective["scheme"] is None


def test_a_scheme_that_a_row_of_any_part_breaks_is_not_imposed_and_the_row_is_named() -> None:
    train = Table.from_columns(TAGS, origin="train")
    broken = {"tokens": [["x"], ["Lee", "Oslo"]], "tags": [[], ["I-PER", "B-LOC"]]}
    test = Table.from_columns(broken, origin="test")
    data = DataSpec(input=["tokens"], target=["tags"])
    task = find_task(data, NetworkSpec(objective="crf"), train, [test])
    assert task.objective["scheme"] is None
    words = "test, row 1: its tags do not follow the scheme BIO, so tags may follow each other in"
    assert any(note.startswith(words) for note in task.notes), task.notes


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_to_be_predicted_that_is_none_is_refused_with_its_place(
    tmp_path: Path, value: float
) -> None:
    path = tmp_path / "houses.csv"
    lines = ["area,price", *(f"{n},{n * 3}.5" for n in range(20)), f"7,{value}"]
    path.write_text("\n".join(lines), encoding="utf-8")
    data = DataSpec(target=["price"])
    table, _ = layout_of(data).read_numbers(read_table(str(path)))
    with pytest.raises(DataError, match=r"houses\.csv, line 22, column price: "):
        find_task(data, NetworkSpec(), table)


def test_a_text_is_written_though_it_has_as_many_steps_as_its_input() -> None:
    rows = {"plain": ["attack at dawn now", "hold the old bridge"] * 4}
    rows["secret"] = [text[::-1] for text in rows["plain"]]
    spelled = task_of(rows, target="secret", input_kind="text:char", target_kind="text:char")
    assert spelled.category == "encoder-decoder"
    with pytest.raises(DataError, match="category='many-to-many' was asked for"):
        task_of(rows, NetworkSpec(category="many-to-many"), target="secret")


def test_a_single_class_is_refused_in_words() -> None:
    with pytest.raises(
        DataError, match="rows, column label: a target needs at least two classes, and all 12"
    ):
        task_of(REVIEWS | {"label": ["good"] * 12}, target="label", input="text")


def test_names_of_answers_come_from_all_parts_and_words_from_the_training_part_alone() -> None:
    train = Table.from_columns({"t": ["a b c", "c b a"] * 3, "l": ["x", "y"] * 3}, origin="train")
    other = Table.from_columns({"t": ["d e f"], "l": ["z"]}, origin="test")
    data = DataSpec.model_validate({"target": "l", "input_kind": "text"})
    task = find_task(data, NetworkSpec(), train, [other])
    target: Any = task.target
    assert sorted(target.names) == ["x", "y", "z"]
    assert task.objective["size"] == 3
    assert task.input.encode("d e f").tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("class_weights", "rare", "often"),
    [
        ("balanced", 8 / (2 * 2), 8 / (2 * 6)),
        (
            "square-root",
            8 / (2 + 6 * (2 / 6) ** 0.5),
            8 * (2 / 6) ** 0.5 / (2 + 6 * (2 / 6) ** 0.5),
        ),
        ("rare", 8 / (2 + 6 * (2 / 6) ** 0.5), 8 * (2 / 6) ** 0.5 / (2 + 6 * (2 / 6) ** 0.5)),
    ],
)
def test_class_weights_lift_rare_classes_and_are_one_on_average_over_the_rows(
    class_weights: Any, rare: float, often: float
) -> None:
    columns = {"text": ["a b c d"] * 8, "label": ["rare"] * 2 + ["often"] * 6}
    spec = NetworkSpec(class_weights=class_weights, label_smoothing=0.1)
    task = task_of(columns, spec, target="label", input_kind="text")
    names = getattr(task.target, "names")  # noqa: B009
    weights = dict(zip(names, task.objective["class_weights"], strict=True))
    assert weights == pytest.approx({"rare": rare, "often": often})
    assert task.objective["label_smoothing"] == 0.1


def test_kinds_are_seen_in_rows_from_all_over_the_table() -> None:
    rows = 5 * SAMPLE
    table = Table.from_columns({"x": list(range(rows))}, origin="it")
    seen = list(sample(table).column("x"))
    assert (len(seen), seen[0], seen[-1]) == (SAMPLE, 0, rows - 1)
    assert max(np.diff(seen)) <= 6
    assert len(sample(table.select(range(7)))) == 7


LABELLED = {
    "text": ["a fine film tonight", "a dull film today"] * 10,
    "label": ["good", "bad"] * 10,
}


def test_texts_that_repeat_are_names_and_how_to_have_them_written_is_said() -> None:
    texts = [f"a film of {number} reels" for number in range(60)]
    short = [f"film {number % 21}" for number in range(60)]
    task = task_of({"text": texts, "title": short}, target="title")
    assert task.category == "many-to-one"
    note = "if title holds a text to be written, not one of 21 classes, say --target title:text."
    assert note in task.notes
    told = task_of({"text": texts, "title": short}, target="title", target_kind="category")
    single = [f"film-{number % 21}" for number in range(60)]
    few = [f"film {number % 20}" for number in range(60)]
    others = [task_of({"text": texts, "title": names}, target="title") for names in (single, few)]
    for found in (told, *others):
        assert found.category == "many-to-one"
        assert not any("to be written" in each for each in found.notes)


def test_a_text_with_a_tag_for_each_word_may_be_meant_as_tags() -> None:
    texts = [f"{'very ' * (number % 3)}room {number} is good" for number in range(60)]
    tags = [" ".join("AN"[word in {"room", "good"}] for word in text.split()) for text in texts]
    columns = {"text": texts, "part of speech": [f"{each} ." for each in tags]}
    note = (
        "part of speech has a tag for each word of text; to predict these, say "
        "--input text:symbols --target 'part of speech:symbols'."
    )
    unequal = task_of(columns, input=["text"], target="part of speech")
    assert note not in unequal.notes
    columns["part of speech"] = tags
    assert note in task_of(columns, input=["text"], target="part of speech").notes


def test_columns_of_zeros_and_ones_are_each_a_class_of_their_own() -> None:
    texts = [f"room {number} is good" for number in range(60)]
    hot = {"a": [number % 2 for number in range(60)], "b": [1, 0, 0] * 20}
    task = task_of({"text": texts, **hot}, input=["text"], target=["a", "b"])
    assert "one of 2 classes (a) and one of 2 classes (b)" in task.sentence


def part(**columns: Any) -> Table:
    return Table.from_columns(columns, origin="test.csv")


def test_symbols_to_be_written_that_stand_in_other_parts_alone_are_said_by_their_own_names() -> (
    None
):
    settings = {"input": ["x"], "target": ["y"], "target_kind": "symbols"}
    train = Table.from_columns(
        {"x": ["one two", "two", "three one"] * 4, "y": [["p"], ["q", "p", "p"], ["q"]] * 4},
        origin="rows",
    )
    other = part(x=["one", "two"], y=[["p", "odd"], ["so", "q"]])
    task = find_task(DataSpec.model_validate(settings), NetworkSpec(), train, [other])
    assert (
        "not in the training rows, so never predicted: 'odd' (test.csv, row 0), 'so' (test.csv, "
        "row 1)." in task.notes
    )


def test_names_that_stand_in_other_parts_alone_are_said_with_their_places() -> None:
    data = DataSpec.model_validate({"target": "label"})
    train = Table.from_columns(LABELLED, origin="rows")
    known = part(text=["a fine film tonight"], label=["good"])
    other = part(text=["one", "two", "three"] * 2, label=["good", "odd", "so", "od", "odd", "eh"])
    assert not any("never" in note for note in find_task(data, NetworkSpec(), train, [known]).notes)
    task = find_task(data, NetworkSpec(), train, [known, other])
    assert task.notes[-1] == (
        "not in the training rows, so never predicted: 'odd' (test.csv, row 1), 'so' (test.csv, "
        "row 2), 'od' (test.csv, row 3) and 1 more."
    )


@pytest.mark.parametrize(
    ("kind", "train", "other", "words"),
    [
        ("labels", ["a;b", "b", "a"], ["a;c"], "'c' (test.csv, row 0)."),
        ("symbols", [["A"], ["A", "B"]], [["B"], ["A", "C"]], "'C' (test.csv, row 1)."),
    ],
)
def test_a_label_or_a_tag_that_is_new_is_said(
    kind: str, train: list[Any], other: list[Any], words: str
) -> None:
    data = DataSpec.model_validate({"target": "y", "target_kind": kind})
    steps = [["t"] * len(y) if kind == "symbols" else ["t", "u"] for y in (*train, *other)]
    tables = [
        Table.from_columns({"x": steps[: len(train)], "y": train}, origin="rows"),
        part(x=steps[len(train) :], y=other),
    ]
    assert find_task(data, NetworkSpec(), tables[0], tables[1:]).notes[-1].endswith(words)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"txt": ["a"], "label": ["good"]}, "test.csv: unknown column 'text'; did you mean 'txt'?"),
        ({"text": ["a"]}, "test.csv: unknown column 'label'. Known columns: text."),
    ],
)
def test_a_part_without_a_column_is_refused_before_anything_is_learned(
    columns: dict[str, Any], words: str
) -> None:
    data = DataSpec.model_validate({"target": "label"})
    with pytest.raises(DataError, match=re.escape(words)):
        find_task(
            data, NetworkSpec(), Table.from_columns(LABELLED, origin="rows"), [part(**columns)]
        )
