"""Trials: a damaged file is read, fitted or predicted, and must end in words or in a result."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from elman.data.sources import read_table
from elman.data.table import Table
from elman.errors import ElmanError
from elman.features.audio import AudioFeature
from elman.features.build import build_feature
from elman.features.image import ImageFeature
from elman.features.inference import infer_kind
from elman.models.model import Model
from roads import ROADS, WRITTEN_ROADS, untrained

from . import formats, silence
from .mutators import damage

ROWS_FITTED = 200

TRAVELLED = {**ROADS, **WRITTEN_ROADS}
del TRAVELLED["a picture to its caption"]  # its file names others

ROAD_SEEDS = 20
"""So many trials that follow each other are of the same road, which takes a while to build."""


class Damaged(NamedTuple):
    """A file that was damaged."""

    name: str
    content: bytes


class Travelled(NamedTuple):
    """A model, and the file that it is for."""

    model: Model
    name: str
    content: bytes


def damaged(seed: int, files: Mapping[str, bytes]) -> Damaged:
    """Return one of some files, damaged; the same for the same seed."""
    random = Random(seed)
    name = random.choice(sorted(files))
    return Damaged(name, damage(random, files[name], list(files.values())))


def read(seed: int, folder: Path) -> None:
    """Read a damaged file, every value in it, and the place of every row."""
    file = damaged(seed, formats.tables())
    _read(file, folder)


def fit(seed: int, folder: Path) -> None:
    """Read a damaged file, find the kind of each of its columns, fit it and encode some rows."""
    random = Random(seed)
    files = {name: formats.tables()[name] for name in formats.tables() if _is_mild(name)}
    table = _read(damaged(seed, files), folder)
    for name in table.columns:
        values = table.column(name)[:ROWS_FITTED]
        try:
            kind, options, why = infer_kind(values, name=name, as_target=random.random() < 0.5)
            assert why
            feature = build_feature(kind, options).fit(values)
            for value in values[:5]:
                feature.encode(value)
        except ElmanError as error:
            _in_words(error)


def picture(seed: int, _: Path) -> None:
    """Fit and encode a damaged picture."""
    content = damaged(seed, formats.pictures()).content
    ImageFeature().fit([content]).encode(content)


def sound(seed: int, _: Path) -> None:
    """Fit and encode a damaged sound."""
    content = damaged(seed, formats.sounds()).content
    view = Random(seed).choice(("log-mel", "samples"))
    AudioFeature(view=view).fit([content]).encode(content)


def predict(seed: int, folder: Path) -> None:
    """Predict and evaluate the rows of a damaged file with a model for what it was before."""
    random = Random(seed)
    names = sorted(TRAVELLED)
    model, name, content = travelled(names[seed // ROAD_SEEDS % len(names)])
    path = folder / name
    path.write_bytes(damage(random, content, [content]))
    try:
        table = model.table(path, with_targets=False)
        values = model.predictions(table).values
        assert len(values) <= len(table)
        model.evaluate(path)
    finally:
        path.unlink()


KINDS: Mapping[str, Callable[[int, Path], None]] = {
    "read": read,
    "fit": fit,
    "picture": picture,
    "sound": sound,
    "predict": predict,
    "silence": silence.told,
}
"""Name → trial. Each raises an `ElmanError` where it refuses."""


def refused(kind: str, seed: int, folder: Path) -> bool:
    """Tell whether a trial ended in one of Elman's errors, and not in a result.

    Raises:
        Exception: anything else, which is a fault of Elman.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            KINDS[kind](seed, folder)
    except ElmanError as error:
        _in_words(error)
        return True
    return False


def _is_mild(name: str) -> bool:
    """Tell whether a damaged file of a name is often read all the same."""
    return not name.endswith((".arrow", ".feather", ".parquet", ".npz", ".gz", ".xz", ".bz2"))


def _in_words(error: ElmanError) -> None:
    """Check that an error is a sentence, and not of any length."""
    words = str(error)
    assert words, type(error)
    assert len(words) < 20_000, words[:300]


def _read(file: Damaged, folder: Path) -> Table:
    path = folder / file.name
    path.write_bytes(file.content)
    try:
        table = read_table(path)
        for name in table.columns:
            column = table.column(name)
            assert sum(1 for _ in column) == len(column[:]) == len(table)
        for row in range(min(len(table), ROWS_FITTED)):
            assert file.name in table.where(row)
        assert table.fingerprint
        assert all(note.endswith((".", ")")) for note in table.notes), table.notes
    finally:
        path.unlink()
    return table


@cache
def travelled(name: str) -> Travelled:
    """Return a model for the file of a road, that learned nothing and yet answers."""
    road = TRAVELLED[name]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = untrained(road, Path(folder)).model
        path = road.write(Path(folder))
        return Travelled(model, path.name, path.read_bytes())
