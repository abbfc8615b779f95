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
    """Decode a sequence for every row of a batch.

        log p(y) = Σₜ log p(y(t) | y(1) … y(t−1), state)          p = softmax of the step's logits

    With a beam of one, decoding is greedy; a wider beam searches, see `search.beam_search`; with a
    temperature every symbol is sampled, see `sampling.distribution`. Rows that have ended leave
    the batch. The result of a row does not depend on the other rows, except where one generator
    samples for all of them.

    Args:
        step: one step of the network, in evaluation mode, see `Step`.
        state: the initial state, with B rows.
        first: the id before the first symbol, (B,), int64, on the network's device.
        end: the id that ends a row; None for a network without one: then every row has
            `max_length` symbols and none is finished.
        options: the decoding options.
        prefixes: symbols that each row begins with, B tensors of ids, (P,); they are part of the
            result.
        generator: random generator of sampling, one for all rows or one a row; given exactly where
            there is a temperature. Sampling runs on the CPU, so that a seed gives the same
            sequences on every device.

    Returns:
        For every row its hypotheses, distinct, best first, finished before unfinished: at most
        `n_best`, fewer where no more are possible, at least one.

    Raises:
        OptionError: options contradict the network or the prefixes, or a generator is missing.
        ShapeError: a tensor has the wrong axes.
        DataError: the network's scores are NaN or infinite.

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
        choose = _sampler(options.temperature, options.top_k, options.top_p, generator)
        write_singly(step, state, first, constraints, choose, outcomes)
    return outcomes.best(options.n_best)


def _sampler(
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    generator: torch.Generator | Sequence[torch.Generator],
) -> Choose:
    """Return a function that samples; where no symbol may follow it gives id 0, with log p = −∞."""

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
        raise OptionError("a generator is for sampling, which needs a temperature; give one.")
    if options.temperature is not None and generator is None:
        raise OptionError(
            f"temperature={options.temperature!r} samples, which needs a generator, such as "
            "torch.Generator().manual_seed(1)."
        )
    if isinstance(generator, Sequence) and len(generator) != rows:
        raise ShapeError(f"generators must be one a row, B = {rows}, got {len(generator)}.")
