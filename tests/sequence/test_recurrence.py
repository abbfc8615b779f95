"""The battery: every cell, option, backend and direction against an oracle that runs row by row.

Outputs, final states, traces and every gradient: of inputs, weights, initial and fresh states.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from battery import (
    DRAWN,
    LENGTHS,
    VARIANTS,
    B,
    T,
    Variant,
    assert_all_near,
    assert_near,
    assert_same_bits,
    both_directions,
    draw,
    draw_recurrence,
    every_backend,
    every_variant,
    gradients,
    leaves_of,
    on,
    row_by_row,
    to_dtype,
    values_and_gradients,
    values_of,
)
from elman.sequence import BACKENDS, Recurrence, run

pytestmark = pytest.mark.filterwarnings(
    "ignore:LSTM with projections is not supported with oneDNN"  # torch says so once, in float32
)
TREATMENTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "layer norm": {"layer_norm": True},
    "recurrent dropout": {"mask": True},
    "zoneout in training": {"zoneout": "masks", "trace": True},
    "zoneout in evaluation": {"zoneout": "probabilities", "trace": True},
    "all at once": {"layer_norm": True, "mask": True, "zoneout": "masks", "trace": True},
}
TIMES: dict[str, dict[str, Any]] = {
    "dense": {},
    "ragged": {"lengths": LENGTHS},
    "dense, reset": {"cuts": True},
    "ragged, reset": {"lengths": LENGTHS, "cuts": True},
}
CASES = [(treatment, time) for treatment in TREATMENTS for time in TIMES]
CASES = [case for case in CASES if case[0] == "plain" or case[1] in ("dense", "ragged, reset")]


@st.composite
def ragged(draws: st.DrawFn) -> dict[str, Any]:
    """Draw the sizes of a recurrence, its lengths and a seed."""
    steps, rows = draws(st.integers(0, 7)), draws(st.integers(0, 5))
    lengths = draws(st.none() | st.lists(st.integers(0, steps), min_size=rows, max_size=rows))
    torch.manual_seed(draws(st.integers(0, 1000)))
    return {
        "steps": steps,
        "rows": rows,
        "inputs": draws(st.integers(1, 4)),
        "hidden": draws(st.integers(1, 5)),
        "lengths": lengths,
    }


@pytest.mark.sampled(7)
@pytest.mark.parametrize(("treatment", "time"), CASES)
@both_directions
@every_backend
@every_variant
def test_values_and_every_gradient_are_those_of_the_rows_run_one_by_one(
    variant: Variant, backend: str, reverse: bool, treatment: str, time: str
) -> None:
    r = draw_recurrence(variant, reverse=reverse, **TREATMENTS[treatment], **TIMES[time])
    assert_all_near(values_and_gradients(r, on(backend)), values_and_gradients(r, row_by_row))


@pytest.mark.parametrize("biases", [(), ("input_bias",), ("hidden_bias",)], ids=str)
@every_backend
@every_variant
def test_without_one_bias_or_both_values_and_gradients_are_right(
    variant: Variant, backend: str, biases: tuple[str, ...]
) -> None:
    r = draw_recurrence(variant, biases=biases, lengths=LENGTHS)
    assert_all_near(values_and_gradients(r, on(backend)), values_and_gradients(r, row_by_row))


@pytest.mark.sampled(7)
@pytest.mark.parametrize("treatment", TREATMENTS)
@every_backend
@every_variant
def test_float32_is_near_to_the_float64_truth(
    variant: Variant, backend: str, treatment: str
) -> None:
    r = to_dtype(draw_recurrence(variant, lengths=LENGTHS, **TREATMENTS[treatment]), torch.float32)
    truth = values_and_gradients(to_dtype(r, torch.float64), row_by_row)
    found = values_and_gradients(r, on(backend))
    assert {value.dtype for value in found.values()} == {torch.float32}
    assert_all_near(found, truth, "truth")


@pytest.mark.sampled(7)
@both_directions
@every_backend
@every_variant
@settings(DRAWN, max_examples=6)
@given(sizes=ragged())
def test_any_sizes_give_what_the_rows_give_one_by_one(
    variant: Variant, backend: str, reverse: bool, sizes: dict[str, Any]
) -> None:
    r = draw_recurrence(variant, reverse=reverse, **sizes)
    if 0 in r.x.shape[:2]:
        result = run(r, "auto")
        assert result.output.shape == (*r.x.shape[:2], r.state.hidden.size(-1))
        assert all(map(torch.equal, result.state, r.state))
    else:
        assert_all_near(values_and_gradients(r, on(backend)), values_and_gradients(r, row_by_row))


@every_backend
@every_variant
def test_nan_in_the_padding_reaches_no_value_and_no_gradient(
    variant: Variant, backend: str
) -> None:
    poisoned = draw_recurrence(variant, lengths=LENGTHS)
    padding = poisoned.x.isnan()
    clean = replace(poisoned, x=poisoned.x.where(~padding, 0.5))
    assert bool(padding.any())
    found = values_and_gradients(poisoned, on(backend))
    for name, value in values_and_gradients(clean, on(backend)).items():
        assert bool(value.isfinite().all()), name
        assert_same_bits(found[name], value, name)
    assert bool((found["gradient of x"][padding] == 0).all())


@both_directions
@every_backend
@every_variant
def test_outputs_after_a_rows_end_are_exactly_zero_and_a_row_of_no_steps_keeps_its_state(
    variant: Variant, backend: str, reverse: bool
) -> None:
    r = draw_recurrence(variant, lengths=LENGTHS, reverse=reverse)
    result = on(backend)(r)
    ended = torch.arange(T).unsqueeze(1) >= torch.tensor(LENGTHS)
    assert bool((result.output[ended] == 0).all())
    assert bool((result.output[~ended] != 0).any(-1).all()) or "relu" in str(variant)
    empty = LENGTHS.index(0)
    for name, before, after in zip(r.state._fields, r.state, result.state, strict=True):
        assert_same_bits(after[empty], before[empty], name)


@every_backend
@every_variant
def test_the_final_hidden_state_is_the_output_at_the_rows_own_end(
    variant: Variant, backend: str
) -> None:
    for reverse in (False, True):
        r = draw_recurrence(variant, lengths=LENGTHS, reverse=reverse)
        result = on(backend)(r)
        for row, length in enumerate(LENGTHS):
            if length:
                end = 0 if reverse else length - 1
                assert_same_bits(result.state.hidden[row], result.output[end, row], f"row {row}")


@pytest.mark.sampled(4)
@every_backend
@every_variant
@settings(DRAWN, max_examples=5)
@given(sizes=ragged(), at=st.integers(0, 7))
def test_two_halves_with_carried_state_equal_the_whole(
    variant: Variant, backend: str, sizes: dict[str, Any], at: int
) -> None:
    r, leaves = leaves_of(draw_recurrence(variant, cuts=True, **sizes))
    if BACKENDS[backend].why_not(r) is not None:
        r = replace(r, resets=None)
    runner = on(backend if 0 not in r.x.shape[:2] else "reference")
    at = min(at, r.x.size(0))
    lengths = (None, None)
    if r.lengths is not None:
        lengths = (r.lengths.clamp(max=at), (r.lengths - at).clamp(min=0))
    cuts = (None, None) if r.resets is None else (r.resets[:at], r.resets[at:])
    parts = [
        replace(r, x=x, lengths=n, resets=c)
        for x, n, c in zip((r.x[:at], r.x[at:]), lengths, cuts, strict=True)
    ]
    halves = []
    for part in parts:
        state = halves[-1].state if halves else r.state
        which = runner if 0 not in part.x.shape[:2] else on("reference")
        halves.append(which(replace(part, state=state)))
    whole = values_of(runner(r))
    joined = values_of(halves[1]) | {"output": torch.cat([half.output for half in halves])}
    if 0 in r.x.shape[:2]:
        assert_all_near(joined, whole)
    else:
        assert_all_near(joined | gradients(joined, leaves), whole | gradients(whole, leaves))


@pytest.mark.sampled(3)
@both_directions
@every_variant
@settings(DRAWN, max_examples=5)
@given(sizes=ragged())
def test_resets_cut_a_row_into_segments_that_know_nothing_of_each_other(
    variant: Variant, reverse: bool, sizes: dict[str, Any]
) -> None:
    r = draw_recurrence(variant, reverse=reverse, cuts=True, **sizes)
    assert r.resets is not None
    output = run(r).output
    for row in range(r.x.size(1)):
        length = r.x.size(0) if r.lengths is None else int(r.lengths[row])
        inside = [t for t in range(1, length) if r.resets[t, row]]
        borders = [0, *inside, length]
        for first, end in pairwise(borders):
            enters = end == length if reverse else first == 0 and not bool(r.resets[:1, row].any())
            segment = _segment(r, row, first, end, r.state if enters else r.fresh)
            name = f"row {row}, steps {first} to {end}"
            assert_near(run(segment).output[:, 0], output[first:end, row], name)


def _segment(r: Recurrence, row: int, first: int, end: int, state: Any) -> Recurrence:
    """Cut some steps of one row out, as a recurrence without lengths and resets."""
    one = type(state)(*[part[row : row + 1] for part in state])
    x = r.x[first:end, row : row + 1]
    return replace(r, x=x, state=one, lengths=None, resets=None)


@every_backend
@every_variant
def test_a_row_does_not_depend_on_the_rows_beside_it(variant: Variant, backend: str) -> None:
    r = draw_recurrence(variant, lengths=LENGTHS)
    before = on(backend)(r)
    others = torch.arange(B) != 2
    x = r.x.clone()
    x[:, others] = draw(T, B - 1, x.size(-1))
    state = type(r.state)(*[part.clone() for part in r.state])
    for part in state:
        part[others] = 3.0
    after = on(backend)(replace(r, x=x, state=state))
    assert_same_bits(after.output[:, 2], before.output[:, 2], "output")
    for name, old, new in zip(r.state._fields, before.state, after.state, strict=True):
        assert_same_bits(new[2], old[2], name)


@every_variant
def test_a_trace_keeps_every_state_and_gate_and_ends_with_the_final_state(
    variant: Variant,
) -> None:
    for reverse in (False, True):
        r = draw_recurrence(variant, lengths=LENGTHS, reverse=reverse, trace=True)
        result = run(r)
        assert result.trace is not None
        assert_same_bits(result.trace.state.hidden, result.output, "traced hidden")
        assert type(result.trace.state) is variant.cell.state
        for row, length in enumerate(LENGTHS):
            last = 0 if reverse else length - 1
            for name, final, traced in zip(
                r.state._fields, result.state, result.trace.state, strict=True
            ):
                assert length == 0 or torch.equal(traced[last, row], final[row]), name
            for traced in (*result.trace.state, *result.trace.gates):
                assert bool((traced[length:, row] == 0).all())


@every_variant
def test_a_trace_of_no_steps_has_its_parts_and_their_sizes(variant: Variant) -> None:
    trace = run(draw_recurrence(variant, steps=0, trace=True)).trace
    some = run(draw_recurrence(variant, steps=2, trace=True)).trace
    assert trace is not None
    assert some is not None
    for none, two in zip((*trace.state, *trace.gates), (*some.state, *some.gates), strict=True):
        assert none.shape == (0, *two.shape[1:])


def test_every_cell_is_among_the_variants() -> None:
    from elman.cells import CELLS

    assert {variant.cell.name for variant in VARIANTS} == set(CELLS)
