"""Nested rows: objects by dotted paths, lists of objects as lists of equal lengths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elman import train
from elman.data.sources import read_table
from elman.data.table import Table

CASE = Path(__file__).parents[4] / "shared" / "cases" / "nested.jsonl"


def read(folder: Path, *rows: dict[str, Any]) -> Table:
    path = folder / "it.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return read_table(path)


def test_an_object_is_columns_by_dotted_paths(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        {"user": {"id": "007", "home": {"town": "Ulm"}}, "y": 1},
        {"user": {"id": "7", "home": None}, "y": 2},
        {"user": None, "y": 3},
    )
    assert table.columns == ["user.id", "user.home.town", "y"]
    assert list(table.column("user.id")) == ["007", "7", None]
    assert list(table.column("user.home.town")) == ["Ulm", None, None]


def test_a_list_of_objects_is_a_list_for_every_path_with_gaps(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        {"e": [{"type": "view", "meta": {"dwell": 2}}, {"type": "buy", "tags": ["x", "y"]}]},
        {"e": []},
        {"e": None},
        {"e": [{}, None, {"type": "view"}]},
    )
    assert table.columns == ["e.type", "e.meta.dwell", "e.tags"]
    assert list(table.column("e.type")) == [["view", "buy"], [], None, [None, None, "view"]]
    assert list(table.column("e.tags")) == [[None, ["x", "y"]], [], None, [None] * 3]
    dwell = list(table.column("e.meta.dwell"))
    assert [None if v is None else len(v) for v in dwell] == [2, 0, None, 3]
    assert dwell[0][0] == 2
    assert dwell[0][1] != dwell[0][1]  # NaN


@pytest.mark.parametrize("value", [[{"type": "x", "items": [{"n": 1}]}], [[{"type": "x"}]]])
def test_objects_in_lists_within_lists_are_left_out_and_noted(tmp_path: Path, value: Any) -> None:
    table = read(tmp_path, {"e": value, "y": 1})
    assert "y" in table.columns
    assert not [name for name in table.columns if "items" in name]
    assert "was left out: in line 1 it holds objects in lists within lists" in table.notes[0]


def test_sounds_as_hugging_face_writes_them_stay_one_value(tmp_path: Path) -> None:
    sound = {"array": [0.5, -0.5, 0], "sampling_rate": 8000}
    table = read(tmp_path, {"audio": sound}, {"audio": None})
    assert list(table.column("audio")) == [sound, None]


RECORD = st.dictionaries(st.sampled_from("abc"), st.integers(-3, 3) | st.none(), max_size=3)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(RECORD, max_size=4) | st.none(), min_size=1, max_size=5), st.integers(1, 3)
)
def test_all_columns_of_a_list_of_objects_have_its_length(
    tmp_path: Path, lists: list[list[dict[str, int | None]] | None], chunk: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("elman.data.sources.nested.CHUNK", chunk)
        table = read(tmp_path, *({"e": value, "y": 1} for value in lists))
    for name in (name for name in table.columns if name.startswith("e.")):
        for got, given_ in zip(table.column(name), lists, strict=True):
            if given_ is None:
                assert got is None
                continue
            expected = [record.get(name[2:]) for record in given_]
            assert [None if v is None or v != v else int(v) for v in got] == expected


def test_one_path_of_a_list_of_objects_can_be_an_input(tmp_path: Path) -> None:
    rows = [
        {
            "user": {"country": "FR" if n % 3 else "DE"},
            "events": [{"type": "view", "page": "a"}] * (1 + n % 3) + [{"type": "ab"[n % 2]}],
            "bought": ["no", "yes"][n % 2],
        }
        for n in range(40)
    ]
    read(tmp_path, *rows)
    for number, column in enumerate(["events.type", "user.country"]):
        run = train(
            str(tmp_path / "it.jsonl"), input=column, target="bought", epochs=1, hidden_size=3,
            out=tmp_path / str(number),
        )  # fmt: skip
        assert run is not None


def test_all_columns_of_nested_rows_are_read_together(tmp_path: Path) -> None:
    if not CASE.exists():
        pytest.skip("the cases are not beside the project")
    model = train(str(CASE), target="bought", epochs=1, hidden_size=3, out=tmp_path / "all")
    assert "session.user.country" in model.task.input_columns
    assert "events.type" in model.task.input_columns
