"""Dates are numbers by their calendar, however they are written."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any

import pytest

from elman.errors import DataError, OptionError
from elman.features.build import build_feature, parse_kind
from elman.features.checks import ValueRefused
from elman.features.date import DateFeature
from elman.features.kinds import feature_from_json


def test_a_date_is_how_late_it_is_and_where_in_each_cycle() -> None:
    feature = DateFeature().fit(["2023-01-02", "2025-01-01"])
    late, *cycles = feature.encode("2024-01-01").tolist()
    assert late == pytest.approx(0, abs=0.01)
    year, month, week = (cycles[n : n + 2] for n in (0, 2, 4))
    assert year == month == week == [0.0, 1.0], "the first of January 2024 is a Monday"
    assert feature.encode("2025-01-01").tolist()[0] == pytest.approx(1)
    thursday = feature.encode("2024-01-04").tolist()[5:]
    assert thursday == pytest.approx([math.sin(6 * math.pi / 7), math.cos(6 * math.pi / 7)])


def test_a_time_of_day_is_read_where_there_is_one() -> None:
    feature = DateFeature().fit(["2023-01-02 06:00", "2023-01-03 18:00"])
    assert feature.encoding.numbers == 9
    assert feature.encode("2023-01-09 06:30").tolist()[7:] == pytest.approx([1, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("values", "other", "day"),
    [
        (["31.12.2023", "01.02.2024"], "15.06.2024", "2024-06-15"),
        (["12/31/2023", "02/01/2024"], "6/15/2024", "2024-06-15"),
        ([20231231, 20240201], 20240615, "2024-06-15"),
        ([datetime.date(2023, 12, 31), datetime.date(2024, 2, 1)],
         datetime.date(2024, 6, 15), "2024-06-15"),
        ([datetime.datetime(2023, 12, 31, 5), datetime.datetime(2024, 2, 1, 6)],
         datetime.datetime(2024, 6, 15, 7), "2024-06-15"),
        ([1_700_000_000, 1_710_000_000], 1_718_443_200, "2024-06-15"),
    ],
)  # fmt: skip
def test_any_form_of_dates_is_read_again_after_saving(
    values: list[Any], other: Any, day: str
) -> None:
    feature = DateFeature().fit(values)
    restored = feature_from_json(json.loads(json.dumps(feature.to_json())))
    for value in (*values, other):
        assert restored.encode(value).tolist() == feature.encode(value).tolist()
    assert restored.decode(restored.encode(other)) == day


def test_missing_dates_are_marked() -> None:
    feature = DateFeature().fit(["2023-01-02", None, ""])
    assert feature.encode(None).tolist() == [0.0] * 7 + [1.0]
    assert feature.encode("2023-01-02").tolist()[-1] == 0
    assert feature.decode(feature.encode(None)) is None
    assert feature.notes == ["2 dates are missing, and marked as such."]


def test_words_for_a_missing_number_stand_for_a_missing_date_and_are_counted() -> None:
    words = ["N/A", "-", "0000-00-00", "0000-00-00 00:00:00", None, "N/A"]
    feature = DateFeature().fit(["2023-01-02", *words])
    for word in (*words, "null"):
        assert feature.encode(word).tolist() == [0.0] * 7 + [1.0]
    assert feature.notes == [
        "6 dates are missing, and marked as such: 'N/A' in 2 cells, '-' in 1 cell, '0000-00-00' in "
        "1 cell, '0000-00-00 00:00:00' in 1 cell."
    ]


def test_a_date_that_is_refused_is_known_by_its_place_among_all_values() -> None:
    with pytest.raises(ValueRefused, match=r"^'soon' is not a date like") as caught:
        DateFeature().fit([None, "2023-01-02", "N/A", "soon"])
    assert caught.value.place == 3


@pytest.mark.parametrize("values", [[1_700_000_000], [201203], [20120314]])
def test_what_numbers_are_read_as_is_said_of_the_column_and_its_remedy_reads_numbers(
    values: list[int],
) -> None:
    feature = DateFeature()
    feature.about("ts")
    (note,) = feature.fit(values).notes
    assert note.startswith("column 'ts' is read as")
    assert note.endswith("--read ts:number in its place reads plain numbers.")


def test_the_same_day_throughout_is_no_infinite_number() -> None:
    feature = DateFeature().fit(["2023-01-02"] * 3)
    assert feature.encode("2023-01-03").tolist()[0] == pytest.approx(1)


def test_a_format_that_is_said_settles_which_number_is_the_day() -> None:
    values = ["01/02/2023", "03/04/2023"]
    with pytest.raises(DataError, match="2023-02-01 or 2023-01-02"):
        DateFeature().fit(values)
    assert parse_kind("date:%d/%m/%Y") == ("date", {"time_format": "%d/%m/%Y"})
    feature = build_feature(*parse_kind("date:%d/%m/%Y")).fit(values)
    assert feature.decode(feature.encode("01/02/2023")) == "2023-02-01"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "there is no date in the 0 training rows"),
        ([None], "there is no date in the 1 training rows"),
        ([1.5, 2.5], r"a date must be a text or a date, got 1.5"),
        (["2023-01-02", "soon"], "'soon' is not a date like '2023-01-02'"),
    ],
)
def test_what_is_no_date_is_refused(values: list[Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        DateFeature().fit(values)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("soon", "a date must be written %Y-%m-%d, got 'soon'"),
        (1.5, "a date must be written %Y-%m-%d, got 1.5"),
        (None, "the date is missing, but no training row lacks it"),
    ],
)
def test_a_later_date_must_be_one(value: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        DateFeature().fit(["2023-01-02", "2023-01-03"]).encode(value)


def test_a_date_is_no_target() -> None:
    with pytest.raises(OptionError, match="kind 'date' can only be an input"):
        build_feature("date", {}, as_target=True)
