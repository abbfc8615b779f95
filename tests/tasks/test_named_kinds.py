"""Kinds after a colon, and names that hold one."""

from __future__ import annotations

from typing import Any

import pytest

from elman.errors import ElmanError, ExperimentError, OptionError
from elman.experiment import DataSpec, Experiment
from elman.runs.run import prepare
from elman.tasks.layout import layout_of
from elman.tasks.named_kinds import kind_of, kinds_of_names, notes_of_colons


def spec(**data: Any) -> DataSpec:
    return DataSpec.model_validate(data)


@pytest.mark.parametrize(
    ("text", "columns", "name", "kind", "options"),
    [
        ("doc", ["doc"], "doc", None, {}),
        ("doc:text", ["doc"], "doc", "text", {}),
        ("doc:text:char", ["doc"], "doc", "text", {"level": "character"}),
        ("doc:char", ["doc"], "doc", "text", {"level": "character"}),
        ("doc:text", ["doc:text"], "doc:text", None, {}),
        ("doc:text", ["doc", "doc:text"], "doc:text", None, {}),
        ("doc:text:char", ["doc:text"], "doc:text", "text", {"level": "character"}),
        ("doc:text:char", ["doc", "doc:text"], "doc:text", "text", {"level": "character"}),
        ("12:30", ["12:30"], "12:30", None, {}),
        ("a:b:c:symbols", ["a:b:c"], "a:b:c", "symbols", {}),
    ],
)
def test_a_name_is_that_of_a_column_before_it_is_a_name_and_a_kind(
    text: str, columns: list[str], name: str, kind: str | None, options: dict[str, Any]
) -> None:
    data = kinds_of_names(spec(input=text, target="y"), [*columns, "y"])
    assert (data.input, data.input_kind, data.input_options) == ([name], kind, options)
    assert data.target == ["y"]


def test_a_kind_that_was_given_by_itself_leaves_names_as_they_are() -> None:
    data = spec(input="doc:text", input_kind="symbols", target="y")
    assert kinds_of_names(data, ["doc", "y"]) is data


def test_given_options_take_precedence_over_those_of_a_variant() -> None:
    data = spec(input="doc:char", input_options={"lowercase": True, "level": "bpe"}, target="y")
    assert kinds_of_names(data, ["doc"]).input_options == {"level": "bpe", "lowercase": True}


def test_unknown_kinds_and_two_kinds_of_a_column_are_refused() -> None:
    with pytest.raises(OptionError, match="unknown kind of column 'txt'; did you mean 'text'"):
        kinds_of_names(spec(input="doc:txt", target="y"), ["doc"])
    said = spec(input=["a:text", "b"], target="y", columns={"a": {"kind": "category"}})
    with pytest.raises(OptionError, match="'a' is said to be of kind text here, and of kind cate"):
        kinds_of_names(said, ["a", "b"])


def test_columns_of_several_kinds_keep_them_apart() -> None:
    data = kinds_of_names(spec(input=["a:text:char", "b", "c:number"], target="y"), ["a", "b", "c"])
    assert data.input == ["a", "b", "c"]
    assert data.input_kind is None
    assert data.columns == {"a": {"kind": "text:char"}, "c": {"kind": "number"}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dok:text", "unknown column 'dok'; did you mean 'doc'"),
        ("dok:txt", "unknown column 'dok:txt'"),
    ],
)
def test_a_name_of_no_column_is_refused_as_such(text: str, words: str) -> None:
    columns = {"doc": ["a b c", "d e f"] * 20, "y": [0, 1] * 20}
    with pytest.raises(ElmanError, match=words):
        prepare(
            Experiment.from_values({"data": {"input": text, "target": "y"}}, origin="it"), columns
        )


def test_a_column_that_reads_as_another_and_a_kind_is_said_to_be_read() -> None:
    data = spec(input="doc:text", target="y")
    assert notes_of_colons(data, ["doc", "doc:text", "y"]) == [
        "'doc:text' is a column, and is read; for column 'doc' of kind text say --input doc --set "
        "input_kind=text."
    ]
    assert notes_of_colons(data, ["doc:text", "y"]) == notes_of_colons(data, ["doc", "y"]) == []


def test_next_is_refused_where_a_column_has_this_name() -> None:
    columns = {"doc": ["a b c", "d e f"] * 20, "next": [0, 1] * 20}
    with pytest.raises(ExperimentError, match="a column named 'next', too"):
        layout_of(spec(input="doc", target="next")).parts(1, columns)
    del columns["next"]
    assert len(layout_of(spec(input="doc", target="next")).parts(1, columns).train)


def test_the_kind_of_a_column_that_is_read_is_told_from_its_name() -> None:
    data = DataSpec(columns={"doc:text:char": {}, "n:number": {"scale": "log"}, "id": {}})
    resolved = kinds_of_names(data, ["doc", "n", "id"])
    assert resolved.columns == {
        "doc": {"kind": "text:char"},
        "n": {"kind": "number", "scale": "log"},
        "id": {},
    }
    named = kinds_of_names(data, ["doc:text:char", "n", "id"]).columns
    assert named["doc:text:char"] == {}, "the column of this very name"


def test_the_kind_that_was_said_of_a_column_comes_before_that_of_its_role() -> None:
    data = DataSpec(columns={"a": {"kind": "number"}, "b": {}}, input_kind="text")
    assert kind_of(data, "a") == "number"
    assert kind_of(data, "b") == kind_of(data, "c") == "text"
    assert kind_of(data, "b", as_target=True) is None


def test_what_is_said_of_a_column_in_two_places_is_joined() -> None:
    data = spec(columns={"when": {"time_format": "%d/%m/%Y"}, "when:date": {}})
    assert kinds_of_names(data, ["when"]).columns == {
        "when": {"kind": "date", "time_format": "%d/%m/%Y"}
    }


def test_a_kind_with_its_variant_stands_for_the_kind_alone() -> None:
    said = {"when:date": {}, "when:date:%d/%m/%Y %H:%M": {}}
    data = spec(input=["x", "when:date"], columns=said)
    assert kinds_of_names(data, ["when", "x"]).columns == {"when": {"kind": "date:%d/%m/%Y %H:%M"}}
    with pytest.raises(OptionError, match="of kind date here, and of kind number"):
        kinds_of_names(spec(columns={"when:date": {}, "when:number": {}}), ["when"])
