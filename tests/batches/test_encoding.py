"""Encoding: the same tensors from memory and from files, kept until anything changes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest
import torch
from torch import Tensor

from elman.batches.encoding import EncodedExamples, Ragged, RaggedWriter, encode, fit
from elman.data.sources import read_table
from elman.data.table import Table
from elman.errors import DataError, ShapeError
from elman.features.feature import Encoding, Feature

ROWS = ["alpha", "b", "", "gamma!"]


class Letters(Feature):
    """A feature for tests: letters as numbers, counting how often it is asked."""

    kind: ClassVar[str] = "letters"
    has_steps: ClassVar[bool] = True

    def __init__(self, shift: int = 0) -> None:
        self.shift = shift
        self.asked = 0

    @property
    def encoding(self) -> Encoding:
        return Encoding(ids=(256,))

    @property
    def description(self) -> str:
        return self.kind

    def fit(self, values: Iterable[Any]) -> Self:
        for value in values:
            self._check(value)
        return self

    def encode(self, value: Any) -> Tensor:
        self.asked += 1
        self._check(value)
        return torch.tensor([ord(letter) + self.shift for letter in value], dtype=torch.int64)

    def decode(self, encoded: Tensor) -> Any:
        return "".join(chr(int(letter) - self.shift) for letter in encoded)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "shift": self.shift}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Self:
        return cls(state["shift"])

    def _check(self, value: Any) -> None:
        if not isinstance(value, str) or "?" in value:
            raise DataError(f"{value!r} is not letters.")


class Whole(Letters):
    """A feature without steps: the number of letters."""

    kind: ClassVar[str] = "whole"
    has_steps: ClassVar[bool] = False

    def encode(self, value: Any) -> Tensor:
        return torch.tensor([float(sum(map(len, value)))])


class Pictures(Letters):
    """A feature whose values name files."""

    kind: ClassVar[str] = "image"
    reads_files: ClassVar[bool] = True
    has_steps: ClassVar[bool] = False

    def encode(self, value: Any) -> Tensor:
        return torch.tensor(float(Path(value).read_text(encoding="utf-8")))


def stored(folder: Path, rows: list[str] | None = None) -> Table:
    path = folder / "it.csv"
    lines = [f'"{row}",x' for row in (ROWS if rows is None else rows)]
    path.write_text("\n".join(["word,other", *lines]), encoding="utf-8")
    return read_table(path)


@pytest.mark.parametrize("kept", [True, False])
def test_rows_are_encoded_in_the_order_asked_for(tmp_path: Path, kept: bool) -> None:
    cache = tmp_path / "cache" if kept else None
    rows = encode(stored(tmp_path), [3, 0, 2], ["word"], Letters(), cache=cache)
    assert [Letters().decode(row) for row in rows] == ["gamma!", "alpha", ""]
    assert rows.lengths.tolist() == [6, 5, 0]
    assert rows[0].dtype == torch.int64
    assert torch.equal(rows[-2], rows[0:2][1])


@pytest.mark.parametrize("kept", [True, False])
def test_a_value_a_row_has_no_steps(tmp_path: Path, kept: bool) -> None:
    cache = tmp_path / "cache" if kept else None
    rows = encode(stored(tmp_path), [0, 1], ["word", "other"], Whole(), cache=cache)
    assert [row.tolist() for row in rows] == [[6.0], [2.0]]
    assert rows.lengths.tolist() == [1, 1]


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("rows", [[], [2]])
def test_no_rows_and_no_steps_are_kept_too(tmp_path: Path, rows: list[int], kept: bool) -> None:
    cache = tmp_path / "cache" if kept else None
    encoded = encode(stored(tmp_path), rows, ["word"], Letters(), cache=cache)
    assert encoded.lengths.tolist() == [0] * len(rows)
    assert [len(row) for row in encoded] == [0] * len(rows)


def test_what_was_encoded_is_found_again(tmp_path: Path) -> None:
    first, second = Letters(), Letters()
    kept = [
        encode(stored(tmp_path), [0, 1], ["word"], feature, cache=tmp_path / "cache")
        for feature in (first, second)
    ]
    assert (first.asked, second.asked) == (2, 0)
    assert all(map(torch.equal, kept[0], kept[1]))
    assert isinstance(kept[1].values, np.memmap)


@pytest.mark.parametrize("change", ["content", "rows", "columns", "feature", "version"])
def test_whatever_changes_is_encoded_anew(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    encode(stored(tmp_path), [0, 1], ["word"], Letters(), cache=cache)
    table = stored(tmp_path, ["changed", "b"] if change == "content" else None)
    feature = Letters(shift=1 if change == "feature" else 0)
    rows = [1, 0] if change == "rows" else [0, 1]
    columns = ["other"] if change == "columns" else ["word"]
    if change == "version":
        monkeypatch.setattr("elman.__version__", "another")
    encode(table, rows, columns, feature, cache=cache)
    assert feature.asked == 2


def test_a_file_that_a_value_names_counts_as_content(tmp_path: Path) -> None:
    picture, cache = tmp_path / "a.png", tmp_path / "cache"
    table = tmp_path / "it.csv"
    table.write_text(f"file,n\n{picture},1\n", encoding="utf-8")
    seen = []
    for time, content in enumerate("55577"):
        picture.write_text(content, encoding="utf-8")
        os.utime(picture, (time // 3, time // 3))
        seen.append(encode(read_table(table), [0], ["file"], Pictures(), cache=cache)[0].item())
    assert seen == [5, 5, 5, 7, 7]
    assert len(list(cache.iterdir())) == 2


def test_tables_in_memory_leave_nothing_behind(tmp_path: Path) -> None:
    table = Table.from_columns({"word": ROWS}, "it")
    encode(table, [0], ["word"], Letters(), cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("kept", [True, False])
def test_a_value_that_cannot_be_encoded_is_named_by_its_place(tmp_path: Path, kept: bool) -> None:
    cache = tmp_path / "cache" if kept else None
    table = stored(tmp_path, ["a", "what?"])
    with pytest.raises(DataError, match=r"^it\.csv, line 3, column word: 'what\?' is not letters"):
        encode(table, [0, 1], ["word"], Letters(), cache=cache)
    assert not kept or not any((tmp_path / "cache").iterdir())


def test_a_value_that_cannot_be_fitted_is_named_by_its_place(tmp_path: Path) -> None:
    table = stored(tmp_path, ["a", "what?", "b"])
    with pytest.raises(DataError, match=r"^it\.csv, line 3, column word: 'what\?' is not"):
        fit(table, [2, 1, 0], ["word"], Letters())
    with pytest.raises(DataError, match=r"^it\.csv, line 2, columns word, other: \['a', 'x'\]"):
        fit(table, [0], ["word", "other"], Letters())


def test_a_refusal_after_the_last_value_names_no_row(tmp_path: Path) -> None:
    class Never(Letters):
        def fit(self, values: Iterable[Any]) -> Self:
            raise DataError(f"{len(list(values))} values are too few.")

    with pytest.raises(DataError, match=r"^it\.csv, column word: 2 values are too few"):
        fit(stored(tmp_path), [0, 1], ["word"], Never())


@pytest.mark.parametrize("name", ["values.npy", "offsets.npy", "checksum.txt"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "missing"])
def test_damaged_files_are_noticed_said_and_made_anew(
    tmp_path: Path, name: str, damage: str
) -> None:
    cache = tmp_path / "cache"
    encode(stored(tmp_path), [0, 3], ["word"], Letters(), cache=cache)
    (folder,) = cache.iterdir()
    whole = (folder / name).read_bytes()
    changed = {"flipped": whole[:-1] + bytes([whole[-1] ^ 1]), "cut": whole[:-1], "empty": b""}
    if damage == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(changed[damage])
    with pytest.warns(UserWarning, match=f"{folder.name} is damaged: .*; it is encoded again"):
        rows = encode(stored(tmp_path), [0, 3], ["word"], Letters(), cache=cache)
    assert [Letters().decode(row) for row in rows] == ["alpha", "gamma!"]
    assert (folder / name).read_bytes() == whole


def test_a_writer_refuses_a_tensor_unlike_the_first(tmp_path: Path) -> None:
    with RaggedWriter(tmp_path, has_steps=True) as writer:
        writer.write(torch.zeros(2, 3))
        with pytest.raises(ShapeError, match=r"got float32 \(2, 4\) after float32 \('T', 3\)"):
            writer.write(torch.zeros(2, 4))
        writer.write(torch.ones(1, 3))
    rows = Ragged.open(tmp_path)
    assert [tuple(row.shape) for row in rows] == [(2, 3), (1, 3)]


def test_a_row_of_a_mapped_file_may_be_written_to(tmp_path: Path) -> None:
    rows = encode(stored(tmp_path), [0], ["word"], Letters(), cache=tmp_path / "cache")
    rows[0].zero_()
    assert rows[0].sum() > 0


def test_examples_pair_inputs_and_targets_lazily(tmp_path: Path) -> None:
    table = stored(tmp_path)
    inputs = encode(table, [0, 1], ["word"], Letters(), cache=tmp_path / "cache")
    targets = encode(table, [0, 1], ["word"], Whole(), cache=tmp_path / "cache")
    examples = EncodedExamples(inputs, targets)
    assert len(examples) == 2
    assert examples.lengths.tolist() == [5, 1]
    assert torch.equal(examples[1].input, inputs[1])
    assert examples[0:1][0].target.item() == 5.0
    with pytest.raises(ShapeError, match="got 2 inputs and 1 targets"):
        EncodedExamples(inputs, encode(table, [0], ["word"], Whole(), cache=None))
