"""What a column is taken for, and which category a task is."""

from __future__ import annotations

import datetime
import io
from functools import partial
from typing import Any

import numpy as np
import pytest
from PIL import Image

from elman.errors import DataError, OptionError
from elman.experiment.categories import CATEGORIES
from elman.features.build import build_feature
from elman.features.category import CategoryFeature
from elman.features.inference import infer_columns, infer_kind
from elman.features.symbols import SymbolsFeature
from elman.features.text import TextFeature
from elman.tasks.category import explain, infer_category, settle_category

random = np.random.default_rng(9)
LONG = [f"the film {place} was about number {place * 7} and fine" for place in range(40)]
SURNAMES = [f"Mac{chr(97 + place % 26)}{place}" for place in range(60)]
PICTURE = random.integers(0, 256, (28, 28), np.uint8)
SENTENCES = [["the", "cat", "sat"], ["the", "dog"]]


def png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "png")
    return buffer.getvalue()


WORDS = [[f"word{9 * place + n}" for n in range(9)] for place in range(120)]
BY_LETTERS = {"characters": True, "lowercase": True, "min_count": 2}

INPUTS: list[tuple[str, list[Any], str, dict[str, Any]]] = [
    ("long strings", LONG, "text", {}),
    ("one long string", LONG[:1], "text", {}),
    ("words that differ", SURNAMES, "text", {"level": "character"}),
    ("words that repeat", ["red", "blue"] * 20, "category", {}),
    ("long strings that repeat", ["what a very fine film"] * 20, "text", {}),
    ("true and false", [True, False, None], "category", {}),
    ("whole numbers", [1, 2, 1, 2, 1, 2], "number", {}),
    ("numbers", [1.5, None, 2, float("nan")], "number", {}),
    ("numbers as strings", ["1.5", "2", ""], "number", {}),
    ("whole numbers with spaces", ["7 1 5", "1 5", "5 7 7 1"], "symbols", {}),
    ("thousands apart", ["1 234 500", "234 500", "1 234 500"] * 3, "number", {}),
    ("lists of strings", SENTENCES, "symbols", {}),
    ("lists of words", WORDS, "symbols", BY_LETTERS),
    ("lists of words that return", WORDS * 2, "symbols", {}),
    ("lists of few words", WORDS[:9], "symbols", {}),
    ("lists of codes", [[word[:2] for word in words] for words in WORDS], "symbols", {}),
    ("lists of numbers", [[1, 2.5], [], [None, 3]], "series", {}),
    ("arrays over time", [np.ones(5), np.zeros(3)], "series", {}),
    ("rows over time", [[[1.5, 2], [3, 4]], [[1, 2]]], "series", {}),
    ("arrays of rows", [random.normal(size=(9, 12)), random.normal(size=(5, 12))], "series", {}),
    ("pictures as arrays", [PICTURE, PICTURE.T], "image", {}),
    ("pictures as lists", [PICTURE.tolist(), PICTURE.T.tolist()], "image", {}),
    ("coloured arrays", [random.integers(0, 256, (9, 9, 3))] * 2, "image", {}),
    ("arrays of frames", [random.random((4, 9, 9))] * 2, "frames", {}),
    ("arrays of coloured frames", [random.random((4, 9, 9, 3))] * 2, "frames", {}),
    ("images of Pillow", [Image.fromarray(PICTURE)], "image", {}),
    ("lists of images", [[Image.fromarray(PICTURE)] * 3], "frames", {}),
    ("rolls", [random.integers(0, 2, (9, 88))] * 2, "roll", {}),
    ("rolls as lists", [random.integers(0, 2, (9, 88)).tolist()], "roll", {}),
    ("paths of sounds", ["a/one.wav", "b/two.FLAC"], "audio", {}),
    ("paths of pictures", ["a/one.png", "b/two.JPG"], "image", {}),
    ("samples with a rate", [(np.ones(9), 8_000)], "audio", {}),
    ("sounds of Hugging Face", [{"array": np.ones(9), "sampling_rate": 8_000}], "audio", {}),
    ("pictures of Hugging Face", [{"bytes": png(), "path": "x"}], "image", {}),
    ("paths of Hugging Face", [{"bytes": None, "path": "x.wav"}], "audio", {}),
    ("bytes of pictures", [png()], "image", {}),
    ("bytes of sounds", [b"RIFF\x00\x00\x00\x00WAVEfmt "], "audio", {}),
]

TARGETS: list[tuple[str, list[Any], str, dict[str, Any]]] = [
    ("two labels", ["pos", "neg"], "category", {}),
    ("labels that repeat", ["pos", "neg"] * 20, "category", {}),
    ("many names that repeat", [f"tag{place}" for place in range(30)] * 4, "category", {}),
    ("few whole numbers", [0, 1, 2, 1, 0, 2], "category", {}),
    ("few whole floats", [0.0, 1.0, 1.0, 0.0], "category", {}),
    ("digits as strings", ["0", "1", "1", "0"], "category", {}),
    ("many whole numbers", list(range(100)), "number", {}),
    ("different whole numbers", [3, 5, 7], "number", {}),
    ("more than twenty whole numbers", list(range(21)) * 4, "number", {}),
    ("more than twenty different words", SURNAMES[:21], "text", {"level": "character"}),
    ("numbers", [1.5, 2.25] * 20, "number", {}),
    ("several labels", ["a;b", "b", "c;a", "a", "b;c"], "labels", {"separator": ";"}),
    ("labels with bars", ["a|b", "b", "c|a", "a", "b|c"], "labels", {"separator": "|"}),
    ("labels with commas", ["a, b", "b", "c,a", "a", "b,c"], "labels", {"separator": ","}),
    ("labels with slashes", ["a/b", "b", "c/a", "a", "b/c"], "labels", {"separator": "/"}),
    ("places", ["Paris, France", "Lyon, France", "Rome, Italy"] * 5, "category", {}),
    ("persons", ["Smith, John", "Doe, Jane", "Roe, John"] * 5, "category", {}),
    ("dates", ["01/02/2024", "02/01/2024", "02/02/2024"] * 5, "category", {}),
    ("one-hot", [[0, 1], [1, 0], [0, 1]], "category", {"one_hot": True}),
    ("one-hot as floats", [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], "category", {"one_hot": True}),
    ("multi-hot", [[0, 1, 1], [0, 0, 0], [1, 0, 0]], "labels", {"multi_hot": True}),
    ("multi-hot as truths", [[True, True], [False, True]], "labels", {"multi_hot": True}),
    ("lists of labels", [["a", "b"], [], ["b"]], "labels", {}),
    ("a label given twice", [["a", "b"], ["b"], ["a"]] * 5 + [["b", "b"]], "labels", {}),
    ("tags", [["D", "N", "N"], ["N", "V"]], "symbols", {}),
    ("tags as numbers", [[1, 2, 2, 1], [2, 1]], "symbols", {}),
    ("numbers over time", [[1.5, 2.5, 2.5], [0.1]], "series", {}),
    ("many whole numbers over time", [list(range(50))], "series", {}),
    ("tags as digits", ["7 1 5", "1 5 7 1", "5 7"], "symbols", {}),
    ("sentences", LONG, "text", {}),
]


@pytest.mark.parametrize(
    ("values", "kind", "options"), [case[1:] for case in INPUTS], ids=[case[0] for case in INPUTS]
)
def test_the_kind_of_an_input_is_inferred(values: list[Any], kind: str, options: object) -> None:
    inferred = infer_kind(values, name="x")
    assert (inferred.kind, inferred.options) == (kind, options)
    assert inferred.why
    build_feature(inferred.kind, inferred.options, columns=["x"])


@pytest.mark.parametrize(
    ("values", "kind", "options"), [case[1:] for case in TARGETS], ids=[case[0] for case in TARGETS]
)
def test_the_kind_of_a_target_is_inferred(values: list[Any], kind: str, options: object) -> None:
    inferred = infer_kind(values, name="y", as_target=True)
    assert (inferred.kind, inferred.options) == (kind, options)
    build_feature(inferred.kind, inferred.options, columns=["y"], as_target=True)


def test_lists_with_one_element_a_step_are_tags_and_not_labels() -> None:
    values = [["D", "N"], ["N", "V"]]
    assert infer_kind(values, name="y", as_target=True).kind == "labels"
    assert infer_kind(values, name="y", as_target=True, steps=[2, 2]).kind == "symbols"
    assert infer_kind(values, name="y", as_target=True, steps=[2, 5]).kind == "labels"


def test_zeros_and_ones_with_one_for_each_step_are_tags() -> None:
    values = [[0, 1, 1], [1, 0, 0], [0, 0, 0]]
    infer = partial(infer_kind, values, name="y", as_target=True)
    assert infer(steps=[3, 3, 3]).kind == "symbols"
    assert infer(steps=[4, 3, 7]).kind == "labels"


def test_whole_numbers_that_are_not_one_a_step_are_written_however_many_there_are() -> None:
    values = [[place, place, place + 1] for place in range(30)]
    infer = partial(infer_kind, values, name="y", as_target=True)
    assert infer(steps=[3] * 30).kind == "series"
    assert infer(steps=[5] * 30).kind == "symbols"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "column 'x' is empty in 0 rows, .* leave it out: --ignore x in place of naming it"),
        (["a", [], "b"], "column 'x' mixes strings and empty lists: 'a' in row 0 .* row 1"),
        ([1, []], "column 'x' mixes numbers and empty lists"),
        ([None, "", [], float("nan")], "column 'x' is empty in 4 rows"),
        (
            [None, "abc", 5],
            "column 'x' mixes strings and numbers: 'abc' in row 1 of the sample, 5 in row 2",
        ),
        ([[1], ["a"]], r"mixes lists of numbers and lists of strings: \[1\] in row 0"),
        ([[1], 1], "mixes lists of numbers and numbers"),
        ([datetime.date(2020, 1, 2)], "column 'x' holds times, .*--time"),
        ([{"a": 1}], "column 'x' holds mappings, such as {'a': 1}; make each"),
        ([[["a"]]], r"a list that no kind of column can read"),
        ([object()], "which no kind of column can read"),
    ],
)
def test_a_column_of_no_kind_is_refused(values: list[Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        infer_kind(values, name="x")


def test_several_columns_are_a_record_or_a_series_or_numbers() -> None:
    record = infer_columns({"age": [1, 2], "port": ["Cork", "Kiel"] * 5, "alone": [True]})
    assert record.kind == "record"
    assert record.options == {"kinds": {"age": "number", "port": "category", "alone": "category"}}
    assert record.why == "1 columns of numbers, 2 of categories"
    assert infer_columns({"x": [[1.0]], "y": [[2.0]]}).kind == "series"
    assert infer_columns({"x": [1, 1], "y": [2, 2]}, as_target=True).kind == "number"
    assert infer_columns({"text": LONG}).kind == "text"


def test_columns_that_cannot_be_combined_are_refused_with_their_kinds() -> None:
    words = (
        "and categories, or all series; a looks like numbers, b like text. Name one: --input b on"
    )
    with pytest.raises(DataError, match=words):
        infer_columns({"a": [1, 2], "b": LONG})
    words = (
        "must all be numbers, or all series; a looks like categories, .* --target a on the command"
    )
    with pytest.raises(DataError, match=words):
        infer_columns({"a": ["x"] * 9, "b": [1.5]}, as_target=True)
    with pytest.raises(OptionError, match="at least one column must be named"):
        infer_columns({})


@pytest.mark.parametrize(
    ("beside", "chosen"),
    [
        ({"session.id": ["a7 east", "a9 west"] * 20}, "review"),
        ({"browser": ["Mozilla 5.0, and what else it says of itself"] * 40}, "review"),
        ({"page": [f"https://example.com/of/many/words/{n}" for n in range(40)]}, "review"),
        ({"seen": [f"{n % 12 + 1}/{n}/2023 10:15:{n} +0100" for n in range(40)]}, "review"),
        ({"title": [f"Room {n}" for n in range(40)]}, "review"),
        ({"body": [f"I came at {n} and left, as it was cold" for n in range(40)]}, "body"),
        ({"pulse": [[float(n), *[0.5] * 70] for n in range(40)]}, "pulse"),
        ({"tokens": [["we", "stayed", "on", "gladly", str(n)] for n in range(40)]}, "tokens"),
        ({"body": [f"朝食が美味しくて部屋も広くて静かだった{n}" for n in range(40)]}, "body"),
    ],
)
def test_of_columns_that_cannot_be_combined_the_most_telling_is_proposed(
    beside: dict[str, list[Any]], chosen: str
) -> None:
    columns = {**beside, "review": [f"room {n} was very good" for n in range(40)]}
    for given in (columns, dict(reversed(columns.items()))):
        with pytest.raises(DataError, match=f"Name one: --input {chosen} on the command line"):
            infer_columns({"stars": list(range(40)), **given})


def test_a_text_that_sequences_kept_from_being_read_is_proposed_too() -> None:
    lists = {"answers.text": [["a", "b"]] * 9, "answers.start": [[1.0, 2.0]] * 9}
    words = "beside them question would not be read. Name one: --input question on"
    with pytest.raises(DataError, match=words):
        infer_columns(lists, beside={"question": LONG})


@pytest.mark.parametrize(
    ("input_has_steps", "target_has_steps", "aligned", "category"),
    [
        (False, False, None, "one-to-one"),
        (True, False, None, "many-to-one"),
        (True, True, True, "many-to-many"),
        (True, True, False, "encoder-decoder"),
        (False, True, None, "one-to-many"),
    ],
)
def test_the_category_follows_from_what_has_steps(
    input_has_steps: bool, target_has_steps: bool, aligned: bool | None, category: str
) -> None:
    assert infer_category(input_has_steps, target_has_steps, aligned) == category
    assert category in CATEGORIES


def test_the_next_element_of_a_sequence_is_many_to_many() -> None:
    assert infer_category(True, False, next_step=True) == "many-to-many"
    with pytest.raises(DataError, match="only a sequence has a next element to predict"):
        infer_category(False, False, next_step=True)


@pytest.mark.parametrize(
    "values", [["Ada", "Emmy"] * 20, ["Ada", "Emmy"], ["it was a dark and stormy night", "yes"]]
)
def test_strings_whose_next_element_is_predicted_are_read_as_characters(values: list[str]) -> None:
    inferred = infer_columns({"text": values}, next_step=True)
    assert inferred[:2] == ("text", {"level": "character"})
    moves = [["e4", "e5"], ["d4"]]
    assert infer_kind(moves, name="moves", next_step=True).kind == "symbols"
    assert infer_kind(WORDS, name="words", next_step=True) == ("symbols", {}, "lists of words, "
        "many of them rare")  # fmt: skip


def test_two_sequences_must_be_aligned_or_not() -> None:
    with pytest.raises(OptionError, match="aligned must be given"):
        infer_category(True, True)


def test_a_task_is_explained_in_a_line() -> None:
    words = TextFeature(min_count=1).fit(["a film"])
    label = CategoryFeature(as_target=True).fit(["pos", "neg"])
    tags = SymbolsFeature(as_target=True).fit(SENTENCES)
    assert explain(words, label, "many-to-one") == (
        "input: words; target: one of 2 classes → many-to-one"
    )
    assert explain(words, tags, "many-to-many") == (
        "input: words; target: one of 4 tags a step → many-to-many"
    )
    assert explain(words, None, "many-to-many") == (
        "input: words; target: the next one → many-to-many"
    )


def test_a_category_that_the_data_contradicts_is_refused_with_the_reason() -> None:
    words = TextFeature(min_count=1).fit(["a film"])
    label = CategoryFeature(as_target=True).fit(["pos", "neg"])
    assert settle_category(None, "many-to-one", words, label) == "many-to-one"
    assert settle_category("many-to-one", "many-to-one", words, label) == "many-to-one"
    assert settle_category("encoder-decoder", "many-to-many", words, words) == "encoder-decoder"
    with pytest.raises(
        DataError,
        match=r"category='many-to-many' was asked for, but the input \(words\) has steps and the "
        r"target \(one of 2 classes\) has no steps, which is many-to-one. Leave category out",
    ):
        settle_category("many-to-many", "many-to-one", words, label)
    with pytest.raises(DataError, match=r"has steps, but not one for each of the input's"):
        settle_category("many-to-many", "encoder-decoder", words, words)
    with pytest.raises(OptionError, match="unknown category 'many-to-won'; did you mean 'many-to-"):
        settle_category("many-to-won", "many-to-one", words, label)


def test_a_date_is_no_target_and_the_advice_fits_a_target() -> None:
    days = ["2024-01-05", "2024-01-06"]
    with pytest.raises(
        DataError, match=r"column 'due' holds times, .* cannot be predicted\."
    ) as no:
        infer_kind(days, name="due", as_target=True)
    assert str(no.value).endswith(
        "Name another column as the target; to forecast its next N values, name this one as their "
        "time: --time due --horizon N."
    )


@pytest.mark.parametrize(
    "value", [datetime.time(12, 30), [datetime.date(2024, 1, 5)], datetime.timedelta(1)]
)
def test_the_calendar_is_not_proposed_of_times_of_day_and_lists(value: Any) -> None:
    with pytest.raises(DataError, match="which no kind of column reads; leave it out: --ignore at"):
        infer_kind([value] * 3, name="at")
