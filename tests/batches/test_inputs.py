"""Rows of several parts: side by side in a batch, cut in time, read lazily and from a cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from elman.batches.batching import Batch, BucketedBatches, Example, chunks
from elman.batches.encoding import EncodedExamples, Ragged, RaggedParts, encode, encode_inputs
from elman.batches.inputs import (
    OneInput,
    PartsInput,
    SeveralInputs,
    cut_steps,
    main_part,
    rows_of,
    selected_rows,
)
from elman.batches.streams import windows
from elman.data.sources import read_table
from elman.data.table import Table
from elman.errors import DataError, ShapeError
from elman.features.aligned import AlignedFeature
from elman.features.build import build_feature
from elman.features.mixture import ContextFeature, MixtureFeature
from elman.features.parts import Part
from elman.features.record import RecordFeature

TWO, NONE = SeveralInputs(2), SeveralInputs(0)
Parts = tuple[Tensor, ...]


def row(main: int, other: int, mark: int) -> Parts:
    """Encode a row of two sequences and a record, whose every value is `mark`."""
    return (
        torch.full((main,), mark),
        torch.full((other, 3), float(mark)),
        torch.full((2,), float(mark)),
    )


def rows(*sizes: tuple[int, int]) -> PartsInput:
    """Put rows side by side, marked 1, 2, ….

    The sizes are the steps of the main sequence and of the other one.
    """
    return TWO.collate([row(*steps, mark) for mark, steps in enumerate(sizes, start=1)])


def assert_same(actual: PartsInput, expected: PartsInput) -> None:
    assert len(actual.parts) == len(expected.parts)
    for ours, theirs in zip(
        (*actual.parts, *actual.lengths), (*expected.parts, *expected.lengths), strict=True
    ):
        assert torch.equal(ours, theirs)
        assert ours.dtype == theirs.dtype


def test_rows_lie_side_by_side_each_part_padded_by_itself() -> None:
    x = rows((2, 1), (1, 3))
    assert x.parts[0].tolist() == [[1, 2], [1, 0]]
    assert x.parts[1][..., 0].tolist() == [[1, 2], [0, 2], [0, 2]]
    assert x.parts[2].tolist() == [[1, 1], [2, 2]]
    assert [steps.tolist() for steps in x.lengths] == [[2, 1], [1, 3]]
    assert x.parts[0].dtype == x.lengths[0].dtype == torch.int64
    assert (x.sequences, x.context) == (x.parts[:2], x.parts[2:])
    assert main_part(x) is x.parts[0]
    assert x.rows == rows_of(x) == 2


def test_sequences_without_a_step_in_any_row_have_one_of_padding() -> None:
    x = rows((2, 0), (1, 0))
    assert x.parts[1].shape == (1, 2, 3)
    assert not x.parts[1].any()
    assert x.lengths[1].tolist() == [0, 0]


def test_rows_without_sequences_are_stacked() -> None:
    x = NONE.collate([(torch.ones(2), torch.tensor(3)), (torch.zeros(2), torch.tensor(5))])
    assert x.parts[0].tolist() == [[1, 1], [0, 0]]
    assert x.parts[1].tolist() == [3, 5]
    assert x.lengths == x.sequences == ()
    assert x.rows == 2
    assert not NONE.has_steps
    assert NONE.steps((torch.ones(2),)) == 1


@pytest.mark.parametrize(
    "which", [[2, 0], torch.tensor([2, 0]), torch.tensor([True, False, True])], ids=repr
)
def test_chosen_rows_are_those_of_every_part(which: Any) -> None:
    x = rows((2, 1), (1, 3), (4, 2))
    order = [0, 2] if isinstance(which, Tensor) and which.dtype == torch.bool else [2, 0]
    chosen = x.select(which)
    for part, whole in zip(chosen.sequences, x.sequences, strict=True):
        assert torch.equal(part, whole[:, order])
    assert torch.equal(chosen.context[0], x.context[0][order])
    assert [steps.tolist() for steps in chosen.lengths] == [
        [steps.tolist()[n] for n in order] for steps in x.lengths
    ]
    assert_same(selected_rows(x, which, has_steps=True), chosen)
    assert x.select(slice(1, 3)).parts[2].tolist() == [[2, 2], [3, 3]]


def test_a_batch_moves_to_a_device_with_all_its_parts() -> None:
    x = rows((2, 1), (1, 3))
    batch = Batch(x, torch.zeros(2, 2), torch.tensor([2, 1]))
    moved = batch.to("meta")
    assert {part.device.type for part in (*moved.input.parts, *moved.input.lengths)} == {"meta"}
    assert_same(x.to("cpu"), x)


def test_a_cut_is_of_the_main_sequence_alone() -> None:
    x = rows((4, 1), (1, 3), (0, 2))
    cut = x.cut(1, 3)
    assert cut.parts[0].tolist() == [[1, 0, 0], [1, 0, 0]]
    assert [steps.tolist() for steps in cut.lengths] == [[2, 0, 0], [1, 3, 2]]
    assert cut.parts[1] is x.parts[1]
    assert cut.parts[2] is x.parts[2]
    assert x.cut(2, 9).lengths[0].tolist() == [2, 0, 0]
    assert x.cut(9, 11).lengths[0].tolist() == [0, 0, 0]
    assert_same(cut_steps(x, 1, 3), cut)


@given(
    lengths=st.lists(st.integers(0, 7), min_size=1, max_size=5),
    length=st.integers(1, 9),
)
def test_windows_put_together_are_the_batch_and_each_has_the_other_parts(
    lengths: list[int], length: int
) -> None:
    x = rows(*((steps, 1 + place) for place, steps in enumerate(lengths)))
    target = torch.rand(len(x.parts[0]), len(lengths))
    whole = Batch(x, target, torch.tensor(lengths))
    cut = list(windows(whole, length))
    assert torch.equal(torch.cat([part.input.parts[0] for part in cut]), x.parts[0])
    assert torch.equal(torch.cat([part.target for part in cut]), target)
    for part in cut:
        assert len(part.input.parts[0]) <= max(length, 1)
        assert torch.equal(part.input.lengths[0], part.lengths)
        assert_same(part.input._replace(parts=x.parts, lengths=x.lengths), x)
        assert part.input.parts[1:] == x.parts[1:]
        assert part.input.lengths[1:] == x.lengths[1:]
    assert sum(int(part.lengths.sum()) for part in cut) == sum(lengths)


def test_the_form_of_a_row_is_that_of_its_parts() -> None:
    assert TWO.form(row(2, 1, 1)) == TWO.form(row(0, 5, 2))
    assert TWO.form(row(2, 1, 1)) != TWO.form(row(2, 1, 1)[:2])
    assert TWO.form(row(2, 1, 1)) != SeveralInputs(1).form(row(2, 1, 1))
    with pytest.raises(ShapeError, match=r"input must be \(T, …\), time first, got a single num"):
        TWO.form((torch.ones(3), torch.tensor(1.0)))


def test_a_row_of_other_parts_is_refused_by_its_number() -> None:
    examples = [Example(row(2, 1, 1), torch.tensor(0)), Example(row(2, 1, 1)[:2], torch.tensor(0))]
    words = (
        r"example 1 must be like example 0, input \(\(T\) torch\.int64; \(T, 3\) torch\.float32; "
        r"\(2\) torch\.float32\) and target \(\) torch\.int64; got input \(\(T\) torch\.int64; "
    )
    with pytest.raises(ShapeError, match=words):
        BucketedBatches(examples, 2, seed=0, inputs=TWO, targets="row")


sizes = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=20)


@given(sizes=sizes, batch_size=st.integers(1, 6), n=st.integers(0, 3))
def test_an_epoch_holds_every_row_once_with_its_own_parts(
    sizes: list[tuple[int, int]], batch_size: int, n: int
) -> None:
    given_rows = [row(*steps, mark) for mark, steps in enumerate(sizes, start=1)]
    examples = [Example(x, x[2][0]) for x in given_rows]
    batches = BucketedBatches(examples, batch_size, seed=3, inputs=TWO, targets="row")
    marks = []
    for batch in batches.epoch(n):
        assert torch.equal(batch.lengths, batch.input.lengths[0])
        assert torch.equal(batch.target, batch.input.parts[2][:, 0])
        for place, mark in enumerate(batch.target.long().tolist()):
            expected = given_rows[mark - 1]
            for part, steps, whole in zip(
                batch.input.sequences, batch.input.lengths, expected, strict=False
            ):
                assert torch.equal(part[: steps[place], place], whole)
                assert not part[steps[place] :, place].any()
            marks.append(mark)
    assert sorted(marks) == list(range(1, len(sizes) + 1))
    assert batches.real_steps == sum(main for main, _ in sizes)


def test_batches_are_of_like_length_of_the_main_sequence() -> None:
    examples = [
        Example(row(main, other, main), torch.zeros(())) for main, other in ((9, 1), (1, 9), (8, 2))
    ]
    batches = BucketedBatches(examples, 2, seed=0, shuffle=False, inputs=TWO, targets="row")
    assert [batch.lengths.tolist() for batch in batches.epoch(0)] == [[1, 8], [9]]


def test_a_target_a_step_is_one_for_each_of_the_main_sequence() -> None:
    x = row(2, 5, 1)
    with pytest.raises(ShapeError, match=r"got an input of T = 2 and a target of T = 5 steps"):
        BucketedBatches([Example(x, torch.zeros(5))], 1, seed=0, inputs=TWO)
    (batch,) = BucketedBatches([Example(x, torch.zeros(2))], 1, seed=0, inputs=TWO).epoch(0)
    assert batch.weight == 2
    assert batch.target.shape == (2, 1)


def test_rows_without_sequences_have_one_step_each() -> None:
    examples = [
        Example((torch.full((2,), float(n)), torch.tensor(n)), torch.tensor(n)) for n in range(3)
    ]
    batches = BucketedBatches(examples, 3, seed=0, shuffle=False, inputs=NONE, targets="row")
    (batch,) = batches.epoch(0)
    assert batch.lengths.tolist() == [1, 1, 1]
    assert batch.input.parts[1].tolist() == batch.target.tolist() == [0, 1, 2]


def test_chunks_of_the_main_sequence_have_all_of_the_other_parts() -> None:
    x = (torch.arange(7), torch.rand(3, 3), torch.rand(2))
    pieces = chunks([Example(x, torch.arange(7) * 2)], 3, TWO)
    assert [piece.input[0].tolist() for piece in pieces] == [[0, 1, 2], [3, 4], [5, 6]]
    assert [piece.target.tolist() for piece in pieces] == [[0, 2, 4], [6, 8], [10, 12]]
    for piece in pieces:
        assert piece.input[1] is x[1]
        assert piece.input[2] is x[2]


def test_one_part_a_row_is_read_as_ever() -> None:
    x = torch.rand(4, 3, 2)
    assert main_part(x) is x
    assert rows_of(x) == 4
    assert torch.equal(selected_rows(x, [2, 0], has_steps=True), x[:, [2, 0]])
    assert torch.equal(selected_rows(x, [2, 0], has_steps=False), x[[2, 0]])
    assert torch.equal(cut_steps(x, 1, 3), x[1:3])
    assert OneInput(has_steps=False).steps(x) == 1


def test_encoded_parts_are_read_row_by_row() -> None:
    first = Ragged(np.arange(5), np.array([0, 2, 2, 5]))
    parts = RaggedParts([first, Ragged(np.arange(6.0).reshape(3, 2), None)])
    assert len(parts) == 3
    assert parts.lengths.tolist() == [2, 0, 3]
    assert [part.tolist() for part in parts[2]] == [[2, 3, 4], [4, 5]]
    assert [part.tolist() for part in parts[-3]] == [[0, 1], [0, 1]]
    assert [[part.tolist() for part in each] for each in parts[1:]] == [
        [[], [2, 3]],
        [[2, 3, 4], [4, 5]],
    ]
    examples = EncodedExamples(parts, Ragged(np.array([7, 8, 9]), None))
    assert examples.lengths.tolist() == [2, 0, 3]
    assert examples[2].target.item() == 9
    assert [part.tolist() for part in examples[2].input] == [[2, 3, 4], [4, 5]]
    with pytest.raises(ShapeError, match="every input must have a target, got 3 inputs and 1 targ"):
        EncodedExamples(parts, Ragged(np.array([7]), None))


TEXTS = ["a b", "b", "c a b"]
COLUMNS = {"text": TEXTS, "tags": ["X Y", "", "Y"], "n": [1, 2, 6], "g": ["u", "v", "u"]}


def stored(folder: Path, **changes: list[Any]) -> Table:
    columns = {**COLUMNS, **changes}
    lines = [",".join(map(str, values)) for values in zip(*columns.values(), strict=True)]
    path = folder / "it.csv"
    path.write_text("\n".join([",".join(columns), *lines, ""]), encoding="utf-8")
    return read_table(path)


def mixture() -> MixtureFeature:
    kinds = {"n": "number", "g": "category"}
    feature = MixtureFeature(
        [
            Part(("text",), build_feature("text", {"min_count": 1})),
            Part(("tags",), build_feature("symbols")),
            Part(("n", "g"), RecordFeature(["n", "g"], kinds=kinds)),
        ]
    )
    return feature.fit(map(list, zip(*COLUMNS.values(), strict=True)))


@pytest.mark.parametrize("kept", [True, False])
def test_rows_are_encoded_part_by_part(tmp_path: Path, kept: bool) -> None:
    table, feature = stored(tmp_path), mixture()
    cache = tmp_path / "cache" if kept else None
    rows = encode_inputs(table, feature.columns, feature, cache=cache)
    assert isinstance(rows, RaggedParts)
    assert rows.lengths.tolist() == [2, 1, 3]
    for encoded, value in zip(rows, table.values(feature.columns), strict=True):
        assert all(map(torch.equal, encoded, feature.encode(value)))
    assert not kept or all(isinstance(part.values, np.memmap) for part in rows.parts)
    assert not kept or len(list(tmp_path.joinpath("cache").iterdir())) == 3


def test_one_feature_and_aligned_columns_are_one_tensor_a_row(tmp_path: Path) -> None:
    table = Table.from_columns({"a": [["x", "y"], ["x"]], "b": [[1.0, 2.0], [3.0]]}, origin="rows")
    parts = [Part(("a",), build_feature("symbols")), Part(("b",), build_feature("series"))]
    aligned = AlignedFeature(parts).fit(table.values(["a", "b"]))
    rows = encode_inputs(table, ["a", "b"], aligned, cache=None)
    assert isinstance(rows, Ragged)
    assert rows[1].shape == (1, 2)
    context = ContextFeature(
        [
            Part(("n",), RecordFeature(["n"], kinds={"n": "number"})),
            Part(("l",), build_feature("labels")),
        ]
    )
    table = Table.from_columns({"n": [1, 3], "l": [["u"], ["v", "u"]]}, origin="rows")
    context.fit(table.values(["n", "l"]))
    both = encode_inputs(table, ["n", "l"], context, cache=tmp_path)
    assert [[part.tolist() for part in each] for each in both] == [
        [[-1.0], [1.0, 0.0]],
        [[1.0], [1.0, 1.0]],
    ]
    assert both.lengths.tolist() == [1, 1]


class Counting:
    """Counts the values that a part encodes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[str, ...]] = []
        encode_value = Part.encode

        def counted(part: Part, value: Any) -> Tensor:
            self.asked.append(part.columns)
            return encode_value(part, value)

        monkeypatch.setattr(Part, "encode", counted)


def test_what_was_encoded_is_found_again_and_only_a_changed_part_is_encoded_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, cache = Counting(monkeypatch), tmp_path / "cache"
    table, feature = stored(tmp_path), mixture()
    first = encode_inputs(table, feature.columns, feature, cache=cache)
    assert len(counting.asked) == 9
    counting.asked.clear()
    again = encode_inputs(stored(tmp_path), feature.columns, mixture(), cache=cache)
    assert counting.asked == []
    for ours, theirs in zip(first, again, strict=True):
        assert all(map(torch.equal, ours, theirs))
    other = mixture()
    other.parts[1].feature.fit([["X"], ["Z"]])
    encode_inputs(table, other.columns, other, cache=cache)
    assert counting.asked == [("tags",)] * 3


def test_a_part_of_one_feature_for_two_columns_is_encoded_for_each(tmp_path: Path) -> None:
    shared = build_feature("text", {"min_count": 1})
    pair = MixtureFeature([Part(("text",), shared), Part(("tags",), shared)])
    table = stored(tmp_path)
    pair.fit(table.values(pair.columns))
    rows = encode_inputs(table, pair.columns, pair, cache=tmp_path / "cache")
    assert [len(part) for part in rows[0]] == [2, 2]
    assert not torch.equal(rows[0][0], rows[0][1])


@pytest.mark.parametrize("kept", [True, False])
def test_a_cell_that_cannot_be_encoded_is_named_by_its_place_and_column(
    tmp_path: Path, kept: bool
) -> None:
    feature, cache = mixture(), tmp_path / "cache" if kept else None
    table = stored(tmp_path, n=[1, "old", 6])
    words = r"^it\.csv, line 3, columns n, g: column 'n' must be a number, got 'old'"
    with pytest.raises(DataError, match=words):
        encode_inputs(table, feature.columns, feature, cache=cache)
    tags = AlignedFeature([Part((name,), build_feature("symbols")) for name in ("text", "tags")])
    tags.fit([[["a"], ["X"]]])
    table = stored(tmp_path)
    words = r"^it\.csv, line 4, columns text, tags: text has 3 steps and tags 1, and columns that"
    with pytest.raises(DataError, match=words):
        encode(table, range(3), ["text", "tags"], tags, cache=cache)
    assert not kept or not any(path.name.startswith("unfinished") for path in cache.iterdir())
