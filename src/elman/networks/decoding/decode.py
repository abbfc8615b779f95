"""Decoding: from the scores of one symbol at a time to whole sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from elman.errors import OptionError, ShapeError
from elman.layers.state import described
from elman.networks.decoding.constraints import Constraints
from elman.networks.decoding.hypotheses import Hypothesis, Outcomes
from elman.networks.decoding.options import DecodingOptions
from elman.networks.decoding.sampling import distribution, draw
from elman.networks.decoding.search import beam_search
from elman.networks.decoding.single import Choose, likeliest, write_singly
from elman.networks.decoding.step import Step


@torch.no_grad()
def decode(
    step: Step,
    state: Any,
    first: Tensor,
    *,
    end: int | None,
    options: DecodingOptions,
    prefixes: Sequence[Tensor] | None = None,
    generator: torch.Generator | Sequence[torch.Generator] | None = None,
) -> list[list[Hypothesis]]:
    """Let a network write a sequence for every row of a batch.

        log p(y) = Σₜ log p(y(t) | y(1) … y(t−1), state)          p = softmax of the step's logits

    A beam of one takes the likeliest symbol each time; a wider one searches, see
    `search.beam_search`; with a temperature every symbol is drawn, see `sampling.distribution`.
    Rows that have ended leave the batch. What comes out for a row does not depend on the rows
    beside it, except where one generator draws for all of them.

    Args:
        step: one step of the network, in evaluation mode, see `Step`.
        state: to begin from, with B rows.
        first: what stands before the first symbol, (B,), int64, on the network's device.
        end: the id that ends a row; None where a network only goes on: then every row has
            `max_length` symbols and none is finished.
        options: of the decoding.
        prefixes: what each row begins with, B tensors of ids, (P,); they count as written.
        generator: of the drawing, one for all rows or one a row; wanted with a temperature alone.
            Drawing is done on the CPU, so that a seed writes the same on every device.

    Returns:
        For every row its hypotheses, distinct, best first, finished before unfinished: at most
        `n_best`, fewer where no more are possible, at least one.

    Raises:
        OptionError: options contradict the network or the prefixes, or a generator is missing.
        ShapeError: a tensor has other axes.
        DataError: the network's scores are no numbers.

    >>> import torch
    >>> after = torch.tensor([[0.0, 1, 2, 3], [0, 0, 0, 9], [0, 9, 1, 0], [0, 1, 4, 2]])
    >>> def step(ids, state):
    ...     return after[ids], state
    >>> ((best,),) = decode(step, None, torch.tensor([3]), end=3, options=DecodingOptions())
    >>> best.ids.tolist(), best.finished
    ([2, 1], True)
    """
    if first.dim() != 1 or first.is_floating_point():
        raise ShapeError(f"first must be ids, (B,), int64, got {described(first)}, {first.dtype}.")
    _check_generator(generator, options, len(first))
    constraints = Constraints(options, len(first), end=end, prefixes=prefixes)
    outcomes = Outcomes(len(first), options.length_penalty)
    if options.beam_size > 1:
        beam_search(step, state, first, constraints, options, outcomes)
    elif options.temperature is None or generator is None:
        write_singly(step, state, first, constraints, likeliest, outcomes)
    else:
        choose = _drawing(options.temperature, options.top_k, options.top_p, generator)
        write_singly(step, state, first, constraints, choose, outcomes)
    return outcomes.best(options.n_best)


def _drawing(
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    generator: torch.Generator | Sequence[torch.Generator],
) -> Choose:
    """Choose by drawing; where nothing may follow, id 0, whose probability says so."""

    def choose(log_probabilities: Tensor, rows: Tensor) -> Tensor:
        possible = (log_probabilities.amax(-1) > -torch.inf).cpu()
        chosen = torch.zeros(len(rows), dtype=torch.int64)
        if bool(possible.any()):
            log_p = log_probabilities.cpu()[possible]
            probabilities, ids = distribution(log_p, temperature, top_k, top_p)
            chosen[possible] = draw(probabilities, ids, rows[possible], generator)
        return chosen

    return choose


def _check_generator(
    generator: torch.Generator | Sequence[torch.Generator] | None,
    options: DecodingOptions,
    rows: int,
) -> None:
    if options.temperature is None and generator is not None:
        raise OptionError("a generator draws, and without a temperature nothing is drawn.")
    if options.temperature is not None and generator is None:
        raise OptionError(
            f"temperature={options.temperature!r} draws; give a generator, such as "
            "torch.Generator().manual_seed(1)."
        )
    if isinstance(generator, Sequence) and len(generator) != rows:
        raise ShapeError(f"generators must be one a row, B = {rows}, got {len(generator)}.")
