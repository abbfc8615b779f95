"""A feature says where in an encoded value a column is: what changes when its cell does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from elman.errors import OptionError
from elman.features.build import build_feature
from elman.features.feature import Feature
from elman.features.places import Places

RECORDS = [[1.0, "red", None, 4.0, "x"], [2.0, "blue", 3.0, 5.0, "y"], [None, "red", 2.0, 7.0, "x"]]
NUMBERS = [[1.0, None, 3.0], [2.0, 5.0, 1.0], [4.0, 6.0, 2.0]]
SERIES = [
    [[1.0, 2.0], [[3.0, None], [1.0, 2.0]], [0.0, 1.0]],
    [[4.0, None], [[5.0, 1.0], [2.0, 6.0]], [0.0, 3.0]],
    [[0.0, 7.0], [[2.0, 8.0], [None, 9.0]], [0.0, 9.0]],
]
FITTED: dict[str, tuple[Feature, list[Any]]] = {
    "record": (build_feature("record", columns=["a", "b", "c", "d", "e"]), RECORDS),
    "number": (build_feature("number", columns=["a", "b", "c"]), NUMBERS),
    "series": (build_feature("series", {"time": "c"}, columns=["a", "b", "c"]), SERIES),
}


@pytest.mark.parametrize("kind", FITTED)
def test_the_places_of_a_column_are_those_that_its_cells_change(kind: str) -> None:
    feature, values = FITTED[kind]
    feature.fit(values)
    names: Any = getattr(feature, "columns", ())
    seen: list[int] = []
    for place, name in enumerate(names):
        changed: set[int] = set()
        for value in values:
            for other in values:
                cells = [*value[:place], other[place], *value[place + 1 :]]
                apart = np.asarray(feature.encode(cells) != feature.encode(value))
                changed |= set(np.nonzero(apart.reshape(-1, apart.shape[-1]).any(0))[0].tolist())
        found = feature.places_of(name)
        assert found.part is None
        assert set(found.columns or ()) == changed
        seen += found.columns or ()
    assert sorted(seen) == list(range(feature.encode(values[0]).shape[-1]))


def test_a_feature_of_one_column_is_that_column() -> None:
    for kind, values in {"number": [1.0, 2.0], "series": [[1.0]], "text": ["a a"]}.items():
        feature = build_feature(kind)
        feature.fit(values)
        assert feature.places_of("any") == Places()
        assert feature.column_has_steps("any") == (kind != "number")


def test_a_kind_of_several_columns_that_does_not_say_where_they_are_is_refused() -> None:
    feature = FITTED["record"][0]
    with pytest.raises(OptionError, match="'record' does not say where in an encoded value column"):
        Feature.places_of(feature, "a")
