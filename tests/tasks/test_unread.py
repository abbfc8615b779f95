"""Dates beside numbers are told from codes, and are not read where they are not named."""

from __future__ import annotations

import pytest

from elman.data.table import Table
from elman.tasks.unread import TIMES, unread


@pytest.mark.parametrize(
    ("cells", "dates"),
    [
        (["31.12.2023", "1.2.2024", ""], True),
        (["12/31/2023", "01/02/2024"], True),
        (["14-Mar-2024", "02-Dec-2023"], True),
        (["31/12/2023 14:05", "01/01/2024 09:00"], True),
        (["2024/12/31", "2024/01/02"], True),
        (["31.12.2023", "12/31/2023"], False),
        (["31.12.2023", "45.45.2023"], False),
        (["1.10.23", "2.0.1"], False),
        (["00123456", "20240101"], False),
        (["2024-Q1", "2024-Q2"], False),
    ],
)
def test_days_are_times_and_versions_codes_and_quarters_are_not(
    cells: list[str], dates: bool
) -> None:
    count = len(cells)
    table = Table.from_columns({"when": cells, "n": [1.5] * count}, "it.csv")
    assert unread(table, ["when", "n"])[TIMES] == (["when"] if dates else [])
