"""Columns of several kinds together: values worked by hand, missing cells, errors, JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from elman.errors import DataError, OptionError
from elman.features.aligned import AlignedFeature
from elman.features.build import build_feature
from elman.features.date import DateFeature
from elman.features.feature import Encoding, Encodings
from elman.features.kinds import feature_from_json
from elman.features.mixture import ContextFeature, MixtureFeature
from elman.features.parts import MOST_COLUMNS, Part
from elman.features.record import RecordFeature
from features.samples import MIXED, aligned, alone, context, fitted, mixture, record

DARK, LIGHT = np.zeros((2, 2), np.uint8), np.full((2, 2), 200, np.uint8)
EVERY = pytest.mark.parametrize("name", MIXED)


def lists(encoded: Any) -> list[Any]:
    return [part.tolist() for part in encoded]


def test_a_step_holds_the_numbers_then_the_ids_of_all_its_columns() -> None:
    feature, values = fitted("aligned")
    # Sizes are 2, 4, 6 and 4 with one missing: their mean is 4 and their deviation √2.
    assert feature.encoding == Encoding(numbers=2, ids=(3, 4))
    sd = 2**0.5
    expected = torch.tensor([[-2 / sd, 0, 1, 2], [0, 0, 2, 3]])
    torch.testing.assert_close(feature.encode(values[0]), expected)
    torch.testing.assert_close(feature.encode(values[1]), torch.tensor([[2 / sd, 0, 1, 1]]))


def test_a_column_that_is_missing_is_unknown_at_every_step_of_the_others() -> None:
    feature, values = fitted("aligned")
    assert feature.encode(values[2]).tolist() == [[0, 1, 2, 0], [0, 0, 1, 0]]
    assert feature.encode([None, ["NN", "PRP"], None]).tolist() == [[0, 0, 0, 1], [0, 0, 0, 2]]
    assert feature.encode(values[3]).shape == (0, 4)


def test_ids_alone_stay_whole_numbers() -> None:
    tagged = AlignedFeature([alone("token", "symbols"), alone("tag", "symbols")])
    tagged.fit([[["a", "b", "a"], ["X", "X", "Y"]]])
    encoded = tagged.encode([["b", "c"], ["Y", "X"]])
    assert encoded.tolist() == [[2, 2], [0, 1]]
    assert encoded.dtype == torch.int64


def test_the_characters_of_the_one_column_that_has_them_come_last() -> None:
    parts = [alone("token", "symbols", characters=True), alone("tag", "symbols")]
    for order in (parts, parts[::-1]):
        feature = AlignedFeature(order)
        value = {"token": ["ab", "b"], "tag": ["X", "Y"]}
        feature.fit([value])
        assert feature.encoding == Encoding(ids=(3, 3), characters=(3, 20))
        first, second = feature.encode(value)
        assert first[:2].tolist() == [1, 1]
        assert second[:2].tolist() == [2, 2]
        known = order[0 if order is parts else 1].feature.encode(["ab", "b"])
        assert torch.equal(torch.stack([first, second])[:, 2:], known[:, 1:])


@pytest.mark.parametrize("kinds", [("symbols", "symbols"), ("text", "symbols")])
def test_two_columns_with_characters_are_refused_with_the_way_out(kinds: tuple[str, str]) -> None:
    feature = AlignedFeature(
        [alone(name, kind, characters=True) for name, kind in zip("ab", kinds, strict=True)]
    )
    feature.fit([["x x", ["y", "y"]]])
    words = (
        "of a, b, read side by side, only one can have the characters of its words, and none "
        r"pictures; give one of them characters = false in data\.columns, or leave it out "
        r"\(data\.ignore\)"
    )
    with pytest.raises(OptionError, match=words):
        _ = feature.encoding


def test_unequal_steps_are_refused_with_the_advice_to_read_them_apart() -> None:
    feature, _ = fitted("aligned")
    words = (
        "token has 2 steps and tag 1, and columns that are read side by side must have equally "
        "many. Correct the row; or, if their steps do not belong together, say "
        r"--set side_by_side=false \(data\.side_by_side\)\."
    )
    with pytest.raises(DataError, match=f"^{words}$"):
        feature.encode([["He", "ran"], ["PRP"], None])
    with pytest.raises(DataError, match=r"^token has 1 step and size 2, and columns that are read"):
        feature.encode([["He"], None, [1.0, 2.0]])


def test_a_mixture_is_a_tensor_for_each_part_sequences_first() -> None:
    feature, values = fitted("mixture")
    assert feature.encoding == Encodings(
        sequences=(Encoding(ids=(4,)), Encoding(ids=(4,)), Encoding(ids=(3, 4))),
        context=(Encoding(numbers=2, ids=(3,)), Encoding(numbers=2)),
        alike=(0, 0, 2),
    )
    # Both texts have one vocabulary: b is there four times, c twice and a once.
    assert lists(feature.encode(values[0])) == [
        [3, 1],
        [1, 2, 1],
        [[1, 2], [2, 3]],
        [-1, 0, 1],
        [1, 0],
    ]
    assert lists(feature.encode(values[1])) == [[1], [], [[1, 1]], [1, 0, 2], [1, 1]]


def test_a_missing_sequence_has_no_steps_and_a_missing_record_says_so() -> None:
    feature, values = fitted("mixture")
    question, passage, tagged, beside, topics = feature.encode(values[2])
    assert (question.shape, tagged.shape) == ((0,), (0, 2))
    assert (question.dtype, tagged.dtype) == (torch.int64, torch.int64)
    assert lists([passage, beside, topics]) == [[2], [0, 1, 0], [0, 0]]


@pytest.mark.parametrize(
    ("kind", "value", "shape"),
    [
        ("text", "a b", (0,)),
        ("symbols", ["a", "b"], (0,)),
        ("series", [1.0, 2.0], (0, 1)),
        ("series", [[1.0, 2.0], [3.0, 1.0]], (0, 2)),
        ("frames", [DARK, LIGHT], (0, 1, 2, 2)),
        ("audio", (np.sin(np.arange(900)), 8_000), (0, 40)),
        ("image", DARK, (1, 2, 2)),
        ("labels", ["a", "b"], (2,)),
        ("category", "a", ()),
        ("number", 3.0, (1,)),
    ],
)
@pytest.mark.parametrize("missing", [None, float("nan"), " "])
def test_a_missing_cell_of_any_kind_is_encoded_with_the_form_of_the_others(
    kind: str, value: Any, shape: tuple[int, ...], missing: Any
) -> None:
    part = alone("it", kind)
    whole = MixtureFeature([part]) if part.has_steps else ContextFeature([part])
    whole.fit([value, missing, value])
    full, none = part.encode(value), part.encode(missing)
    assert none.shape == shape
    assert none.shape[part.has_steps :] == full.shape[part.has_steps :]
    assert none.dtype == full.dtype
    assert not none.any()


def test_a_missing_picture_is_the_mean_one() -> None:
    feature = ContextFeature([alone("photo", "image"), record()])
    feature.fit([[DARK, 1, "x"], [LIGHT, 3, "y"], [None, None, None]])
    assert feature.encode([None, 3, "x"])[0].tolist() == [[[0, 0], [0, 0]]]
    assert feature.encode([LIGHT, 3, "x"])[0].tolist() == [[[1, 1], [1, 1]]]


def test_cells_may_be_named() -> None:
    feature, values = fitted("mixture")
    named = dict(zip(reversed(feature.columns), reversed(values[0]), strict=True))
    assert lists(feature.encode(named)) == lists(feature.encode(values[0]))


@EVERY
def test_a_part_learns_from_its_own_cells_that_are_there(name: str) -> None:
    feature, values = fitted(name)
    for part in feature.parts:
        own = [feature.of_part(part, value) for value in values]
        state = part.feature.to_json()
        if name == "mixture" and part.columns in {("question",), ("passage",)}:
            continue  # learned from both
        again = Part(part.columns, feature_from_json(state))
        if not part.feature.of_columns and not part.feature.parts and not part.feature.is_set:
            own = [cell for cell in own if cell is not None]
        again.feature.fit(own)
        assert again.feature.to_json() == state


def test_features_that_are_one_are_one_after_loading() -> None:
    feature, values = fitted("mixture")
    again = feature_from_json(json.loads(json.dumps(feature.to_json())))
    question, passage, tagged, *_ = again.parts
    assert question.feature is passage.feature
    assert question.feature is not tagged.feature
    assert again.alike == (0, 0, 2)
    assert lists(again.encode(values[0])) == lists(feature.encode(values[0]))


def test_another_sequence_may_lead() -> None:
    feature, values = fitted("mixture")
    led = feature.led_by(feature.parts[2])
    assert led.columns == ("token", "tag", "question", "passage", "age", "port", "topics")
    assert led.alike == (0, 1, 1)
    assert led.main is feature.parts[2].feature.main
    value = dict(zip(feature.columns, values[0], strict=True))
    tagged, question, *_ = led.encode(value)
    assert tagged.tolist() == [[1, 2], [2, 3]]
    assert question.tolist() == [3, 1]
    again = feature_from_json(led.to_json())
    assert again.parts[1].feature is again.parts[2].feature


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"alike": [0, 0]}, "it must say which of its 3 sequences are alike"),
        ({"alike": [0, 0, 1]}, "sequence 2 cannot be like sequence 1"),
        ({"alike": [0, 2, 2]}, "sequence 1 cannot be like sequence 2"),
        ({"alike": [0, "0", 2]}, "sequence 1 cannot be like sequence '0'"),
        ({"alike": [0, -1, 2]}, "sequence 1 cannot be like sequence -1"),
        ({"parts": [3]}, "a part cannot be 3"),
        ({"parts": [{"columns": ["a"]}]}, r"it must hold \['columns', 'feature'\], got \['col"),
        ({"parts": [], "alike": []}, "parts must name at least one, got none"),
    ],
)
def test_a_mixture_whose_json_contradicts_itself_is_refused(
    change: dict[str, Any], words: str
) -> None:
    state = fitted("mixture")[0].to_json()
    with pytest.raises(DataError, match=f"'mixture' is malformed: {words}"):
        MixtureFeature.from_json({**state, "learned": {**state["learned"], **change}})


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: MixtureFeature([]), "parts must name at least one, got none"),
        (lambda: MixtureFeature([record()]), "parts must begin with those that have steps"),
        (
            lambda: MixtureFeature([record(), alone("a", "text")]),
            "parts must begin with those that have steps, at least one",
        ),
        (
            lambda: AlignedFeature([alone("a", "text"), alone("n", "number")]),
            "n has no steps, so it cannot be read beside others at each step",
        ),
        (
            lambda: ContextFeature([record(), alone("a", "text")]),
            "a has steps, and a context has none; use a mixture",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(build: Any, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        build()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({0: 3}, r"^question: a text must be a string, got 3"),
        ({2: "He ran", 3: ["PRP", {}]}, r"^token, tag: tag: symbol 1 must be a name"),
        ({4: "old"}, r"^age, port: column 'age' must be a number, got 'old'"),
        ({6: ["peace"]}, r"^topics: the label 'peace' does not occur in the training rows"),
    ],
)
def test_a_malformed_cell_is_named_by_its_column(change: dict[int, Any], words: str) -> None:
    feature, values = fitted("mixture")
    value = list(values[0])
    for place, cell in change.items():
        value[place] = cell
    with pytest.raises(DataError, match=words):
        feature.encode(value)


def test_a_value_of_other_columns_is_refused() -> None:
    feature, values = fitted("context")
    words = r"must be the list of 4 cells, age, port, topics, photo, got \[20, 'Cork', \['sea'"
    with pytest.raises(DataError, match=words):
        feature.encode(values[0][:3])
    with pytest.raises(DataError, match="must be the list of 4 cells"):
        feature.encode({"age": 3})


def test_categories_that_were_never_learned_are_found_by_the_place_of_their_column() -> None:
    feature, values = fitted("mixture")
    assert feature.reads_categories
    assert feature.never_learned(values[0]) == {}
    assert feature.never_learned(values[2]) == {}
    value = [*values[0][:5], "Oslo", ["sea"]]
    assert feature.never_learned(value) == {5: "Oslo"}
    hot = MixtureFeature(
        [
            alone("a", "text", min_count=1),
            Part(("port",), RecordFeature(["port"])),
            alone("b", "category"),
        ]
    )
    hot.fit([["x", "Cork", "u"], ["y", "Kiel", "v"]])
    assert hot.never_learned(["z", "Oslo", "w"]) == {1: "Oslo", 2: "w"}
    assert not fitted("aligned")[0].reads_categories


def test_a_description_says_what_each_column_holds() -> None:
    feature, _ = fitted("mixture")
    assert feature.description == (
        "question (words), passage (words), token (symbols), tag (symbols), age (number), "
        "port (category), topics (any of 2 labels)"
    )
    assert feature.kind_of_column("tag") == "symbols"
    assert feature.kind_of_column("age") == "number"
    assert feature.feature_of("tag").kind == "symbols"
    assert feature.reads_numbers("age")
    assert not feature.reads_numbers("port")
    columns = [f"c{n}" for n in range(MOST_COLUMNS + 2)]
    many = AlignedFeature([alone(name, "series") for name in columns]).fit([[[1.0]] * len(columns)])
    assert many.description.endswith("c11 (a number a step) and 2 other columns")


def test_a_row_is_shown_by_the_names_of_its_columns() -> None:
    feature, values = fitted("mixture")
    assert feature.shown(values[0]) == (
        "question a b, passage b c b, token He ran, tag PRP VBD, age 20, port Cork, topics sea"
    )


def test_steps_are_named_by_the_first_column() -> None:
    feature, values = fitted("aligned")
    assert feature.tokens(feature.encode(values[0])) == ["He", "ran"]
    reversed_ = AlignedFeature([*reversed(aligned().parts)]).fit([v[::-1] for v in values[:2]])
    assert reversed_.tokens(reversed_.encode(values[0][::-1])) == ["1", "2"]
    mixed, values = fitted("mixture")
    assert mixed.tokens(mixed.encode(values[0])[0]) == ["a", "b"]
    assert mixed.writable
    assert feature.writable


def test_notes_name_the_column_that_they_are_about() -> None:
    feature = ContextFeature([record(number="a", category="b"), alone("l", "labels")])
    feature.fit([[1, "x", ["u"]], [None, "y", []], [2, "x", ["u", "v"]]])
    assert feature.notes == [
        "column 'a': 1 of 3 training values missing: replaced by the mean and marked as missing.",
        "l: 1 of 3 values have no label.",
    ]
    text = build_feature("series")
    shared = MixtureFeature([Part(("fast",), text), Part(("slow",), text)])
    shared.fit([[[1.0, None], [2.0]], [[3.0], []]])
    assert [note.partition(":")[0] for note in shared.notes] == ["fast and slow"] * 2
    nested = MixtureFeature(
        [Part(("t", "s"), AlignedFeature([alone("t", "symbols"), alone("s", "series")]))]
    )
    nested.fit([[["x"], [None]], [["y"], [1.0]]])
    assert all(note.startswith("s: the series") for note in nested.notes)
    assert nested.notes


def test_files_are_read_where_a_part_reads_them() -> None:
    assert context().reads_files
    assert not mixture().reads_files


def test_a_missing_date_beside_other_columns_is_marked_where_training_dates_are_missing() -> None:
    for words, mark in ((["N/A", ""], [1.0]), ([], [])):
        parts = [Part(("x",), build_feature("number")), Part(("since",), DateFeature())]
        rows = [[1.0, "2023-01-02"], [2.0, "2023-01-03"], *([3.0, word] for word in words)]
        feature = ContextFeature(parts).fit(rows)
        for missing in ("N/A", "", None):
            assert feature.encode([1.0, missing])[1].tolist() == [0.0] * 7 + mark
