"""The same bits, whoever stands beside a row and whatever computes it.

A sum of the kernels is taken in the order of its index, one lane an output. So in float32 the
answer of a row does not depend on the batch, the padding, the threads, where a sequence is cut into
chunks, how its tensors lie in memory, and not on the width of the processor's vectors.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import elman
from battery import (
    KERNEL_VARIANTS,
    Named,
    Variant,
    assert_same_bits,
    both_directions,
    draw,
    draw_recurrence,
    every_kernel_variant,
    gradients,
    leaves_of,
    to_dtype,
    values_of,
)
from elman import _kernels
from elman.layers import RecurrentLayer
from elman.sequence import Recurrence, Result, run, run_layer
from elman.sequence.ragged import reverse_recurrence, reverse_result

T, B, I, H = 11, 13, 9, 19  # noqa: E741 — the axis legend
LENGTHS = [7, 0, 11, 1, 7, 11, 3, 10, 2, 5, 11, 4, 6]
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "ragged": {"lengths": LENGTHS},
    "with everything": {
        "lengths": LENGTHS,
        "mask": True,
        "zoneout": "masks",
        "cuts": True,
    },
    "with rates": {"zoneout": "probabilities", "biases": ()},
}
every_option = pytest.mark.parametrize("option", OPTIONS)
every_layer = pytest.mark.parametrize("layer", [elman.SimpleRNN, elman.LSTM, elman.GRU])

# Not multiples of anything, and large enough for three threads: each takes rows, or, where there
# are few, a share of the units of all rows.
MANY_ROWS = {"steps": 20, "rows": 39, "inputs": 35, "hidden": 67}
FEW_ROWS = {"steps": 15, "rows": 3, "inputs": 35, "hidden": 259}
THEIR_LENGTHS = {"many rows": [8 * row % 21 for row in range(39)], "few rows": [15, 4, 11]}


def drawn(variant: Variant, option: str, **others: Any) -> Recurrence:
    sizes = {"steps": T, "rows": B, "inputs": I, "hidden": H}
    return to_dtype(draw_recurrence(variant, **(sizes | OPTIONS[option] | others)), torch.float32)


def natively(r: Recurrence) -> Result:
    return run(r, "native")


def with_gradients(r: Recurrence) -> Named:
    """Name the values of a recurrence and its gradients; masks have none."""
    changed, leaves = leaves_of(r)
    leaves.pop("weights.hidden_mask", None)
    weights = changed.weights._replace(hidden_mask=r.weights.hidden_mask)
    values = values_of(natively(replace(changed, weights=weights)))
    return values | gradients(values, leaves)


def assert_all_same_bits(actual: Named, expected: Named) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        assert bool(value.isfinite().all()), f"{name} is not finite"
        assert_same_bits(actual[name], value, name)


def rows_of(r: Recurrence, rows: Sequence[int]) -> Recurrence:
    """Take rows out of a recurrence, in the order asked for."""
    at = list(rows)

    def take(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.movedim(-2, 0)[at].movedim(0, -2)
        return value

    mask = r.weights.hidden_mask
    return replace(
        r,
        x=take(r.x),
        state=type(r.state)(*map(take, r.state or ())),
        fresh=type(r.fresh)(*map(take, r.fresh or ())),
        weights=r.weights._replace(hidden_mask=None if mask is None else mask[at]),
        lengths=None if r.lengths is None else r.lengths[at],
        resets=None if r.resets is None else r.resets[:, at],
        zoneout=None if r.zoneout is None else tuple(map(take, r.zoneout)),
    )


def steps_of(r: Recurrence, first: int, last: int, state: Any) -> Recurrence:
    """Take the steps `first` … `last` − 1 out of a recurrence, beginning from a state."""
    cut = slice(first, last)
    lengths = None if r.lengths is None else (r.lengths - first).clamp(0, last - first)
    resets = None if r.resets is None else r.resets[cut]
    shares = [part[cut] if isinstance(part, Tensor) else part for part in r.zoneout or ()]
    return replace(
        r,
        x=r.x[cut],
        state=state,
        lengths=lengths,
        resets=resets,
        zoneout=None if r.zoneout is None else tuple(shares),
    )


@pytest.mark.sampled(3)
@both_directions
@every_option
@every_kernel_variant
def test_a_row_has_the_same_bits_in_any_batch(variant: Variant, option: str, reverse: bool) -> None:
    r = drawn(variant, option, reverse=reverse)
    together = values_of(natively(r))
    for rows in ([2], [8], [4, 2], [9, 0, 7, 3], [12, 11, 10, 9, 8, 7, 6], range(B - 1, -1, -1)):
        found = values_of(natively(rows_of(r, rows)))
        for name, value in together.items():
            assert_same_bits(found[name], value[..., list(rows), :], f"{name} of rows {list(rows)}")


@both_directions
@every_kernel_variant
def test_padding_changes_no_bits(variant: Variant, reverse: bool) -> None:
    r = drawn(variant, "with everything", reverse=reverse)
    expected = natively(r)
    ends = torch.arange(T).unsqueeze(1) >= torch.tensor(LENGTHS)

    def padded(value: Tensor, filler: float, steps: int) -> Tensor:
        more = value.new_zeros(steps, *value.shape[1:])
        longer = torch.cat([value, more])
        longer[torch.cat([ends, ends.new_ones(steps, B)])] = filler
        return longer

    assert r.resets is not None
    assert r.zoneout is not None
    for steps in (0, 1, 40):
        for filler in (0.0, 1.0, torch.nan):
            zoneout = tuple(padded(torch.as_tensor(part), filler, steps) for part in r.zoneout)
            resets = padded(r.resets, filler, steps)
            found = natively(
                replace(r, x=padded(r.x, filler, steps), resets=resets, zoneout=zoneout)
            )
            assert_same_bits(found.output[:T], expected.output, "output")
            assert bool((found.output[T:] == 0).all())
            for part, its in zip(found.state, expected.state, strict=True):
                assert_same_bits(part, its, "state")


@pytest.mark.sampled(5)
@pytest.mark.parametrize("rows", ["many rows", "few rows"])
@every_kernel_variant
def test_the_number_of_threads_changes_no_bits(variant: Variant, rows: str) -> None:
    sizes = MANY_ROWS if rows == "many rows" else FEW_ROWS
    for option in ("plain", "with everything"):
        lengths = {} if option == "plain" else {"lengths": THEIR_LENGTHS[rows]}
        r = drawn(variant, option, **(sizes | lengths))
        torch.set_num_threads(1)
        inferred, learned = values_of(natively(r)), with_gradients(r)
        try:
            for threads in (2, 3, 2):
                torch.set_num_threads(threads)
                assert_all_same_bits(values_of(natively(r)), inferred)
                assert_all_same_bits(with_gradients(r), learned)
        finally:
            torch.set_num_threads(1)


@every_option
@every_kernel_variant
def test_a_sequence_in_chunks_has_the_bits_of_the_whole(variant: Variant, option: str) -> None:
    r = drawn(variant, option)
    whole = natively(r)
    for ends in ([1, T], [4, T], [5, 6, T], list(range(1, T + 1))):
        outputs, state, first = [], r.state, 0
        for last in ends:
            chunk = natively(steps_of(r, first, last, state))
            outputs.append(chunk.output)
            state, first = chunk.state, last
        assert_same_bits(torch.cat(outputs), whole.output, f"output of chunks that end at {ends}")
        for part, its in zip(state or (), whole.state, strict=True):
            assert_same_bits(part, its, f"state after chunks that end at {ends}")


@every_option
@every_kernel_variant
def test_a_reversed_row_has_the_bits_of_its_mirror_image_run_forward(
    variant: Variant, option: str
) -> None:
    r = drawn(variant, option, reverse=True)
    mirrored = reverse_result(natively(reverse_recurrence(r)), r.lengths)
    assert_all_same_bits(values_of(natively(r)), values_of(mirrored))


@every_option
@every_kernel_variant
def test_two_directions_at_once_have_the_bits_of_each_alone(variant: Variant, option: str) -> None:
    r = drawn(variant, option)
    other = replace(drawn(variant, option), x=r.x, resets=r.resets, reverse=True)
    both = run_layer([r, other], "native")
    alone = [natively(r), natively(other)]
    assert_same_bits(both.output, torch.cat([each.output for each in alone], -1), "output")
    for state, its in zip(both.states, alone, strict=True):
        for part, expected in zip(state, its.state, strict=True):
            assert_same_bits(part.view_as(expected), expected, "state")


@every_option
@every_kernel_variant
def test_what_is_kept_for_gradients_and_traces_changes_no_bits(
    variant: Variant, option: str
) -> None:
    r = drawn(variant, option)
    expected = values_of(natively(r))
    traced = values_of(natively(replace(r, trace=True)))
    weights = r.weights._replace(hidden=r.weights.hidden.clone().requires_grad_())
    learning = values_of(natively(replace(r, weights=weights)))
    for name, value in expected.items():
        assert_same_bits(traced[name], value, f"{name} of the traced")
        assert_same_bits(learning[name].detach(), value, f"{name} of the learning")


@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "bidirectional"])
@every_layer
def test_the_order_of_the_axes_changes_no_bits(
    layer: Callable[..., RecurrentLayer], bidirectional: bool
) -> None:
    options: dict[str, Any] = {"bidirectional": bidirectional, "backend": "native"}
    time_first = layer(I, H, 2, **options).eval()
    batch_first = layer(I, H, 2, batch_first=True, **options).eval()
    batch_first.load_state_dict(time_first.state_dict())
    x = draw(T, B, I, dtype=torch.float32)
    strided = draw(B, 2 * T, 3 * I, dtype=torch.float32)[:, ::2, I : 2 * I]
    strided.copy_(x.transpose(0, 1))
    with torch.no_grad():
        expected, state = time_first(x, lengths=LENGTHS)
        for given in (x.transpose(0, 1), x.transpose(0, 1).contiguous(), strided):
            output, its = batch_first(given, lengths=LENGTHS)
            assert_same_bits(output, expected.transpose(0, 1), "output")
            for part, other in zip(parts_of(its), parts_of(state), strict=True):
                assert_same_bits(part, other, "state")


def parts_of(state: Any) -> list[Tensor]:
    return [state] if isinstance(state, Tensor) else list(state)


def every_run() -> Iterator[tuple[str, Recurrence]]:
    for variant in KERNEL_VARIANTS:
        for option in OPTIONS:
            yield f"{variant}, {option}", drawn(variant, option)
        yield f"{variant}, few rows", drawn(variant, "plain", **FEW_ROWS)
        # More row-steps than a gradient of the weights takes at once.
        yield f"{variant}, many steps", drawn(variant, "ragged", steps=40)


def digests(dtype: torch.dtype) -> dict[str, str]:
    """Digest the bits of every value and gradient of every run."""
    torch.manual_seed(20)
    found = {}
    for name, r in every_run():
        values = with_gradients(to_dtype(r, dtype))
        for part, value in values.items():
            numbers = value.detach().contiguous().numpy().tobytes()
            found[f"{name}: {part}"] = hashlib.sha256(numbers).hexdigest()
    return found


def digests_with(instruction_set: str) -> dict[str, str]:
    """Have a process of its own digest, with the instruction set asked for."""
    environment = os.environ | {"ELMAN_ISA": instruction_set}
    environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    command = [sys.executable, __file__]
    answer = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout
    found = json.loads(answer)
    assert found.pop("instruction set") == instruction_set
    return dict(found)


@pytest.fixture(scope="module")
def generic_digests() -> dict[str, str]:
    return digests_with("generic")


@pytest.mark.slow
@pytest.mark.parametrize(
    "instruction_set",
    [name for name in _kernels.instruction_sets() if name in ("avx2", "avx512", "neon")],
)
def test_the_instruction_set_changes_no_bits(
    instruction_set: str, generic_digests: dict[str, str]
) -> None:
    found = digests_with(instruction_set)
    assert len(found) > 500
    assert {name for name in found if found[name] != generic_digests[name]} == set()


if __name__ == "__main__":
    torch.set_num_threads(1)
    both = [digests(dtype) for dtype in (torch.float32, torch.float64)]
    said = {"instruction set": _kernels.instruction_set()}
    for name, part in zip(("float32", "float64"), both, strict=True):
        said |= {f"{name} {key}": digest for key, digest in part.items()}
    sys.stdout.write(json.dumps(said))
