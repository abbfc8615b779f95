"""Measures one set of the page `training`: `training_worker.py SET THREADS FILE [--quick]`.

`whole_trainings.py` starts it once for each set and number of threads, pinned to as many cores. It
writes a `Run` as JSON.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path

import torch

import bursts
import training_keras
import training_sets
from bursts import Refusal
from cpu_worker import about, load_by_others
from record import Row, Run, run_as_json
from training_elman import Elman
from training_sets import PACES, RAGGED, Burst, Scale
from training_torch import Plain, evaluated

ELMAN, TORCH, PADDED, KERAS = "Elman", "PyTorch", "PyTorch, padded", "Keras"
TOLERANCE = 1e-4
"""Greatest relative difference of the first losses of Elman and PyTorch."""
FULL = Scale(rounds=5, seconds=2.0)
QUICK = Scale(rounds=2, seconds=0.3)


def main() -> None:
    """Measure and store the result, or the reason why there is none."""
    name, threads, file, *quick = sys.argv[1:]
    torch.set_num_threads(int(threads))
    run = Run(name, int(threads), about())
    before = load_by_others()
    try:
        run.rows += measured(name, QUICK if quick else PACES.get(name, FULL))
    except Refusal as refusal:
        run.failure = str(refusal)
    run.about["Keras"] = training_keras.about()
    run.about["load"] = f"{before:.0%} before, {load_by_others():.0%} after"
    Path(file).write_text(run_as_json(run), encoding="utf-8")


def measured(name: str, scale: Scale) -> Iterator[Row]:
    """Train with everyone in turn, then evaluate."""
    with tempfile.TemporaryDirectory() as directory:
        elman = Elman(name, Path(directory))
        mine = training_sets.SETS[name](elman)
        yield Row({"what": "encoding"}, {}, {ELMAN: elman.seconds, TORCH: mine.seconds})
        first = checked(elman, mine)
        plain = {TORCH: mine.model}
        if name in RAGGED:
            plain[PADDED] = deepcopy(mine.model)
            plain[PADDED].packs = False
        loops = {
            each: Plain(model, elman.settings, mine.training, elman.updates)
            for each, model in plain.items()
        }
        keras = training_keras.contender(name, elman, mine)
        yield from trained(elman, loops, keras, scale, first)
        yield from validated(elman, mine, keras, scale)


def checked(elman: Elman, mine: training_sets.Mine) -> dict[str, float]:
    """Give PyTorch Elman's weights; refuse to time models whose first losses differ."""
    mine.model.take(dict(elman.network.named_parameters()))
    count = sum(each.numel() for each in mine.model.parameters())
    theirs = sum(each.numel() for each in elman.network.parameters())
    if count != theirs:
        raise Refusal(f"the models have {theirs} and {count} parameters; nothing is timed.")
    batch = next(elman.training.epoch(0))
    loss = elman.loss(batch)
    mine.model.eval()
    own = mine.model.loss(mine.drawn(batch)).item()
    if not abs(loss - own) <= TOLERANCE * abs(loss):
        raise Refusal(f"the first losses are {loss:.6f} and {own:.6f}; nothing is timed.")
    if hasattr(mine.model, "state"):
        mine.model.state = None
    return {f"first loss, {ELMAN}": loss, f"first loss, {TORCH}": own}


def trained(
    elman: Elman,
    loops: dict[str, Plain],
    keras: training_keras.Contender | None,
    scale: Scale,
    facts: dict[str, float],
) -> Iterator[Row]:
    """Train in bursts, Elman first in each round."""
    losses: dict[str, list[torch.Tensor]] = {name: [] for name in loops}

    def one(name: str) -> int:
        drawn, loss = loops[name].step()
        losses[name].append(loss)
        return int(drawn.lengths.sum())

    others = {name: partial(burst, partial(one, name)) for name in loops}
    if keras is not None:
        others[KERAS] = keras.burst
        losses[KERAS] = keras.losses
    times: dict[str, list[float]] = {ELMAN: [], **{name: [] for name in others}}

    def in_turn(elmans: Burst) -> None:
        times[ELMAN].append(elmans.seconds_a_step)
        for name, run in others.items():
            bursts.rest()
            times[name].append(run(scale.seconds).seconds_a_step)
        bursts.rest()

    elman.train(in_turn, scale)
    losses[ELMAN] = elman.losses
    count = min(len(each) for name, each in losses.items() if name != KERAS)
    recent = max(1, min(20, count // 2))
    for name, values in losses.items():
        if len(values) >= count:
            facts[f"loss, {name}"] = float(torch.stack(values[count - recent : count]).mean())
    facts |= {"updates": count, "averaged over": recent, **elman.shares}
    facts["steps a row"] = elman.steps_a_row
    # The first burst is warm-up.
    rows = {n: [s * elman.steps_a_row for s in each[1:]] for n, each in times.items()}
    timed = bursts.summary(rows)
    yield Row({"what": "training"}, timed, facts)


def burst(one: Callable[[], int], seconds: float) -> Burst:
    """Take updates for some seconds."""
    begun, updates, steps = time.perf_counter(), 0, 0
    while time.perf_counter() - begun < seconds:
        steps += one()
        updates += 1
    return Burst(time.perf_counter() - begun, updates, steps)


def validated(
    elman: Elman,
    mine: training_sets.Mine,
    keras: training_keras.Contender | None,
    scale: Scale,
) -> Iterator[Row]:
    """Evaluate the validation rows, or some of them."""
    runs: dict[str, Callable[[], object]] = {
        ELMAN: elman.validate,
        TORCH: lambda: evaluated(mine.model, mine.validation()),
    }
    if keras is not None:
        runs[KERAS] = keras.validate
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(-1, scale.validations):
        for name, run in runs.items():
            took, _ = bursts.timed_call(run)
            if number >= 0:
                seconds[name].append(took / elman.validation_rows)
    scores = [bursts.timed_call(elman.score)[0] for _ in range(scale.validations)]
    facts = {"scores": sorted(scores)[len(scores) // 2] / elman.validation_rows}
    yield Row({"what": "validation"}, bursts.summary(seconds), facts)


if __name__ == "__main__":
    main()
