"""Corpora of piano rolls in both of their layouts."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from elman.data.catalog import ROLL_SETS, Splits, load, read_mat, read_packed

ROLLS = Splits(
    *(
        [np.random.default_rng(9 * part + piece).integers(0, 2, (steps, 88)).astype(np.uint8)
         for piece, steps in enumerate(lengths)]
        for part, lengths in enumerate([(5, 3), (7,), (2, 11, 1)])
    )
)  # fmt: skip


def mat_of(splits: Splits) -> dict[str, bytes]:
    """Write rolls as the downloads have them: a cell (1, pieces) for each split."""
    cells = {}
    for part, rolls in splits._asdict().items():
        cell = np.empty((1, len(rolls)), object)
        cell[0, :] = rolls
        cells[f"{part}data"] = cell
    file = io.BytesIO()
    savemat(file, cells)
    return {"rolls.mat": file.getvalue()}


def packed_of(splits: Splits) -> dict[str, bytes]:
    """Write rolls as the package ships them."""
    arrays = {}
    for part, rolls in splits._asdict().items():
        arrays[part] = np.packbits(np.concatenate(rolls), axis=1)
        arrays[f"{part}_lengths"] = np.array([len(roll) for roll in rolls], np.int32)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return {"rolls.npz": file.getvalue()}


def assert_same_rolls(actual: Mapping[str, Any], expected: Splits) -> None:
    for part, rolls in expected._asdict().items():
        pairs = list(zip(actual[part]["roll"], rolls, strict=True))
        assert all(np.array_equal(one, other) for one, other in pairs)
        assert all(one.dtype == np.uint8 for one, _ in pairs)


def test_rolls_packed_eight_keys_a_byte_come_back() -> None:
    assert_same_rolls(read_packed(packed_of(ROLLS)), ROLLS)


def test_rolls_in_a_matlab_file_come_back() -> None:
    assert_same_rolls(read_mat(mat_of(ROLLS)), ROLLS)


def test_rolls_that_hide_a_pickle_are_not_unpickled() -> None:
    file = io.BytesIO()
    np.savez(file, train=np.array([{}], object), train_lengths=np.array([1]))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_packed({"rolls.npz": file.getvalue()})


def test_the_shipped_chorales_are_those_of_the_catalog() -> None:
    chorales, entry = load("chorales"), ROLL_SETS["chorales"]
    assert tuple(len(rolls) for rolls in chorales) == entry.pieces
    assert tuple(sum(len(roll) for roll in rolls) for rolls in chorales) == entry.frames
    for roll in [roll for rolls in chorales for roll in rolls]:
        assert roll.shape[1] == 88
        assert roll.dtype == np.uint8
        assert set(np.unique(roll)) <= {0, 1}
    # The first test chorale opens on C5 E5 G5 C6, in the key every piece was transposed to.
    assert (np.flatnonzero(chorales.test[0][0]) + 21).tolist() == [72, 76, 79, 84]


def test_every_corpus_of_rolls_cites_its_authors_and_counts_its_frames() -> None:
    assert list(ROLL_SETS) == ["chorales", "nottingham", "musedata", "piano-midi"]
    for entry in ROLL_SETS.values():
        assert "arXiv:1206.6392" in entry.citation
        assert min(*entry.pieces, *entry.frames, entry.frames_per_beat) > 0
