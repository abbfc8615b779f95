"""What validation says of a forecast: how much of it is kept, and how wide intervals are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from elman.networks.calibration import (
    PATTERNS,
    Calibration,
    corrections,
    ranks_of,
    share_of,
)
from elman.networks.objectives.forecast import ForecastObjective

LEVELS = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
M, H, N, B = 3, 4, 2, 5
SHARES = torch.tensor([0.0, 0.5, 1.0])


def calibration(levels: list[float] | None = None) -> Calibration:
    return Calibration(H, N, ForecastObjective("quantiles", N, levels or LEVELS))


def raw(seed: int = 0, scale: float = 3.0) -> Tensor:
    return torch.randn(H, B, N, len(LEVELS), generator=torch.manual_seed(seed)) * scale


def test_a_network_that_is_worse_is_not_trusted() -> None:
    errors = torch.tensor([[2.0, 2.0, 2.2], [2.1, 2.0, 2.3], [2.4, 2.2, 2.5]])
    assert share_of(errors, SHARES, 1e6) == 0


def test_a_network_that_is_much_better_is_trusted_wholly() -> None:
    errors = torch.tensor([[2.0, 2.2, 1.8], [1.5, 1.7, 1.3], [1.0, 1.2, 0.8]])
    assert share_of(errors, SHARES, 3) == 1


def test_a_gain_counts_less_its_standard_error() -> None:
    errors = torch.tensor([[3.0, 3.0], [2.5, 2.7], [1.8, 2.8]])
    # Gains 0.5 and 0.3, 1.2 and 0.2: means 0.4 and 0.7, deviations 0.1414 and 0.7071.
    assert share_of(errors, SHARES, 2) == 0.5  # 0.4 - 0.1, 0.7 - 0.5
    assert share_of(errors, SHARES, 8) == 1  # 0.4 - 0.05, 0.7 - 0.25
    assert share_of(errors[[0, 2]], SHARES[[0, 2]], 1) == 0  # 0.7 - 0.7071


def test_one_window_says_nothing() -> None:
    assert share_of(torch.tensor([[2.0], [1.0], [0.0]]), SHARES, 1) == 0


def test_it_begins_as_the_identity() -> None:
    assert torch.equal(calibration()(raw()), raw())


def test_the_share_moves_the_median_and_keeps_the_distances() -> None:
    one = calibration()
    one.set_share(0.25)
    before, after = one.quantiles(raw()), one.quantiles(one(raw()))
    torch.testing.assert_close(after[..., M], before[..., M] * 0.25)
    torch.testing.assert_close(after.diff(dim=-1), before.diff(dim=-1), atol=1e-5, rtol=1e-5)


def test_the_corrections_are_added_to_the_quantiles() -> None:
    one = calibration()
    added = torch.tensor([-0.9, -0.5, -0.2, 0.0, 0.1, 0.4, 0.7])
    one.set_quantiles(added.expand(H, N, -1))
    before, after = one.quantiles(raw()), one.quantiles(one(raw()))
    torch.testing.assert_close(after, before + added, atol=1e-5, rtol=1e-5)
    fewer = one.quantiles(one(raw()[:2]))
    torch.testing.assert_close(fewer, after[:2])


@pytest.mark.parametrize("seed", range(20))
def test_quantiles_never_cross_and_the_median_stays_whatever_is_added(seed: int) -> None:
    one = calibration()
    added = torch.randn(H, N, len(LEVELS), generator=torch.manual_seed(seed)) * 10
    added[..., M] = 0.0
    one.set_quantiles(added)
    corrected = one(raw(seed))
    assert corrected.isfinite().all()
    assert torch.equal(corrected[..., M], raw(seed)[..., M])
    assert (one.quantiles(corrected).diff(dim=-1) >= 0).all()


def test_quantiles_that_would_cross_are_those_nearer_to_the_median() -> None:
    one = calibration()
    added = torch.tensor([0.0, -50.0, 0.0, 0.0, 50.0, 0.0, 0.0]).expand(H, N, -1)
    one.set_quantiles(added)
    before, after = one.quantiles(raw()), one.quantiles(one(raw()))
    torch.testing.assert_close(after[..., M + 1], before[..., M + 1] + 50)
    torch.testing.assert_close(after[..., M + 3], before[..., M + 1] + 50, atol=1e-4, rtol=0)
    torch.testing.assert_close(after[..., 0], before[..., 1] - 50, atol=1e-4, rtol=0)


def test_a_median_alone_has_no_quantiles_to_correct() -> None:
    one = calibration([0.5])
    one.set_quantiles(torch.ones(H, N, 1))
    assert torch.equal(one(raw()[..., :1]), raw()[..., :1])


def residuals_of(draws: Tensor, levels: list[float] = LEVELS) -> Tensor:
    """Residuals of draws, (H, B, n), around quantiles that are all 0."""
    return draws.unsqueeze(-1).expand(*draws.shape, len(levels))


@pytest.mark.parametrize("rows", [60, 300, 2_000])
def test_intervals_cover_what_they_say_of_a_process_of_known_spread(rows: int) -> None:
    random = torch.Generator().manual_seed(rows)
    sd = torch.linspace(1, 3, 12).view(-1, 1, 1)
    seen = sd * torch.randn(12, rows, 2, generator=random)
    added = corrections(residuals_of(seen), LEVELS, M)
    later = sd * torch.randn(12, 4_000, 2, generator=random)
    low, high = added[..., 1].unsqueeze(1), added[..., 5].unsqueeze(1)
    covered = ((low <= later) & (later <= high)).float().mean()
    assert 0.75 <= covered <= 0.85, covered
    if rows >= 2_000:  # one step at a time: 1.2816 standard deviations
        torch.testing.assert_close(high / sd, torch.full((12, 1, 2), 1.2816), atol=0.15, rtol=0)


def test_the_median_is_not_corrected() -> None:
    draws = torch.randn(H, 50, N, generator=torch.manual_seed(1)) + 9
    assert (corrections(residuals_of(draws), LEVELS, M)[..., M] == 0).all()


def test_few_residuals_are_those_of_the_steps_beside_too() -> None:
    draws = torch.zeros(30, 10, 1)
    draws[15] = 100.0
    added = corrections(residuals_of(draws), LEVELS, M, least=100)
    moved = (added[:, 0, -1] > 0).nonzero().flatten()
    assert moved.tolist() == list(range(10, 21))  # five steps on either side: 11 · 10 residuals
    alone = corrections(residuals_of(draws), LEVELS, M, least=10)
    assert (alone[:, 0, -1] > 0).nonzero().flatten().tolist() == [15]


def test_fewer_residuals_make_wider_intervals() -> None:
    # Of 9 residuals −4 … 4 the level 0.1 is the first: (9 + 1) · 0.1 = 1.
    draws = torch.arange(-4.0, 5.0).view(1, -1, 1)
    added = corrections(residuals_of(draws), LEVELS, M)
    assert added[0, 0, 1] == -4
    assert added[0, 0, 5] == 4
    assert added[0, 0, 2] == pytest.approx(-2.5)  # (9 + 1) · 0.25 = 2.5, between −3 and −2


def test_missing_values_are_no_residuals() -> None:
    draws = torch.randn(2, 400, 1, generator=torch.manual_seed(2))
    holes = draws.clone()
    holes[:, ::2] = torch.nan
    expected = corrections(residuals_of(draws[:, 1::2]), LEVELS, M, least=100)
    found = corrections(residuals_of(holes), LEVELS, M, least=100)
    torch.testing.assert_close(found, expected)
    nothing = torch.full((2, 5, 1), torch.nan)
    assert (corrections(residuals_of(nothing), LEVELS, M) == 0).all()


def between(*values: float) -> Tensor:
    """Return quantiles 0, 2 and 3 for (H, B, n) = (1, 1, 1), or for as many windows."""
    return torch.tensor([0.0, 2.0, 3.0]).expand(1, len(values), 1, 3)


def test_values_are_ranked_by_their_place_in_their_own_forecasts() -> None:
    # Above the median 2 in units of 1, below it in units of 2: 0.8, -0.75, 0 and -0.25.
    values = torch.tensor([2.8, 0.5, 2.0, 1.5]).view(1, 4, 1)
    quantiles = between(1, 2, 3, 4)
    levels = ranks_of(quantiles, values, 1)[:, 0, 0]
    # 256 windows are chosen of the four, evenly: 43, 85, 85 and 43 in their order.
    chosen = torch.linspace(0, 3, PATTERNS).round().long()
    means = torch.stack([levels[chosen == window].mean() for window in range(4)])
    expected = torch.tensor([213.0 + 21.5, 42.5, 85 + 43 + 42.5, 85 + 21.5]) / PATTERNS
    torch.testing.assert_close(means, expected)


def test_every_level_comes_once_at_every_step() -> None:
    random = torch.manual_seed(3)
    quantiles = torch.randn(H, 500, N, 3, generator=random).sort(-1).values
    levels = ranks_of(quantiles, torch.randn(H, 500, N, generator=random), 1)
    expected = (torch.arange(PATTERNS) + 0.5) / PATTERNS
    torch.testing.assert_close(levels.sort(0).values, expected[:, None, None].expand_as(levels))


def test_a_missing_value_has_the_level_of_the_last_one() -> None:
    quantiles = between(1, 2).expand(3, 2, 1, 3)
    values = torch.tensor([[2.5, 1.0], [torch.nan, 2.9], [torch.nan, 0.2]]).view(3, 2, 1)
    first = ranks_of(quantiles, values, 1)[: PATTERNS // 2, :, 0]
    assert (first[:, 0] > 0.5).all()  # 0.5 above beside -0.5
    assert (first[:, 1] < 0.5).all()  # 0.5 beside 0.9
    assert (first[:, 2] > 0.5).all()  # 0.5 beside -0.9


def test_windows_without_a_value_have_levels_all_the_same() -> None:
    levels = ranks_of(between(1, 2), torch.full((1, 2, 1), torch.nan), 1)
    assert levels.isfinite().all()
