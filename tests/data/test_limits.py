"""The limit on the memory that one file or value may take."""

from __future__ import annotations

import pytest

from elman.data import limits
from elman.errors import DataError, OptionError


def test_the_limit_is_8_gigabytes_unless_the_environment_says_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(limits.VARIABLE, raising=False)
    assert limits.max_bytes() == 8 * 10**9
    monkeypatch.setenv(limits.VARIABLE, "0.5")
    assert limits.max_bytes() == 5 * 10**8


def test_what_fits_is_let_through_and_what_does_not_says_how_to_raise_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(limits.VARIABLE, "2")
    limits.check(2 * 10**9, "big.png")
    with pytest.raises(DataError, match=r"big.png would take about 4 GB .* limit of 2 GB.* to 4\."):
        limits.check(3_100_000_000, "big.png")
    monkeypatch.setenv(limits.VARIABLE, "4")
    limits.check(3_100_000_000, "big.png")


@pytest.mark.parametrize("value", ["much", "0", "-1", "nan", "inf", "8GB"])
def test_a_limit_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(limits.VARIABLE, value)
    with pytest.raises(OptionError, match=f"{limits.VARIABLE} must be a number.*{value}"):
        limits.max_bytes()
