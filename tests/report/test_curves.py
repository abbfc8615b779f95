"""Figures: the data that was given is the data that is drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from elman.inspection.gradient_flow import GradientFlow
from elman.report.curves import (
    draw_gradient_flow,
    draw_learning_curves,
    draw_test_scores,
    flow_limits,
)
from elman.report.style import THEME, colours, inline_svg, panel, power_of_ten

from .examples import comparison, falling, seed_result


def lines_of(axes: Axes, colour: str) -> list[Line2D]:
    return [line for line in axes.lines if line.get_color() == colour]


def bold(lines: list[Line2D]) -> Line2D:
    return max(lines, key=lambda line: line.get_linewidth())


def test_every_seed_and_their_mean_are_drawn_in_the_cells_own_colour() -> None:
    results = comparison({"gru": (8.4, 8.6), "lstm": [8.7]})
    _, axes = panel()
    draw_learning_curves(axes, results, against="epoch")

    gru = lines_of(axes, THEME["gru"])
    assert len(gru) == 4  # two seeds, their mean, training's mean
    assert bold(gru).get_xydata().tolist() == [[1, 9], [2, 8], [3, 8.5]]
    assert [text.get_text() for text in axes.texts] == ["GRU", "LSTM"]


def test_by_seconds_the_curve_stands_over_the_clock() -> None:
    _, axes = panel()
    draw_learning_curves(axes, comparison({"gru": [8.5]}), against="seconds")
    assert bold(lines_of(axes, THEME["gru"])).get_xdata().tolist() == [2, 4, 6]
    assert axes.get_xlabel() == "seconds"


def test_a_mean_ends_where_the_first_seed_ends() -> None:
    results = comparison({"gru": (8.4, 8.6)})
    seeds = [seed_result(0, 8.4, curve=(9, 8)), seed_result(1, 8.6, curve=(11, 9, 7, 6))]
    longer = results.results[0].model_copy(update={"seeds": seeds})
    _, axes = panel()
    draw_learning_curves(axes, results.model_copy(update={"results": [longer]}), against="epoch")
    mean = bold(lines_of(axes, THEME["gru"]))
    assert mean.get_xydata().tolist() == [[1, 10], [2, 8.5]]


def test_the_steep_descent_does_not_flatten_the_rest() -> None:
    curve = [60.0, *np.linspace(9, 8, 39)]
    results = comparison({"gru": [8.5]})
    steep = results.results[0].model_copy(update={"seeds": [seed_result(0, 8.5, curve=curve)]})
    _, axes = panel()
    draw_learning_curves(axes, results.model_copy(update={"results": [steep]}), against="epoch")
    assert axes.get_ylim()[1] < 10


def test_a_run_of_one_epoch_has_a_picture() -> None:
    results = comparison({"gru": [8.5]})
    short = results.results[0].model_copy(update={"seeds": [seed_result(0, 8.5, curve=(9.0,))]})
    figure, axes = panel()
    draw_learning_curves(axes, results.model_copy(update={"results": [short]}), against="epoch")
    assert inline_svg(figure, "short").startswith("<svg")


def test_runs_that_share_no_moment_meet_at_the_mean_of_their_ends() -> None:
    results = comparison({"gru": (8.4, 8.6)})
    quick, slow = (seed_result(seed, 8.5, curve=(9.0 + 2 * seed,)) for seed in (0, 1))
    late = slow.curve[0].model_copy(update={"seconds": 6.0})
    seeds = [quick, slow.model_copy(update={"curve": [late]})]
    apart = results.results[0].model_copy(update={"seeds": seeds})
    _, axes = panel()
    draw_learning_curves(axes, results.model_copy(update={"results": [apart]}), against="seconds")
    assert bold(lines_of(axes, THEME["gru"])).get_xydata().tolist() == [[4, 10]]


def test_scores_show_every_seed_and_the_published_number() -> None:
    results = comparison({"gru": (8.4, 8.6), "lstm": [8.7]}, published={"gru": 8.54})
    _, axes = panel()
    draw_test_scores(axes, results)
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [dot.get_xdata().tolist() for dot in dots] == [[8.4, 8.6], [8.7]]
    (diamond,) = [line for line in axes.lines if line.get_marker() == "D"]
    assert diamond.get_xydata().tolist() == [[8.54, 0]]


def test_shares_are_drawn_in_per_cent_and_the_better_side_is_named() -> None:
    _, axes = panel()
    draw_test_scores(axes, comparison({"gru": (0.5, 0.75)}, score="accuracy"))
    (dots,) = [line for line in axes.lines if line.get_marker() == "o"]
    assert dots.get_xdata().tolist() == [50.0, 75.0]
    assert axes.get_xlabel() == "test accuracy, % (right is better)"
    _, axes = panel()
    draw_test_scores(axes, comparison({"gru": [8.5]}))
    assert axes.get_xlabel() == "test, nats per frame (left is better)"


def test_a_single_epoch_is_drawn_as_a_dot() -> None:
    results = comparison({"gru": [8.5]}, loss_unit="nats per row")
    short = results.results[0].model_copy(update={"seeds": [seed_result(0, 8.5, curve=(9.0,))]})
    _, axes = panel()
    draw_learning_curves(axes, results.model_copy(update={"results": [short]}), against="epoch")
    assert bold(lines_of(axes, THEME["gru"])).get_marker() == "o"
    assert axes.get_ylabel() == "nats per row"


def test_a_gradient_is_drawn_on_a_logarithmic_axis_with_the_memory_dashed() -> None:
    _, axes = panel()
    draw_gradient_flow(axes, {"simple": falling(0.5), "lstm": falling(0.9, memory=0.95)})
    assert axes.get_yscale() == "log"
    (simple,) = lines_of(axes, THEME["simple"])
    np.testing.assert_allclose(simple.get_ydata(), 0.5 ** np.arange(41))
    hidden, memory = lines_of(axes, THEME["lstm"])
    np.testing.assert_allclose(memory.get_ydata(), 0.95 ** np.arange(41))
    assert (hidden.get_linestyle(), memory.get_linestyle()) == ("-", "--")


def test_a_norm_that_underflowed_to_zero_ends_its_line_and_breaks_nothing() -> None:
    norms = torch.tensor([1.0, 1e-200, 0.0, 0.0], dtype=torch.float64)
    figure, axes = panel()
    draw_gradient_flow(axes, {"gru": GradientFlow(torch.arange(4), norms, None, rows=1)})
    assert np.isnan(axes.lines[0].get_ydata()).tolist() == [False, False, True, True]
    assert inline_svg(figure, "zero").startswith("<svg")


def test_limits_are_whole_powers_of_ten_and_reach_ten_of_them_down_at_most() -> None:
    assert flow_limits([falling(0.5, steps=2)]) == (0.1, 10.0)
    assert flow_limits([falling(0.1)]) == pytest.approx((1e-9, 10.0))
    zeros = GradientFlow(torch.arange(2), torch.zeros(2), None, rows=1)
    assert flow_limits([zeros]) == (0.1, 10.0)


def test_the_classic_cells_keep_their_colours_and_others_get_ones_of_their_own() -> None:
    assert colours(["lstm", "gru"])["gru"] == colours(["gru"])["gru"]
    many = colours(["simple", "gru", "lstm", "minimal", "other"])
    assert len(set(many.values())) == 5


def test_a_figure_is_the_same_bytes_every_time_and_follows_the_pages_colours() -> None:
    def drawing() -> str:
        figure, axes = panel()
        draw_gradient_flow(axes, {"gru": falling(0.5)})
        return inline_svg(figure, "flow")

    svg = drawing()
    assert svg == drawing()
    assert f"var(--gru, {THEME['gru']})" in svg
    assert 'id="flow-axes_1"' in svg
    assert "<metadata" not in svg


def test_powers_of_ten_read_as_text() -> None:
    assert [power_of_ten(v) for v in (1e-12, 1.0, 100.0)] == ["10⁻¹²", "1", "10²"]
