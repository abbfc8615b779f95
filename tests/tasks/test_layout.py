"""Rows are divided once, as asked, and every part is laid out alike."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from elman.data import catalog
from elman.data.table import Table
from elman.errors import DataError, ElmanError, ExperimentError
from elman.experiment import DataSpec
from elman.tasks.dividing import Parts
from elman.tasks.layout import layout_of
from roads import reviews, temperatures, walks, write_csv

PARTS = ("train", "valid", "test")


def parts_of(seed: int = 1, source: Any = None, **data: Any) -> Parts:
    return layout_of(DataSpec.model_validate(data)).parts(seed, source)


def table_of(path: Path, rows: int = 40, **columns: Any) -> Path:
    """A file with a number of its own in each row, and other columns as functions of it."""
    body = [[n, *(column(n) for column in columns.values())] for n in range(rows)]
    return write_csv(path, ["n", *columns], body)


def ids(parts: Parts, column: str = "n") -> list[list[Any]]:
    return [list(table.column(column)) for table in parts[:3] if table is not None]


def test_every_row_is_in_one_part_and_the_shares_are_those_asked_for(tmp_path: Path) -> None:
    path = table_of(tmp_path / "a.csv")
    parts = parts_of(files=str(path), valid_fraction=0.2, test_fraction=0.25, target="n")
    assert list(map(len, ids(parts))) == [22, 8, 10]
    assert sorted(n for part in ids(parts) for n in part) == list(range(40))


def test_the_same_seed_divides_alike_and_another_one_otherwise(tmp_path: Path) -> None:
    path = str(table_of(tmp_path / "a.csv"))
    assert ids(parts_of(3, files=path)) == ids(parts_of(3, files=path))
    assert ids(parts_of(3, files=path)) != ids(parts_of(4, files=path))


def test_without_a_share_there_is_no_test_part(tmp_path: Path) -> None:
    assert parts_of(files=str(table_of(tmp_path / "a.csv")), test_fraction=0.0).test is None


def test_classes_have_their_share_in_every_part(tmp_path: Path) -> None:
    path = table_of(tmp_path / "a.csv", 100, label=lambda n: "rare" if n < 20 else "often")
    parts = parts_of(files=str(path), target="label", valid_fraction=0.2, test_fraction=0.2)
    counts = [Counter(part)["rare"] for part in ids(parts, "label")]
    assert counts == [12, 4, 4]


def test_files_may_bring_their_own_parts(tmp_path: Path) -> None:
    names = ("train", "valid", "test")
    paths = [str(table_of(tmp_path / f"{n}.csv", rows)) for n, rows in zip(names, (9, 4, 3))]  # noqa: B905
    parts = parts_of(files=paths[0], valid_files=paths[1], test_files=paths[2])
    assert list(map(len, ids(parts))) == [9, 4, 3]
    parts = parts_of(files=paths[0], test_files=paths[2], valid_fraction=0.3)
    assert list(map(len, ids(parts))) == [6, 3, 3]


def test_parts_from_files_are_laid_out_as_the_training_part_is(tmp_path: Path) -> None:
    layout = {"sequence_id": "walker", "time": "step", "target": "pace"}
    whole = parts_of(files=str(walks(tmp_path)), **layout)
    again = parts_of(
        files=str(tmp_path / "walks.csv"),
        valid_files=str(tmp_path / "walks.csv"),
        test_files=str(tmp_path / "walks.csv"),
        **layout,
    )
    assert again.valid.columns == again.train.columns == whole.train.columns
    assert len(again.valid) == len(again.train) == 40
    speeds = zip(again.valid.column("speed"), again.train.column("speed"), strict=True)
    assert all(list(one) == list(other) for one, other in speeds)


def test_a_column_may_say_the_part_of_each_row(tmp_path: Path) -> None:
    path = table_of(
        tmp_path / "a.csv",
        part=lambda n: ("train", "dev", "test", "train")[n % 4],
        label=lambda n: "ab"[n % 2],
    )
    parts = parts_of(files=str(path), split_column="part", target="label")
    assert [[n % 4 for n in part] for part in ids(parts)] == [[0, 3] * 10, [1] * 10, [2] * 10]


def test_rows_of_a_group_stay_together(tmp_path: Path) -> None:
    path = table_of(tmp_path / "a.csv", who=lambda n: f"w{n % 8}", label=lambda n: "ab"[n % 2])
    parts = parts_of(files=str(path), group="who", target="label")
    groups = [set(part) for part in ids(parts, "who")]
    assert sum(map(len, groups)) == 8


def test_in_time_order_the_last_rows_are_for_the_test(tmp_path: Path) -> None:
    parts = parts_of(files=str(table_of(tmp_path / "a.csv")), split_order="time")
    assert ids(parts) == [list(range(32)), list(range(32, 36)), list(range(36, 40))]


def test_what_follows_the_windows_of_one_part_lies_behind_all_that_an_earlier_part_saw(
    tmp_path: Path,
) -> None:
    layout = {"time": "day", "window": 6, "target": "celsius"}
    parts = parts_of(files=str(temperatures(tmp_path)), **layout)
    days = [list(map(int, table.column("next_day"))) for table in parts[:3] if table is not None]
    assert [day for part in days for day in part] == sorted(day for part in days for day in part)
    assert len(days[0]) > len(days[1]) > 3 < len(days[2])
    for table in parts[:3]:
        assert table is not None
        for window, day in zip(table.column("day"), table.column("next_day"), strict=True):
            assert list(map(int, window)) == list(range(int(day) - 6, int(day)))


def test_so_many_rows_of_the_training_part_are_drawn(tmp_path: Path) -> None:
    path = str(table_of(tmp_path / "a.csv"))
    whole, some = parts_of(files=path), parts_of(files=path, max_rows=5)
    assert len(some.train) == 5
    assert set(some.train.column("n")) < set(whole.train.column("n"))
    assert ids(some)[1:] == ids(whole)[1:]


def test_values_in_memory_take_the_place_of_files() -> None:
    parts = parts_of(source={"n": list(range(40))})
    assert sorted(n for part in ids(parts) for n in part) == list(range(40))


def test_rows_to_predict_are_laid_out_as_those_of_training_were(tmp_path: Path) -> None:
    data = DataSpec(sequence_id="walker", time="step")
    table = layout_of(data).read_like(str(walks(tmp_path)))
    assert len(table) == 40
    assert all(len(speeds) >= 4 for speeds in table.column("speed"))


def test_what_is_constant_by_chance_in_a_few_sequences_stays_a_value_a_step(
    tmp_path: Path,
) -> None:
    data = DataSpec(sequence_id="walker", time="step", files=[str(walks(tmp_path))])
    parts = layout_of(data).parts(1)
    single = layout_of(data).single_columns(parts.train)
    assert single == ["pace"]
    rows = [["a", 1, 5.0, 60, "slow"], ["a", 2, 5.0, 60, "slow"], ["b", 1, 4.0, 60, "fast"]]
    few = write_csv(tmp_path / "few.csv", ["walker", "step", "speed", "pulse", "pace"], rows)
    table = layout_of(data.model_copy(update={"per_sequence": single})).read_like(str(few))
    assert [list(pulse) for pulse in table.column("pulse")] == [[60, 60], [60]]
    assert list(table.column("pace")) == ["slow", "fast"]
    one = write_csv(tmp_path / "one.csv", ["walker", "step", "speed", "pulse"], [rows[0][:4]])
    table = layout_of(data.model_copy(update={"per_sequence": single})).read_like(str(one))
    assert table.columns == ["walker", "step", "speed", "pulse"]
    assert layout_of(DataSpec(files=["a.csv"])).single_columns(parts.train) is None


def test_a_named_data_set_brings_its_parts_and_columns() -> None:
    data = layout_of(DataSpec(name="chorales")).with_known_columns()
    assert (data.input, data.target, data.input_kind) == (["roll"], ["next"], "roll")
    parts = layout_of(data).parts(1)
    real = catalog.load("chorales")
    assert parts.test is not None
    assert list(map(len, parts[:3])) == [len(real.train), len(real.valid), len(real.test)]  # type: ignore[arg-type]
    assert (parts.valid.column("roll")[2] == real.valid[2]).all()


def test_columns_that_are_given_are_not_replaced_by_the_known_ones() -> None:
    data = DataSpec(name="chorales", input=["roll"], target=["other"])
    assert layout_of(data).with_known_columns() == data


def test_what_was_assumed_of_any_file_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(b"text,label\n" + "café au lait et lait,a\nthé,b\n".encode("latin-1") * 20)
    parts = parts_of(files=str(reviews(tmp_path)), test_files=str(path), target="label")
    assert any("latin.csv" in note for note in parts.notes), parts.notes


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"text,label\n", "header"),
        (b"text,label\na,b\n", "1 row, too few for 3 parts"),
        (b"text,label\na,b\nc\n", "line 3"),
    ],
)
def test_files_with_too_little_in_them_are_refused_by_name(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "small.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        parts_of(files=str(path), target="label")
    assert "small.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, r"there is no training data: give data\.files, or data\.name of a named"),
        ({"name": "choral"}, "unknown data set 'choral'; did you mean 'chorales'"),
        ({"files": "gone.csv"}, r"there is no file gone\.csv"),
        ({"source": {"n": [1, 2, 3] * 9}, "group": "m"}, "unknown column 'm'"),
        ({"source": {"n": [1, 2, 3] * 9}, "split_column": "part"}, "unknown column 'part'"),
    ],
)
def test_what_cannot_be_read_or_divided_is_refused_in_words(
    data: dict[str, Any], words: str
) -> None:
    with pytest.raises((ExperimentError, ElmanError), match=words):
        parts_of(**data)


def story(path: Path, lines: int = 50) -> Path:
    text = "".join(f"{n} " + "word " * (n % 7) + "\n" for n in range(lines))
    path.write_text(text, encoding="utf-8")
    return path


def joined(parts: Parts) -> list[str]:
    return ["".join(table.column("text")) for table in parts[:3] if table is not None]


def test_one_long_series_is_refused_with_the_ways_to_learn_from_it(tmp_path: Path) -> None:
    path = str(write_csv(tmp_path / "level.csv", ["day", "level"], [[n, n % 7] for n in range(40)]))
    long = {"files": [path], "target": ["level"], "input": ["level"], "time": "day"}
    words = r"'day' makes one sequence of all rows of level\.csv.*--window N.*--horizon N.*--seq"
    with pytest.raises(ExperimentError, match=words):
        parts_of(**long)
    assert len(parts_of(**long, window=5).train) > 1
    assert len(parts_of(**long, valid_files=[path], test_files=[path]).train) == 1


def test_a_running_text_is_divided_in_its_order_by_its_characters(tmp_path: Path) -> None:
    path = story(tmp_path / "story.txt")
    parts = parts_of(files=str(path), target="next")
    whole = path.read_text(encoding="utf-8")
    assert "".join(joined(parts)) == whole
    assert all(part.endswith("\n") for part in joined(parts))
    borders = [len(joined(parts)[0]), len(joined(parts)[0]) + len(joined(parts)[1])]
    assert borders == pytest.approx([0.8 * len(whole), 0.9 * len(whole)], abs=40)
    assert "the text is split in its order; if each line is a text of its own" in parts.notes[-1]
    assert parts.train.where(2) == "story.txt, line 3"


def test_a_line_of_any_length_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "page.txt"
    path.write_text("a word " * 200, encoding="utf-8")
    parts = parts_of(files=str(path), target="next")
    assert "".join(joined(parts)) == "a word " * 200 + "\n"
    assert len(parts.notes) == 2


def test_lines_that_are_texts_of_their_own_are_divided_at_random_if_one_says_so(
    tmp_path: Path,
) -> None:
    path = story(tmp_path / "names.txt")
    with path.open("a", encoding="utf-8") as file:
        file.write("a long line " * 20 + "\n")
    parts = parts_of(files=str(path), target="next", split_order="random")
    lines = [line for part in ids(parts, "text") for line in part]
    assert sorted(lines) == sorted(path.read_text(encoding="utf-8").splitlines(keepends=True))
    assert joined(parts)[0] not in path.read_text(encoding="utf-8")
    assert not any("in its order" in note for note in parts.notes)


def test_of_a_running_text_the_first_rows_are_taken_where_they_are_limited(tmp_path: Path) -> None:
    path = story(tmp_path / "story.txt")
    parts = parts_of(files=str(path), target="next", max_rows=9)
    assert path.read_text(encoding="utf-8").startswith(joined(parts)[0])
    assert len(parts.train) == 9


def test_files_of_their_own_are_running_texts_too(tmp_path: Path) -> None:
    paths = [str(story(tmp_path / f"{name}.txt")) for name in ("train", "valid", "test")]
    parts = parts_of(files=paths[0], valid_files=paths[1], test_files=paths[2], target="next")
    assert joined(parts) == [Path(path).read_text(encoding="utf-8") for path in paths]


def test_each_row_of_a_table_is_a_line_and_goes_to_a_part_at_random(tmp_path: Path) -> None:
    rows = [[f"name {n}", n] for n in range(40)]
    path = write_csv(tmp_path / "names.csv", ["name", "n"], rows)
    parts = parts_of(files=str(path), input="name", target="next")
    lines = [line for part in ids(parts, "name") for line in part]
    assert sorted(lines) == sorted(f"name {n}\n" for n in range(40))
    assert list(map(len, ids(parts, "name"))) == [32, 4, 4]
    numbers = list(map(int, ids(parts)[0]))
    assert numbers == sorted(numbers) != list(range(32))
    assert parts.notes == [
        "the texts of column 'name' are read as one running text, one line each."
    ]


def test_what_is_read_to_measure_by_is_laid_out_so_too_and_what_is_read_to_answer_is_not(
    tmp_path: Path,
) -> None:
    data = DataSpec.model_validate({"input": "text", "target": "next", "input_kind": "text"})
    path = story(tmp_path / "story.txt", lines=3)
    assert list(layout_of(data).read_like(path).column("text")) == [
        "0 \n",
        "1 word \n",
        "2 word word \n",
    ]
    assert list(layout_of(data).read_like(path, with_targets=False).column("text"))[:2] == [
        "0 ",
        "1 word ",
    ]
    texts = {"text": ["Ada", "Emmy"]}
    assert list(layout_of(data).read_like(texts).column("text")) == ["Ada\n", "Emmy\n"]
    assert list(layout_of(data).read_like(texts, with_targets=False).column("text")) == [
        "Ada",
        "Emmy",
    ]


def test_a_text_file_with_columns_is_read_by_the_column_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tagged.txt"
    path.write_text("It PRP O\nrains VBZ O\n\n" * 20, encoding="utf-8")
    parts = parts_of(files=str(path), input="tokens", target="next")
    assert parts.train.column("tokens")[0] == ["It", "rains"]
    assert len(parts.train) == 16


@pytest.mark.parametrize("kind", ["symbols", "audio"])
def test_what_is_no_text_is_not_made_lines(kind: str) -> None:
    source = {"sound": ["a.wav", "b.wav"] * 10}
    parts = parts_of(source=source, input="sound", target="next", input_kind=kind)
    assert set(parts.train.column("sound")) == {"a.wav", "b.wav"}


def test_a_named_set_stays_as_its_catalog_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table.from_columns({"text": ["To be,\nor", "not"]}, origin="plays")
    monkeypatch.setattr(catalog, "tables", lambda _: dict.fromkeys(PARTS, table))
    data = {"name": "tinyshakespeare", "input": "text", "target": "next"}
    assert [list(part) for part in ids(parts_of(**data), "text")] == [["To be,\nor", "not"]] * 3
