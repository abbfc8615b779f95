"""Holds what was measured against the goals of the CPU kernels: met, or missed and by how much."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cpu_parts import BFLOAT16, DENSE, FLOAT32, INSIDE, PACKED, TORCH_BFLOAT16
from cpu_system import on_threads
from peers import ELMAN, STEPPER, TORCH
from record import Record, Row
from verdicts import MET, Goal, best_peer, lead, named, nearest_floor, threads_named, verdict

FORWARD_MEANS = {"lstm": 1.25, "gru": 2.2, "simple": 2.5}
TRAINING_MEANS = {"lstm": 1.4, "gru": 2.0, "simple": 2.0}
FMA_SHARE = 0.9
RAGGED_OVERHEAD, RAGGED_SPEED = 1.2, 5.0
VARIANTS = ("peephole", "reset before", "recurrent dropout", "zoneout")
VARIANT_COST = 1.25
STEP_MICROSECONDS, INSIDE_MICROSECONDS, STEP_SPEED = 1.5, 0.6, 40.0
CONTENTION = 1.5
COMPILE_SECONDS = 5.0
BFLOAT16_SPEED = 1.6
NEAR = 0.7
"""From this share of the time on, a floor is what limits a point."""
NAMED = 8
"""So many points that are behind are named; the tables show all."""


def goals(record: Record, demo: Mapping[str, Any]) -> Iterator[Goal]:
    """Yield all goals, each judged by its measurements."""
    yield _forward_ahead(record)
    yield from _means(record, "forward", FORWARD_MEANS)
    yield _fma(record)
    yield _training_ahead(record)
    yield from _means(record, "training", TRAINING_MEANS)
    yield from _ragged(record)
    yield _variants(record)
    yield from _step(record)
    yield _contention(record)
    yield from _compile(record)
    yield _bfloat16(record)
    yield _demo(demo)


def _many_rows(row: Row) -> bool:
    return bool(row.what["rows"] >= 8)


def _forward_ahead(record: Record) -> Goal:
    goal = Goal("forward-ahead", "forward, every grid point, every cell", "ahead of the best peer")
    return _ahead(goal, record, "forward", lambda _: True)._replace(limits=_floors_behind(record))


def _training_ahead(record: Record) -> Goal:
    goal = Goal("training-ahead", "training, every grid point with B ≥ 8", "ahead of torch.nn")
    return _ahead(goal, record, "training", _many_rows)


def _ahead(goal: Goal, record: Record, part: str, wanted: Callable[[Row], bool]) -> Goal:
    """Count the points where Elman is faster than the best peer, and name the others."""
    counts: list[str] = []
    behind: list[tuple[float, str]] = []
    total = 0
    for run in record.of(part):
        rows = [row for row in run.rows if wanted(row)]
        leads = [(lead(row, best_peer(row)), row) for row in rows]
        words = threads_named(run.threads)
        lost = [(by, f"{named(row)}, {words} ({by:.2f})") for by, row in leads if by <= 1]
        won = len(rows) - len(lost)
        by_layer = sum(lead(row, best_peer(row), ELMAN) > 1 for row in rows)
        alone = f" ({by_layer} by the layer's call alone)" if by_layer != won else ""
        counts.append(f"{words}: {won} of {len(rows)}{alone}")
        behind += lost
        total += len(rows)
    if not total:
        return goal
    if not behind:
        return goal.judged("; ".join(counts), MET)
    behind.sort()
    worst = "; ".join(words for _, words in behind[:NAMED])
    more = f"; and {len(behind) - NAMED} more, bold below" if len(behind) > NAMED else ""
    measured = f"{'; '.join(counts)}. Behind at {worst}{more}"
    return goal.judged(measured, f"**missed** at {len(behind)} of {total} points")


def _floors_behind(record: Record) -> str:
    """Name the limit of the slower points on one thread, the nearer of the two floors."""
    kinds = [
        nearest_floor(row)
        for row in record.rows("forward", 1)
        if "arithmetic" in row.facts and lead(row, best_peer(row)) <= 1
    ]
    words = []
    for floor in ("arithmetic", "bytes"):
        count = sum(share >= NEAR and kind == floor for kind, share in kinds)
        words += [f"{count} within {1 - NEAR:.0%} of the floor of {floor}"] if count else []
    far = sum(share < NEAR for _, share in kinds)
    words += [f"{far} far from both floors: overhead"] if far else []
    return f"Of those on one thread {', '.join(words)}" if words else ""


def _means(record: Record, part: str, targets: Mapping[str, float]) -> Iterator[Goal]:
    """Judge the geometric means beside torch.nn, one a cell; in training of 8 rows and more."""
    for cell, target in targets.items():
        which = " of B ≥ 8" if part == "training" else ""
        what = f"{part}, {cell}, geometric mean{which} beside torch.nn"
        goal = Goal(f"{part}-mean-{cell}", what, f"≥ {target} ×")
        means = []
        for run in record.of(part):
            rows = record.rows(part, run.threads, cell=cell)
            leads = [lead(row, TORCH) for row in rows if part == "forward" or _many_rows(row)]
            if leads:
                means.append((f"{threads_named(run.threads)}:", statistics.geometric_mean(leads)))
        yield goal.by_worst(means, target, at_least=True)


def _fma(record: Record) -> Goal:
    goal = Goal("fma", "forward, B ≥ 8, H ≥ 128, one thread", f"≥ {FMA_SHARE:.0%} of the FMA rate")
    shares = [
        (row.facts["arithmetic"] / row.timed[ELMAN].seconds, row)
        for row in record.rows("forward", 1)
        if _many_rows(row) and row.what["size"] >= 128 and "arithmetic" in row.facts
    ]
    if not shares:
        return goal
    words = []
    for steps in sorted({row.what["steps"] for _, row in shares}):
        its = [share for share, row in shares if row.what["steps"] == steps]
        middle = statistics.median(its)
        words.append(f"T {steps}: {min(its):.0%} to {max(its):.0%}, median {middle:.0%}")
    met = sum(share >= FMA_SHARE for share, _ in shares)
    least, where = min(shares, key=lambda pair: pair[0])
    measured = f"{met} of {len(shares)} points; {'; '.join(words)}. Least at {named(where)}"
    return goal.judged(measured, verdict(least, FMA_SHARE, at_least=True))


def _ragged(record: Record) -> Iterator[Goal]:
    what = "ragged training: time over Σlengths/(B·T) of the dense time"
    overhead = Goal("ragged-overhead", what, f"≤ {RAGGED_OVERHEAD}")
    what = "ragged training beside a PackedSequence, B 64 T 512 H 128"
    speed = Goal("ragged-speed", what, f"≥ {RAGGED_SPEED:g} ×")
    overheads, speeds = [], []
    for run in record.of("ragged"):
        for row in run.rows:
            words = f"{row.what['cell']}, {threads_named(run.threads)}:"
            overheads.append((words, 1 / row.timed[DENSE].times / row.facts["share"]))
            speeds.append((words, row.timed[PACKED].times))
    yield overhead.by_worst(overheads, RAGGED_OVERHEAD, at_least=False)
    yield speed.by_worst(speeds, RAGGED_SPEED, at_least=True)


def _variants(record: Record) -> Goal:
    what = f"variants ({', '.join(VARIANTS)})"
    goal = Goal("variants", what, f"≤ {VARIANT_COST} × the plain cell")
    costs = []
    for run in record.of("variants"):
        for row in run.rows:
            where = f"{row.what['cell']} H {row.what['size']}, {row.what['mode']}"
            where = f"{where}, {threads_named(run.threads)}"
            costs += [(row.timed[k].times, f"{k}, {where}") for k in VARIANTS if k in row.timed]
    if not costs:
        return goal
    within = sum(cost <= VARIANT_COST for cost, _ in costs)
    most, where = max(costs)
    middle = statistics.median(cost for cost, _ in costs)
    measured = f"{within} of {len(costs)}; median {middle:.2f}; most {most:.2f} at {where}"
    return goal.judged(measured, verdict(most, VARIANT_COST, at_least=False))


def _step(record: Record) -> Iterator[Goal]:
    rows = list(record.rows("step"))
    python = [(row.what["cell"], row.timed[STEPPER].seconds * 1e6) for row in rows]
    inside = [(row.what["cell"], row.facts[INSIDE] * 1e6) for row in rows]
    speeds = [(row.what["cell"], lead(row, TORCH, STEPPER)) for row in rows]
    goal = Goal("step-python", "one step, H = 32, from Python with NumPy", "≤ 1.5 µs")
    yield goal.by_worst(python, STEP_MICROSECONDS, at_least=False)
    goal = Goal("step-inside", "one step, H = 32, inside C++", "≤ 0.6 µs")
    yield goal.by_worst(inside, INSIDE_MICROSECONDS, at_least=False)
    goal = Goal("step-speed", "one step, H = 32, beside torch.nn", f"≥ {STEP_SPEED:g} ×")
    yield goal.by_worst(speeds, STEP_SPEED, at_least=True)


def _contention(record: Record) -> Goal:
    goal = Goal(
        "contention",
        "one busy foreign process on one of two cores, two threads",
        f"≤ {CONTENTION} × the time on one thread, alone",
    )
    for run in record.of("contention"):
        timed = {row.what["foreign"]: row.timed for row in run.rows}
        if not timed:
            continue
        ratios, words = {}, []
        for name in (ELMAN, TORCH):
            many = timed[True][on_threads(name, run.threads)]
            one = timed[False][on_threads(name, 1)].seconds
            ratios[name] = many.seconds / one
            words.append(f"{name} {ratios[name]:.2f} (slowest round {many.worst / one:.2f})")
        judgement = verdict(ratios[ELMAN], CONTENTION, at_least=False)
        return goal.judged("; ".join(words), judgement)
    return goal


def _compile(record: Record) -> Iterator[Goal]:
    for mode in ("forward", "training"):
        what = f"torch.compile of a 2-layer LSTM, T = 512, {mode}"
        goal = Goal(f"compile-{mode}", what, f"under {COMPILE_SECONDS:g} s, one graph")
        for row in record.rows("compile", who=ELMAN, mode=mode):
            goal = _compiled(goal, row.facts)
        yield goal


def _compiled(goal: Goal, facts: Mapping[str, float]) -> Goal:
    """Judge one compilation; without facts it did not finish."""
    if not facts:
        return goal.judged("not compiled, see below", "**missed**")
    measured = (
        f"{facts['compile']:.1f} s, graphs {facts['graphs']:.0f}, breaks {facts['breaks']:.0f}; "
        f"starting the compiler, the same for all, took {facts['start']:.1f} s before"
    )
    judgement = verdict(facts["compile"], COMPILE_SECONDS, at_least=False)
    if facts["graphs"] != 1 or facts["breaks"]:
        judgement = (
            "**missed**: not one graph" if judgement == MET else f"{judgement}; not one graph"
        )
    return goal.judged(measured, judgement)


def _bfloat16(record: Record) -> Goal:
    what = "bfloat16 forward, B = 1, H = 512, beside float32"
    goal = Goal("bfloat16", what, f"≥ {BFLOAT16_SPEED} ×")
    speeds, errors = [], []
    for row in record.rows("bfloat16"):
        ratio = row.timed[FLOAT32].times / row.timed[BFLOAT16].times
        speeds.append((row.what["cell"], ratio))
        ours, theirs = (row.facts[f"total {name}"] for name in (BFLOAT16, TORCH_BFLOAT16))
        errors.append(f"{row.what['cell']} {ours:.1e} (torch.nn {theirs:.1e})")
    goal = goal.by_worst(speeds, BFLOAT16_SPEED, at_least=True)
    return goal._replace(measured=f"{goal.measured}. Error {'; '.join(errors)}") if errors else goal


def _demo(demo: Mapping[str, Any]) -> Goal:
    goal = Goal("demo", "`make demo`'s training", "wall-clock before and after, same results")
    if not demo:
        return goal
    before, after = (sum(demo[when]["seconds"].values()) for when in ("before", "after"))
    measured = f"{before:.0f} s before, {after:.0f} s after: {before / after:.2f} ×"
    return goal.judged(measured, str(demo["verdict"]))
