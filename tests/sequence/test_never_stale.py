"""Programs of writes and calls, drawn at random: every call has the weights that are there.

Whatever was written to a layer, and however, it answers as a layer of torch.nn does that is built
for this one call from the numbers that lie in its parameters.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import elman
from battery import DRAWN, assert_near

I, H = 3, 9  # noqa: E741 — the axis legend; more units than a vector has lanes of float64

LAYERS: dict[str, Any] = {
    "simple": (elman.SimpleRNN, nn.RNN),
    "lstm": (elman.LSTM, nn.LSTM),
    "gru": (elman.GRU, nn.GRU),
}
STACKS: list[dict[str, Any]] = [{}, {"num_layers": 2}, {"bidirectional": True}, {"bias": False}]
places = st.floats(0, 1, exclude_max=True)
numbers = st.sampled_from([-1.5, -1e-3, 0.0, 0.25, 2.0])


class Programs(RuleBasedStateMachine):
    """A layer, what is written to it, and calls of it."""

    @initialize(
        name=st.sampled_from(sorted(LAYERS)),
        stack=st.sampled_from(STACKS),
        dtype=st.sampled_from([torch.float32, torch.float64]),
        is_inference=st.booleans(),
    )
    def build(
        self, name: str, stack: dict[str, Any], dtype: torch.dtype, is_inference: bool
    ) -> None:
        """Build the layer, perhaps inside torch.inference_mode."""
        ours, self.theirs = LAYERS[name]
        self.stack = stack
        with torch.inference_mode(is_inference):
            self.layer = ours(I, H, **stack, dtype=dtype)
        self.is_inference = is_inference
        self.flat: Tensor | None = None

    def weight(self, place: float) -> Tensor:
        """Return one of the parameters."""
        weights = list(self.layer.parameters())
        return weights[int(place * len(weights))]

    @rule(steps=st.sampled_from([1, 2, 3, 7, 20]), rows=st.integers(1, 5), records=st.booleans())
    def call(self, steps: int, rows: int, records: bool) -> None:
        """Call the layer for any number of steps and rows, with and without gradients."""
        self.compare(steps, rows, records=records and not self.is_inference)

    @invariant()
    def answers_with_the_weights_that_are_there(self) -> None:
        """Call the layer after every write, on each of its ways without gradients."""
        if hasattr(self, "layer"):
            self.compare(1, 1)
            self.compare(8, 3)
            self.compare(8, 3, lengths=[3, 8, 5])

    def compare(
        self, steps: int, rows: int, *, records: bool = False, lengths: list[int] | None = None
    ) -> None:
        """Compare the layer with one of torch.nn that was never called before."""
        dtype = self.layer.weight_ih_l0.dtype
        x = torch.randn(steps, rows, I, dtype=dtype)
        weights = {name: value.detach().clone() for name, value in self.layer.named_parameters()}
        other = self.theirs(I, H, **self.stack, dtype=dtype)
        other.load_state_dict(weights)
        with torch.no_grad():
            given = x if lengths is None else pack_padded_sequence(x, lengths, enforce_sorted=False)
            expected = other(given)[0]
            if lengths is not None:
                expected, _ = pad_packed_sequence(expected)
        with torch.inference_mode(self.is_inference), torch.set_grad_enabled(records):
            answer = self.layer(x, lengths=lengths)[0].detach()
        assert_near(answer.clone(), expected, "y")

    @rule(which=places, where=places, number=numbers)
    def write_a_number_through_data(self, which: float, where: float, number: float) -> None:
        """Write one number where PyTorch counts no writes."""
        flat = self.weight(which).data.view(-1)
        with torch.inference_mode(self.is_inference):
            flat[int(where * len(flat))] = number

    @rule(which=places, where=places, number=numbers)
    def write_a_number_through_numpy(self, which: float, where: float, number: float) -> None:
        """Write one number through an array that shares the memory."""
        array = self.weight(which).detach().numpy().reshape(-1)
        array[int(where * len(array))] = number

    @rule(which=places, where=places)
    def exchange_two_numbers(self, which: float, where: float) -> None:
        """Leave every sum over the weights as it was."""
        array = self.weight(which).detach().numpy().reshape(-1)
        one = int(where * (len(array) - 1))
        array[[one, one + 1]] = array[[one + 1, one]]

    @rule(which=places)
    def give_a_weight_other_memory(self, which: float) -> None:
        """Let a parameter have new numbers, as `weight.data = …` does."""
        weight = self.weight(which)
        with torch.inference_mode(self.is_inference):
            weight.data = torch.randn_like(weight.data) / 3

    @rule()
    def lay_all_weights_into_one_vector(self) -> None:
        """Let all parameters share the memory of a vector."""
        weights = list(self.layer.parameters())
        with torch.inference_mode(self.is_inference):
            self.flat = torch.cat([weight.data.reshape(-1) for weight in weights])
            parts = self.flat.split([weight.numel() for weight in weights])
            for weight, part in zip(weights, parts, strict=True):
                weight.data = part.view(weight.shape)

    @rule(where=places, number=numbers)
    def write_into_the_vector(self, where: float, number: float) -> None:
        """Write into the vector, which may no longer be what the layer has."""
        if self.flat is not None:
            with torch.inference_mode(self.is_inference):
                self.flat[int(where * len(self.flat))] = number

    @rule()
    def replace_a_parameter(self) -> None:
        """Set another Parameter in the place of one."""
        with torch.inference_mode(self.is_inference):
            old = self.layer.weight_hh_l0
            self.layer.weight_hh_l0 = nn.Parameter(torch.randn_like(old) / 3)

    @rule()
    def load_other_weights(self) -> None:
        """Load a state dict."""
        drawn = {name: torch.randn_like(w) / 3 for name, w in self.layer.state_dict().items()}
        with torch.inference_mode(self.is_inference):
            self.layer.load_state_dict(drawn)

    @rule()
    def go_on_with_a_copy(self) -> None:
        """Copy the layer, change the original, and keep the copy."""
        with torch.inference_mode(self.is_inference):
            original, self.layer = self.layer, copy.deepcopy(self.layer)
        self.flat = None
        original.weight_ih_l0.detach().numpy().fill(7.0)

    @rule()
    def take_a_step(self) -> None:
        """Let an optimiser write, which needs gradients."""
        if self.is_inference:
            return
        optimiser = torch.optim.SGD(self.layer.parameters(), lr=0.1)
        dtype = self.layer.weight_ih_l0.dtype
        self.layer(torch.randn(4, 2, I, dtype=dtype))[0].square().sum().backward()
        optimiser.step()
        self.layer.zero_grad()

    @rule(dtype=st.sampled_from([torch.float32, torch.float64]))
    def convert(self, dtype: torch.dtype) -> None:
        """Convert the layer."""
        with torch.inference_mode(self.is_inference):
            self.layer.to(dtype)
        self.flat = None


def test_no_program_of_writes_gets_an_answer_of_other_weights_than_are_there() -> None:
    run_state_machine_as_test(Programs, settings=settings(DRAWN, max_examples=10))


@pytest.mark.slow
def test_nor_do_a_thousand_programs() -> None:
    chosen = settings(DRAWN, max_examples=1_000, stateful_step_count=20)
    run_state_machine_as_test(Programs, settings=chosen)
