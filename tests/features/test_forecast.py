"""Series to forecast: their encoded columns against numbers worked out by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from elman.errors import DataError
from elman.features.forecast import ForecastFeature

NAN = math.nan

# Cells: sold, price (past), temperature (known), sky (past), promo (known), size, region, shop.
FIRST = [[1.0, 2.0, 4.0], [10.0, 20.0, 30.0], [5.0, 5.0, 8.0], ["wet", "dry", None]]
FIRST += [["no", "yes", "no"], 100.0, "north", "a"]
SECOND = [[3.0, NAN], [30.0, 20.0], [2.0, 5.0], ["dry", "dry"], ["yes", "no"], 300.0, "south", "b"]


def feature() -> ForecastFeature:
    return ForecastFeature(
        targets=["sold"],
        horizon=1,
        window=2,
        past=["price"],
        known=["temperature"],
        past_categories=["sky"],
        known_categories=["promo"],
        static=["size"],
        static_categories=["region"],
        several=True,
    ).fit([FIRST, SECOND])


def test_a_step_is_values_past_known_static_age_then_the_ids() -> None:
    """Prices have mean 22 and deviation √56; temperatures 5 and √(18/5); sizes 200 and 100."""
    price, temperature = math.sqrt(56), math.sqrt(18 / 5)
    expected = [
        [1, -12 / price, 0, -1, 0, 2, 1, 1, 1],
        [2, -2 / price, 0, -1, math.log(2), 1, 2, 1, 1],
        [4, 8 / price, 3 / temperature, -1, math.log(3), 0, 1, 1, 1],
    ]
    np.testing.assert_allclose(feature().encode(FIRST), expected, rtol=1e-6)
    second = feature().encode(SECOND)
    assert torch.isnan(second[1, 0])
    assert second[:, 3].tolist() == [1, 1]
    assert second[:, 5:].tolist() == [[1, 2, 2, 2], [1, 1, 2, 2]]


def test_the_layout_counts_what_the_steps_hold() -> None:
    layout = feature().layout
    assert (layout.values, layout.past, layout.known, layout.items) == (1, 1, 3, 3)
    assert layout.past_ids == (3,)
    assert layout.known_ids == (3, 3)
    assert layout.ids == feature().encoding.ids == (3, 3, 3, 3)
    assert layout.columns == feature().encode(FIRST).size(1) == 9
    assert feature().encoding.numbers == 5


def test_static_numbers_are_scaled_over_series_not_over_steps() -> None:
    long = [[1.0] * 90, 10.0, "a"]
    short = [[1.0] * 10, 20.0, "b"]
    fitted = ForecastFeature(targets=["y"], horizon=1, window=1, static=["size"], several=True)
    fitted.fit([long, short])
    assert fitted.encode(long)[:, 1].unique().tolist() == [-1]
    assert fitted.encode(short)[:, 1].unique().tolist() == [1]


def test_unknown_names_and_items_have_the_id_zero() -> None:
    strange = [*FIRST[:3], ["hail", "wet", "dry"], ["no", "maybe", None], 100.0, "mars", "z"]
    assert feature().encode(strange)[:, 5:].tolist() == [[0, 1, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0]]


def test_steps_ahead_have_known_names_and_no_past_ones() -> None:
    ahead = [[1.0, 2.0], [10.0, 20.0], [5.0, 5.0, 8.0, 2.0], ["wet", "wet"]]
    ahead += [["no", "yes", "yes", "no"], 100.0, "north", "a"]
    ids = feature().encode(ahead)[:, 5:]
    assert ids[:, 0].tolist() == [2, 2, 0, 0]
    assert ids[:, 1].tolist() == [1, 2, 2, 1]
    assert ids[:, 2:].unique(dim=0).tolist() == [[1, 1]]


def test_a_blank_name_of_a_step_without_a_row_is_no_gap() -> None:
    """A blank name beside a value says that names may be blank; one without a value does not."""
    named = ForecastFeature(targets=["y"], horizon=1, window=1, known_categories=["promo"])
    assert not named.fit([[[1.0, NAN, 3.0], ["a", None, "b"]]]).categories.has_gaps("promo")
    named = ForecastFeature(targets=["y"], horizon=1, window=1, known_categories=["promo"])
    assert named.fit([[[1.0, NAN, 3.0], ["a", None, None]]]).categories.has_gaps("promo")
    assert named.notes[0] == "column 'promo': 1 missing training value: read as unknown."


def test_known_names_alone_say_how_far_the_steps_go() -> None:
    alone = ForecastFeature(targets=["y"], horizon=2, window=1, known_categories=["promo"])
    alone.fit([[[1.0, 2.0], ["no", "yes"]]])
    encoded = alone.encode([[1.0, 2.0], ["no", "yes", "yes", "no"]])
    assert str(encoded.tolist()) == "[[1.0, 1.0], [2.0, 2.0], [nan, 2.0], [nan, 1.0]]"


def test_a_missing_static_number_is_marked_where_training_series_lack_some() -> None:
    fitted = ForecastFeature(targets=["y"], horizon=1, window=1, static=["size"], several=True)
    fitted.fit([[[1.0], 10.0, "a"], [[1.0], 20.0, "b"], [[1.0], None, "c"]])
    assert fitted.encode([[1.0], None, "d"])[:, 1:3].tolist() == [[0, 1]]
    whole = feature()
    with pytest.raises(DataError, match="column 'size' is missing, but the training rows have no"):
        whole.encode([*FIRST[:5], NAN, "north", "a"])


def test_a_feature_encodes_alike_after_a_round_trip_through_json() -> None:
    restored = ForecastFeature.from_json(json.loads(json.dumps(feature().to_json())))
    assert torch.equal(restored.encode(FIRST), feature().encode(FIRST))
    assert restored.layout == feature().layout
    assert restored.to_json() == feature().to_json()


def test_the_json_of_numbers_alone_says_nothing_of_categories() -> None:
    numbers = ForecastFeature(targets=["y"], horizon=1, window=1, past=["x"])
    state = numbers.fit([[[1.0, 2.0], [3.0, 5.0]]]).to_json()
    assert sorted(state["learned"]) == [
        *("cycles", "items", "known_scaling", "past_scaling", "scaling", "sizes")
    ]
    assert not {"static", "static_categories", "past_categories"} & set(state["options"])
    assert ForecastFeature.from_json(state).to_json() == state


def test_columns_are_numbers_categories_or_series() -> None:
    kinds = {
        name: feature().kind_of_column(name)
        for name in ("sold", "price", "sky", "promo", "size", "region")
    }
    assert kinds == {
        "sold": "series",
        "price": "series",
        "sky": "category",
        "promo": "category",
        "size": "number",
        "region": "category",
    }
    assert [name for name in kinds if feature().reads_numbers(name)] == ["sold", "price", "size"]


@pytest.mark.parametrize("value", [[*FIRST, 1], FIRST[:-1], [1.0]])
def test_a_value_with_other_cells_than_columns_is_refused(value: Any) -> None:
    with pytest.raises(DataError, match="must be the list of 8 cells"):
        feature().encode(value)


def test_a_state_that_lacks_its_categories_is_refused() -> None:
    state = feature().to_json()
    del state["learned"]["categories"]
    with pytest.raises(DataError, match="it must hold"):
        ForecastFeature.from_json(state)
