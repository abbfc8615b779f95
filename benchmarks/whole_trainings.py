"""Writes the page `training`: rows a second of whole trainings, beside PyTorch and Keras.

Each set is measured in a process of its own for each number of threads, pinned to as many cores.
What was measured is stored as JSON, from which the page is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bursts import Timed
from cpu import plan
from processes import measure
from record import Record, Row, Run
from training_keras import LEFT_OUT
from training_sets import RECIPES
from verdicts import verdict

ELMAN, TORCH, PADDED, KERAS = "Elman", "PyTorch", "PyTorch, padded", "Keras"
GOALS = {"imdb": 2.0, "trec": 2.0, "ptb": 1.5, "jsb": 1.5, "ett": 1.5}
"""How many times as many rows a second as PyTorch."""
INSIDE = 0.85
"""The share of Elman's training time inside kernels, operators and optimiser."""
TITLES = {
    "imdb": "IMDb: a review, one class; bidirectional LSTM 128, embeddings 128, 400 words at most",
    "trec": "TREC: a question, one class; bidirectional LSTM 128, embeddings 200 and characters",
    "ptb": "Penn Treebank: the next word; LSTM 400 and 200, 10,001 tied embeddings, chunks of 70",
    "jsb": "JSB chorales: the next frame; GRU 41",
    "ett": "ETTh1: seven values over the next 24 hours; GRU 64, windows of 168 + 24 steps",
}
DISTURBED = 0.5
"""The spread of Elman's or PyTorch's bursts from which nothing is concluded from a run."""
HERE = Path(__file__).parent


def remake(
    sets: Sequence[str], threads: Sequence[int], *, quick: bool, command: str, stored: Path
) -> tuple[str, bool]:
    """Measure some sets, merge them with the stored results, and write the page.

    Args:
        sets: names of `RECIPES`; none to write the page again from what is stored.
        threads: numbers of threads, each at most as many as there are cores.
        quick: short bursts, to try the benchmark itself.
        command: what was typed, for the record.
        stored: JSON with what was measured.

    Returns:
        The page, and whether every set was measured.
    """
    worker = HERE / "training_worker.py"
    record, is_complete = measure(worker, plan(sets, threads), stored, quick=quick, command=command)
    return page(record), is_complete


def page(record: Record) -> str:
    """Write the page from what is stored."""
    runs = [run for name in RECIPES for run in record.of(name)]
    lines = ["# Rows a second of whole trainings", "", *_introduction(runs), ""]
    for phase, title in (("training", "Training"), ("validation", "Evaluation")):
        lines += [f"## {title}", "", *_table(runs, phase), ""]
    lines += ["## Goals", "", *_goals(runs), ""]
    lines += ["## Losses", "", *_losses(runs), ""]
    lines += ["## Reading and encoding", "", *_encoding(runs), ""]
    lines += ["## Runs", "", *_runs(runs), ""]
    lines += ["## The models", "", *_models(), ""]
    return "\n".join(lines)


def _introduction(runs: Sequence[Run]) -> list[str]:
    runs = [run for run in runs if run.rows]
    if not runs:
        return ["Nothing is measured yet."]
    said = runs[-1].about
    updates = [row.facts["updates"] for run in runs for row in _rows(run, "training")]
    return [
        f"{said['machine']}; Elman's kernels: {said['kernels']}; Python "
        f"{said['Python']}; {min(run.about['date'] for run in runs)} to "
        f"{max(run.about['date'] for run in runs)}. float32.",
        "",
        "**Elman** is the loop of `elman train` on the recipe: its reading, encoding, batches of "
        "similar lengths, updates, averages and metrics; validation and checkpoints between epochs "
        "are not counted. **PyTorch** is the same model with the same dropout, optimiser (AdamW, "
        "fused), clipping, schedule and average of the weights, as an experienced user writes it: "
        "rows from a shuffling `DataLoader` whose `collate_fn` pads them, `pack_padded_sequence` "
        "with `enforce_sorted=False`, nn.LSTM and nn.GRU. **PyTorch, padded** does not pack, which "
        "is another model where a direction reads the padding first, and quicker where rows are "
        "long. **Keras** masks "
        "and pads each batch; see below for what it leaves out.",
        "",
        "Bursts of everyone in turn, each set in a process of its own pinned to as many cores as "
        "threads; a burst is some seconds of whole updates. The unit is rows a second, from the "
        "real steps a second and the mean steps of a row, so that a burst of long rows counts as "
        "much as one of short ones; a row of the Penn Treebank is a sentence. Medians ± half the "
        "distance between the quartiles; × is PyTorch's time over Elman's, the median of the "
        "ratios round by round.",
        "",
        "Nothing was timed before Elman and PyTorch had as many parameters and, with the same "
        "weights, the same loss of the first batch within 1e-4. "
        + (f"Each took {min(updates):.0f} updates or more." if updates else ""),
    ]


def _rows(run: Run, phase: str) -> list[Row]:
    return [row for row in run.rows if row.what["what"] == phase]


def _table(runs: Sequence[Run], phase: str) -> list[str]:
    names = [ELMAN, TORCH, PADDED, KERAS]
    extra = " of it inside |" if phase == "training" else " scored |"
    times = f"× {TORCH} | × {PADDED} | × {KERAS} |{extra}"
    lines = [
        "Rows a second."
        if phase == "training"
        else "Rows a second: the loss of validation rows "
        "without gradients; *scored* is `elman evaluate`'s scoring of them in Elman, reading and "
        "encoding them anew.",
        "",
        f"| set | threads | {' | '.join(names)} | {times}",
        f"| --- | ---: |{' ---: |' * (len(names) + 4)}",
    ]
    for run in runs:
        for row in _rows(run, phase):
            cells = [_speed(row.timed.get(name)) for name in names]
            cells += [_times(row.timed.get(name)) for name in names[1:]]
            last = (
                f"{_inside(row):.0%}" if phase == "training" else f"{1 / row.facts['scores']:,.0f}"
            )
            lines.append(f"| {run.part} | {run.threads} | {' | '.join([*cells, last])} |")
    return [*lines, *_failures(runs)]


def _failures(runs: Sequence[Run]) -> list[str]:
    failed = [f"{run.part}, {run.threads} threads: {run.failure}." for run in runs if run.failure]
    return ["", *failed] if failed else []


def _speed(timed: Timed | None) -> str:
    if timed is None:
        return "–"
    speed = 1 / timed.seconds
    return (
        f"{speed:,.0f} ± {timed.spread:.0%}" if speed >= 10 else f"{speed:.1f} ± {timed.spread:.0%}"
    )


def _times(timed: Timed | None) -> str:
    return "–" if timed is None else f"{timed.times:.2f}"


def _inside(row: Row) -> float:
    return sum(value for name, value in row.facts.items() if name.startswith("share, "))


def _goals(runs: Sequence[Run]) -> list[str]:
    lines = [
        f"*Inside* is the share of training time in operators of PyTorch, Elman's kernels and the "
        f"optimiser, by torch.profiler, whose own cost counts against it; the goal is "
        f"{INSIDE:.0%}. The rest is Python: batches put together, modules called, bookkeeping. "
        "*Evaluated* are rows scored, or those of the loss, whichever is slower.",
        "",
        f"| set | threads | × {TORCH} | goal | verdict | kernels | operators | optimiser's Python "
        "| inside | verdict | evaluated a second over trained | verdict |",
        f"| --- | ---: |{' ---: | ---: | --- |'} ---: | ---: | ---: | ---: | --- | ---: | --- |",
    ]
    for run in runs:
        for row, other in zip(_rows(run, "training"), _rows(run, "validation"), strict=True):
            times, inside = row.timed[TORCH].times, _inside(row)
            shares = [
                f"{row.facts.get(f'share, {kind}', 0):.0%}"
                for kind in ("kernels", "operators", "optimiser, in Python")
            ]
            slowest = max(other.timed[ELMAN].seconds, other.facts["scores"])
            faster = row.timed[ELMAN].seconds / slowest
            timed = [its for each in (row, other) for its in (each.timed[ELMAN], each.timed[TORCH])]
            is_disturbed = max(its.spread for its in timed) > DISTURBED

            def judged(value: float, bound: float, *, nothing: bool = is_disturbed) -> str:
                return "disturbed" if nothing else verdict(value, bound, at_least=True)

            cells = [
                *[f"{times:.2f}", f"{GOALS[run.part]:g}", judged(times, GOALS[run.part])],
                *shares,
                *[f"{inside:.0%}", judged(inside, INSIDE)],
                *[f"{faster:.1f}", judged(faster, 1.0)],
            ]
            lines.append(f"| {run.part} | {run.threads} | {' | '.join(cells)} |")
    return lines


def _losses(runs: Sequence[Run]) -> list[str]:
    names = [ELMAN, TORCH, PADDED, KERAS]
    lines = [
        "Training losses with dropout: the mean of the last updates that all have made, of other "
        "rows in each. Keras begins at other weights.",
        "",
        f"| set | threads | first, Elman | first, PyTorch | updates | {' | '.join(names)} |",
        f"| --- | ---: |{' ---: |' * (len(names) + 3)}",
    ]
    for run in runs:
        for row in _rows(run, "training"):
            facts = row.facts
            cells = [f"{facts[f'first loss, {name}']:.5f}" for name in (ELMAN, TORCH)]
            till = facts["updates"]
            cells.append(f"{till - facts['averaged over'] + 1:.0f} … {till:.0f}")
            cells += [
                f"{facts[f'loss, {name}']:.3f}" if f"loss, {name}" in facts else "–"
                for name in names
            ]
            lines.append(f"| {run.part} | {run.threads} | {' | '.join(cells)} |")
    return lines


def _encoding(runs: Sequence[Run]) -> list[str]:
    lines = [
        "Seconds from files to encoded training rows, once, not repeated. Elman's include what a "
        "plain loop does not do: it finds and checks the columns and divides the rows, and the "
        "first set imports what it needs.",
        "",
        "| set | threads | Elman | PyTorch |",
        "| --- | ---: | ---: | ---: |",
    ]
    for run in runs:
        for row in _rows(run, "encoding"):
            cells = [f"{row.facts[name]:.1f}" for name in (ELMAN, TORCH)]
            lines.append(f"| {run.part} | {run.threads} | {' | '.join(cells)} |")
    return lines


def _runs(runs: Sequence[Run]) -> list[str]:
    lines = [
        "When each was measured, and the share of its cores that other processes kept busy just "
        "before and after. Where Elman's or PyTorch's spread is above "
        f"{DISTURBED:.0%} there is no verdict above.",
        "",
        "| set | threads | begun | took | load by others | Keras |",
        "| --- | ---: | --- | ---: | --- | --- |",
    ]
    for run in runs:
        cells = [run.about.get(name, "–") for name in ("date", "took", "load", "Keras")]
        lines.append(f"| {run.part} | {run.threads} | {' | '.join(cells)} |")
    return lines


def _models() -> list[str]:
    lines = []
    for name, title in TITLES.items():
        left = f"; Keras leaves out: {LEFT_OUT[name]}" if LEFT_OUT[name] else ""
        lines.append(f"- **{name}**: {title}. Recipe `{RECIPES[name]}`{left}.")
    return [*lines, "- Of IMDb 8,000 reviews are read; of TREC one network is trained, not five."]
