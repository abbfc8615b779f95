"""Which columns are read together and how, and what may be said of each."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from elman.data.table import Table
from elman.errors import DataError, ElmanError
from elman.experiment import DataSpec, Experiment, NetworkSpec
from elman.features.aligned import AlignedFeature
from elman.features.feature import Encodings
from elman.features.mixture import ContextFeature, MixtureFeature
from elman.features.record import RecordFeature
from elman.features.series import SeriesFeature
from elman.runs.run import prepare
from elman.tasks.find import find_task, task_from_json
from elman.tasks.mixing import described_columns
from elman.tasks.task import Task

N = 30
LENGTHS = [3 + n % 5 for n in range(N)]
WORDS = ["stone", "river", "cloud", "ember", "frost", "grove", "haven", "inlet"]
COLUMNS: dict[str, list[Any]] = {
    "title": [" ".join(WORDS[(n + k) % 8] for k in range(2 + n % 3)) for n in range(N)],
    "body": [" ".join(WORDS[(n * k) % 8] for k in range(9 + n % 7)) for n in range(N)],
    "tokens": [[WORDS[(n + k) % 8] for k in range(length)] for n, length in enumerate(LENGTHS)],
    "pos": [["NVA"[(n + k) % 3] for k in range(length)] for n, length in enumerate(LENGTHS)],
    "fast": [[n / 7 + k for k in range(length)] for n, length in enumerate(LENGTHS)],
    "other": [[k + n / 3 for k in range(length)] for n, length in enumerate(LENGTHS)],
    "slow": [[n / 2, 1.0] for n in range(N)],
    "price": [0.37 * n for n in range(N)],
    "size": [n % 7 for n in range(N)],
    "colour": [("red", "blue")[n % 2] for n in range(N)],
    "zip": [("0017", "1200", "0300")[n % 3] for n in range(N)],
    "topics": [[("sea", "war", "art")[k] for k in range(n % 4)] for n in range(N)],
    "photo": [np.full((4, 4, 3), 8 * n, np.uint8) for n in range(N)],
    "y": [("good", "bad")[n % 2] for n in range(N)],
}
GROUPS: dict[str, tuple[type[Any], list[tuple[str, ...]]]] = {
    "price colour": (RecordFeature, []),
    "price size zip": (RecordFeature, []),
    "fast other": (SeriesFeature, []),
    "tokens pos": (AlignedFeature, [("tokens",), ("pos",)]),
    "tokens fast": (AlignedFeature, [("tokens",), ("fast",)]),
    "fast other pos": (AlignedFeature, [("fast",), ("other",), ("pos",)]),
    "price topics:labels": (ContextFeature, [("price",), ("topics",)]),
    "photo price colour": (ContextFeature, [("price", "colour"), ("photo",)]),
    "title body": (MixtureFeature, [("body",), ("title",)]),
    "fast slow": (MixtureFeature, [("fast",), ("slow",)]),
    "title price colour": (MixtureFeature, [("title",), ("price", "colour")]),
    "price tokens colour pos": (MixtureFeature, [("tokens", "pos"), ("price", "colour")]),
    "fast other price": (MixtureFeature, [("fast", "other"), ("price",)]),
    "slow photo fast topics:labels": (
        MixtureFeature,
        [("fast",), ("slow",), ("photo",), ("topics",)],
    ),
    "title fast tokens": (MixtureFeature, [("title",), ("fast", "tokens")]),
}
"""Columns → what they are read as, and the columns of each part."""


def task_of(
    said: str | list[str], target: str = "y", *, network: NetworkSpec | None = None, **data: Any
) -> Task:
    """Find the task of columns; others than those of the table are in `data["table"]`."""
    names = said.split() if isinstance(said, str) else said
    table = {**COLUMNS, **data.pop("table", {})}
    read = {name: table[name] for name in (*(n.partition(":")[0] for n in names), target)}
    values = {"data": {"input": names, "target": [target], **data}}
    experiment = Experiment.from_values(values, origin="it")
    if network is not None:
        experiment = experiment.model_copy(update={"network": network})
    return prepare(experiment, read).task


def parts_of(task: Task) -> list[tuple[str, ...]]:
    return [part.columns for part in task.input.parts]


@pytest.mark.parametrize("columns", GROUPS)
def test_columns_are_grouped_by_kind_and_steps(columns: str) -> None:
    task = task_of(columns)
    kind, parts = GROUPS[columns]
    assert type(task.input) is kind
    assert parts_of(task) == parts
    names = [name.partition(":")[0] for name in columns.split()]
    assert sorted(task.input_columns) == sorted(names)
    again = task_from_json(json.loads(json.dumps(task.to_json())))
    assert again.input.to_json() == task.input.to_json()
    assert again.input.encoding == task.input.encoding


@pytest.mark.parametrize(
    ("columns", "data"),
    [
        *((columns, {}) for columns in GROUPS),
        ("price size", {"input_options": {"scale": "log"}}),
        ("price colour", {"input_kind": "record"}),
        ("title body", {"input_options": {"level": "character"}}),
        ("title:char body:char", {}),
        ("fast other", {"input_options": {"scale": "log"}}),
        ("fast:series:none other:series:none", {}),
        ("tokens pos", {"side_by_side": False}),
        ("price", {"columns": {"price": {"scale": "log"}}}),
        ("price colour", {"columns": {"colour": {"kind": "category"}}}),
        ("price title", {"columns": {"title": {"lowercase": False}, "price": {"scale": "log"}}}),
    ],
    ids=repr,
)
def test_the_same_columns_are_read_the_same_when_a_run_is_repeated(
    columns: str, data: dict[str, Any]
) -> None:
    names = [name.partition(":")[0] for name in columns.split()]
    read = {name: COLUMNS[name] for name in (*names, "y")}
    values = {"data": {"input": columns.split(), "target": ["y"], **data}}
    first = prepare(Experiment.from_values(values, origin="it"), read)
    again = prepare(Experiment.from_toml(first.experiment.to_toml()), read)
    assert again.experiment == first.experiment
    assert again.task.to_json() == first.task.to_json()


def test_without_names_all_columns_but_the_target_are_read() -> None:
    read = {name: COLUMNS[name] for name in ("title", "price", "colour", "y")}
    data = {"target": ["y"], "columns": {"colour": {}}}  # which tells the target, and is asked for
    task = prepare(Experiment.from_values({"data": data}, origin="it"), read).task
    assert parts_of(task) == [("title",), ("price", "colour")]
    assert task.sentence == (
        "input: title (words), price (number), colour (category); target: one of 2 classes → "
        "many-to-one"
    )


def test_a_column_whose_steps_differ_in_one_row_is_a_sequence_of_its_own() -> None:
    pos = [*COLUMNS["pos"][:-1], ["N"]]
    assert parts_of(task_of("tokens pos", table={"pos": pos})) == [("tokens",), ("pos",)]
    assert isinstance(task_of("tokens pos", table={"pos": pos}).input, MixtureFeature)


def test_missing_cells_do_not_count_among_the_steps() -> None:
    gaps = {"pos": [None, *COLUMNS["pos"][1:]], "tokens": [*COLUMNS["tokens"][:-1], None]}
    assert isinstance(task_of("tokens pos", table=gaps).input, AlignedFeature)
    half = N // 2
    never = {
        "pos": [None] * half + COLUMNS["pos"][half:],
        "tokens": COLUMNS["tokens"][:half] + [None] * half,
    }
    assert isinstance(task_of("tokens pos", table=never).input, MixtureFeature)


def test_series_with_missing_cells_are_aligned_so_that_the_others_say_how_long_they_are() -> None:
    task = task_of(
        "fast other", table={"fast": [None if n % 3 else x for n, x in enumerate(COLUMNS["fast"])]}
    )
    assert isinstance(task.input, AlignedFeature)
    encoded = task.input.encode([None, [1.0, 2.0]])
    assert encoded[:, 0].tolist() == [0, 0]
    assert encoded[:, 1].all()


@pytest.mark.parametrize("columns", ["tokens pos", "fast other", "tokens pos fast"])
def test_columns_with_the_same_steps_are_read_apart_where_that_is_said(columns: str) -> None:
    task = task_of(columns, side_by_side=False)
    assert isinstance(task.input, MixtureFeature)
    assert sorted(parts_of(task)) == sorted((name,) for name in columns.split())
    assert task.category == "many-to-one"


def test_the_longest_sequence_leads_unless_another_has_the_steps_of_the_target() -> None:
    assert parts_of(task_of("title tokens")) == [("title",), ("tokens",)]
    assert task_of("title tokens").input.main.kind == "text"
    tags = {"tags": [["X"] * length for length in LENGTHS]}
    tags["tags"][0][0] = "O"
    task = task_of("title tokens slow", "tags", table=tags)
    assert parts_of(task)[0] == ("tokens",)
    assert task.category == "many-to-many"
    assert task.input_columns == ("tokens", "title", "slow")
    assert task.input.encoding.alike == (0, 1, 2)


def test_a_row_without_steps_is_refused_by_the_column_that_leads() -> None:
    tags: dict[str, list[Any]] = {
        "tags": [["X", "O", "O", "X", "O", "X", "X"][:length] for length in LENGTHS]
    }
    rows = {"data": {"input": ["tokens", "price"], "target": ["tags"]}}
    read = {
        "tokens": [[], *COLUMNS["tokens"][1:]],
        "price": COLUMNS["price"],
        "tags": [[], *tags["tags"][1:]],
    }
    prepared = prepare(Experiment.from_values(rows, origin="it"), read)
    whole = Table.from_columns(read, origin="it")
    with pytest.raises(
        DataError, match="row 0: tokens has no steps, so there is nothing to predict"
    ):
        prepared.task.examples(whole)


def test_a_target_of_other_steps_is_refused_by_the_column_that_leads() -> None:
    tags = {"tags": [["X", "O", "O", "X", "O", "X", "X"][:length] for length in LENGTHS]}
    tags["tags"][3] = ["X"]
    words = r"row \d+: tokens has 6 steps and tags has 1, and they must have equally many"
    with pytest.raises(DataError, match=words):
        task_of("tokens price", "tags", table=tags)


def test_kind_and_options_may_be_said_of_each_column() -> None:
    task = task_of(
        "title body price",
        columns={
            "title": {"kind": "text:char", "lowercase": True},
            "body": {"kind": "text", "min_count": 1},
            "price": {"scale": "log"},
        },
    )
    body, title, price = task.input.parts
    assert (title.feature.level, title.feature.lowercase) == ("character", True)
    assert (body.feature.level, body.feature.min_count) == ("word", 1)
    assert price.feature.scale == "log"
    assert task.input.encoding.alike == (0, 1)


def test_texts_read_alike_have_one_vocabulary_and_others_one_each() -> None:
    pair = task_of("title:text body:text")
    assert pair.input.encoding.alike == (0, 0)
    assert pair.input.parts[0].feature is pair.input.parts[1].feature
    apart = task_of("title:text:char body:text")
    assert apart.input.encoding.alike == (0, 1)
    assert task_of("fast slow").input.encoding.alike == (0, 0)
    assert task_of("tokens body").input.encoding.alike == (0, 1)


def test_several_columns_of_one_kind_that_reads_one_are_read_each_by_itself() -> None:
    for said in (
        {"columns": ["title:char", "body:char"]},
        {"columns": ["title", "body"], "input_kind": "text:char"},
        {"columns": ["title", "body"], "input_options": {"level": "character"}},
    ):
        names: Any = said.pop("columns")
        task = task_of(names, **said)
        assert [part.feature.level for part in task.input.parts] == ["character"] * 2
        assert task.input.encoding.alike == (0, 0)


def test_several_columns_of_one_kind_that_reads_several_are_one() -> None:
    assert isinstance(task_of("fast:series other:series").input, SeriesFeature)
    assert isinstance(task_of("price:record colour:record").input, RecordFeature)
    task = task_of("price size", input_options={"scale": "log"})
    assert isinstance(task.input, RecordFeature)
    assert task.input.scale == "log"


def test_numbers_of_two_scales_are_two_records() -> None:
    task = task_of("price size colour", columns={"size": {"scale": "log"}})
    assert isinstance(task.input, ContextFeature)
    assert parts_of(task) == [("price", "colour"), ("size",)]


def test_a_column_may_be_said_to_be_of_another_kind_than_it_looks() -> None:
    task = task_of("title size:category")
    assert task.input.kind_of_column("size") == "category"
    assert task.input.encoding.context[0].ids == (8,)
    assert parts_of(task_of("title colour:text:char")) == [("title",), ("colour",)]


@pytest.mark.parametrize(
    ("columns", "data", "words"),
    [
        (
            "title price",
            {"input_options": {"level": "character"}},
            "data.input_options are for columns of one kind; give those of each column in "
            "data.columns, as in [data.columns.title].",
        ),
        (
            "title:text price",
            {"input_options": {"level": "character"}},
            "data.input_options are for columns of one kind",
        ),
        (
            "price colour",
            {"input_kind": "record", "columns": {"price": {"scale": "log"}}},
            "data.input_kind = 'record' reads price, colour as one, and data.columns speaks of "
            "price alone; leave one of them out.",
        ),
        (
            "title body",
            {"input_kind": "text", "columns": {"body": {"kind": "symbols"}}},
            "column 'body' is said to be of kind symbols in data.columns, and of kind text in "
            "data.input_kind; leave one of them out.",
        ),
        (
            "price:record colour title",
            {},
            "column 'price' is said to be a record, and that is several columns together; say "
            "number or category.",
        ),
        (
            "title price",
            {"columns": {"prise": {"scale": "log"}}},
            "unknown column 'prise'; did you mean 'price'?",
        ),
        (
            "title price",
            {"columns": {"price": {"kind": "numbr"}}},
            "unknown kind of column 'numbr'; did you mean 'number'?",
        ),
        (
            "title price",
            {"columns": {"title": {"levl": "word"}}},
            "unknown text option 'levl'; did you mean 'level'?",
        ),
    ],
)
def test_what_contradicts_itself_or_is_unknown_is_refused_in_words(
    columns: str, data: dict[str, Any], words: str
) -> None:
    with pytest.raises(ElmanError, match=re.escape(words)):
        task_of(columns, **data)


def test_characters_of_two_aligned_columns_are_refused() -> None:
    words = "of tokens, pos, read side by side, only one can have the characters of its words"
    with pytest.raises(ElmanError, match=words):
        task_of("tokens:symbols:characters pos:symbols:characters")
    task = task_of("tokens:symbols:characters pos")
    assert task.input.encoding.characters is not None


def test_what_is_written_is_read_in_the_kind_that_was_said_of_its_column() -> None:
    said = {"columns": {"body": {"kind": "text:word"}}}
    task = task_of("body", "title", target_kind="text", **said)
    assert task.category == "encoder-decoder"
    assert task.sentence.startswith("input: words;")
    assert task_of("body", "title", target_kind="text").sentence.startswith("input: byte pairs;")
    lower = task_of("body", "title", target_kind="text", columns={"body": {"lowercase": True}})
    assert (lower.input.level, lower.input.lowercase) == ("bpe", True)


def test_columns_are_described_as_they_may_be_said() -> None:
    task = task_of("tokens pos price colour title:char")
    described = described_columns(task.input, task.input_columns)
    assert described["price"] == {"kind": "number"}
    assert described["colour"] == {"kind": "category"}
    assert described["title"]["kind"] == "text"
    assert described["title"]["level"] == "character"
    assert described["tokens"]["kind"] == described["pos"]["kind"] == "symbols"
    assert DataSpec.model_validate({"columns": described}).columns == described


@pytest.mark.parametrize("columns", GROUPS)
def test_features_are_fitted_on_the_training_part_alone(columns: str) -> None:
    names = [name.partition(":")[0] for name in columns.split()]
    read = {name: COLUMNS[name] for name in (*names, "y")}
    train = Table.from_columns({name: cells[:20] for name, cells in read.items()}, origin="train")
    other = Table.from_columns({name: cells[20:] for name, cells in read.items()}, origin="other")
    kinds = {"topics": {"kind": "labels"}} if "topics" in names else {}
    data = DataSpec(input=names, target=["y"], columns=kinds)
    alone = find_task(data, NetworkSpec(), train)
    beside = find_task(data, NetworkSpec(), train, [other])
    assert alone.input.to_json() == beside.input.to_json()


def test_a_malformed_cell_is_named_by_file_row_and_column_when_it_is_fitted() -> None:
    wrong = {"price": [*COLUMNS["price"][:4], 1e300, *COLUMNS["price"][5:]]}
    table = {"title": COLUMNS["title"], **wrong, "y": COLUMNS["y"]}
    data = DataSpec(input=["title", "price"], target=["y"], columns={"price": {"kind": "number"}})
    with pytest.raises(DataError, match=r"row 4, column price: column 'price' is 1e\+300, beyond"):
        find_task(data, NetworkSpec(), Table.from_columns(table, origin="it"))


@pytest.mark.parametrize(
    ("columns", "target", "category"),
    [
        ("title price", "y", "many-to-one"),
        ("title price", "size", "many-to-one"),
        ("title price", "topics", "many-to-one"),
        ("tokens price", "pos", "many-to-many"),
        ("tokens price", "fast", "many-to-many"),
        ("photo price", "y", "one-to-one"),
        ("photo price", "body", "one-to-many"),
        ("title price", "body", "encoder-decoder"),
    ],
)
def test_the_category_follows_from_the_columns_as_ever(
    columns: str, target: str, category: str
) -> None:
    said = {"topics": {"target_kind": "labels"}, "body": {"target_kind": "text"}}
    said["fast"] = {"target_kind": "series"}
    task = task_of(columns, target, **said.get(target, {}))
    assert task.category == category
    assert isinstance(task.input.encoding, Encodings)
