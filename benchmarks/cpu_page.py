"""Writes the page `cpu` from what was measured: goals first, then every number."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bursts import Timed
from cpu_goals import goals
from cpu_parts import BFLOAT16, DENSE, FLOAT32, INSIDE, PACKED, TORCH_BFLOAT16, TORCH_FLOAT32
from peers import MODULES, TOLERANCE, TORCH
from record import Record, Row, Run
from verdicts import MET, Goal, best_peer, lead, mine, nearest_floor, threads_named

Table = tuple[list[str], list[list[str]]]
"""Headers and rows."""


def page(record: Record, written: Path) -> str:
    """Write the page; `written` is the file of what no program measures or knows."""
    by_hand = tomllib.loads(written.read_text(encoding="utf-8")) if written.is_file() else {}
    lines = ["# CPU: Elman beside torch.nn, ONNX Runtime and JAX", "", *_introduction(record)]
    lines += ["## Goals", "", *_goals(list(goals(record, by_hand.get("demo", {}))), by_hand)]
    lines += ["## How it was measured", "", *METHOD]
    for title, part, table in SECTIONS:
        for run in record.of(part):
            lines += [f"## {title}, {threads_named(run.threads)}", "", *_section(run, table)]
    return "\n".join([*lines, *_demo(by_hand.get("demo", {})), *_runs(record)])


def _introduction(record: Record) -> list[str]:
    lines = []
    machines = {run.about["machine"] for run in record.runs.values()}
    if any("--quick" in run.about.get("command", "") for run in record.runs.values()):
        lines += ["**A trial of the benchmark with tiny sizes: its numbers say nothing.**", ""]
    else:
        lines += [
            "The tests of cells, sequences and layers ran green before anything was timed.",
            "",
        ]
    if not machines:
        return [*lines, "Nothing was measured yet.", ""]
    latest = max(record.runs.values(), key=lambda run: run.about["date"]).about
    versions = ", ".join(f"{name} {latest[name]}" for name in ("ONNX Runtime", "JAX", "Python"))
    lines += [
        f"{'; '.join(sorted(machines))}, {versions}; kernels {latest['kernels']}; Elman with "
        f"backend `auto`, which chose `{latest['backend']}`; float32 unless stated otherwise.",
        "",
        "× says how many times faster Elman is; **bold** where it is behind the best peer.",
        "",
    ]
    return lines


METHOD = [
    f"* All contenders get the same weights and batch; outputs (in training all gradients, "
    f"relative to the largest) agreed within {TOLERANCE} before anything was timed.",
    "* Medians ± half the distance between the quartiles; × is the median of the ratios round by "
    "round. Every contender has one burst a round, in an order that rotates; a short call is "
    "repeated for 3 ms, after some calls that are not timed. 5 to 11 rounds, 3 where a call takes "
    "over 0.2 s.",
    "* Each part and number of threads has a process of its own, pinned to as many cores. Before "
    "each burst the process sleeps until it burns no processor time, so that no pool that still "
    "spins disturbs the next contender; OpenMP's and ONNX Runtime's own settings for waiting are "
    "the default ones.",
    "* torch.nn and Elman run forward in inference mode. ONNX Runtime runs sequentially with as "
    "many intra-op threads, from NumPy arrays. JAX is one jitted scan with the products of all "
    "inputs hoisted, weights transposed beforehand, dispatched synchronously; its compiling is not "
    "timed.",
    "* One step has two ways into Elman: the layer's call, from tensors, and its stepper, from "
    "NumPy arrays as ONNX Runtime's. × takes the faster; the goals also count the call alone.",
    "* GFLOP/s count the products W x and R h alone. The floor is the higher of two: their time at "
    "the FMA rate that the same core shows in the same process, and the time to read R at every "
    "step and W once at the rate at which the core reads an array as large as R.",
    "",
]


def _goals(goals: Sequence[Goal], by_hand: dict[str, Any]) -> list[str]:
    limits = by_hand.get("limits", {})
    rows = []
    for goal in goals:
        words = ". ".join(filter(None, [goal.limits, limits.get(goal.key, "")]))
        rows.append([goal.what, goal.asked, goal.measured, goal.verdict, words])
    lines = _table(["what", "goal", "measured", "verdict", "what limits it"], rows, numbers=False)
    met = sum(goal.verdict == MET for goal in goals)
    hand = " What limits a goal is written by hand but for the counts." if limits else ""
    return [f"{met} of {len(goals)} met.{hand}", "", *lines]


def _section(run: Run, table: Callable[[Run], list[tuple[str, Table]]]) -> list[str]:
    lines = [f"* {note}" for note in run.notes] + [""] * bool(run.notes)
    if run.failure:
        return [*lines, f"**Not measured:** {run.failure}", ""]
    for title, (headers, rows) in table(run):
        lines += [f"### {title}", ""] if title else []
        lines += _table(headers, rows)
    return lines


def _table(headers: list[str], rows: list[list[str]], *, numbers: bool = True) -> list[str]:
    rule = ["---", *["---:" if numbers else "---"] * (len(headers) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (headers, rule, *rows)] + [""]


def micro(seconds: float) -> str:
    """Write microseconds with three or more figures."""
    value = seconds * 1e6
    places = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{places}f}"


def _shown(timed: Timed | None) -> str:
    return "–" if timed is None else f"{micro(timed.seconds)} ± {timed.spread:.0%}"


def _times(value: float) -> str:
    return f"{value:.2f}" if value > 1 else f"**{value:.2f}**"


def _names(rows: Sequence[Row]) -> list[str]:
    """Name every contender that any row has, in the order of the longest row."""
    return max((list(row.timed) for row in rows), key=len)


def _place(row: Row) -> str:
    return f"{row.what['rows']} × {row.what['steps']} × {row.what['size']}"


def _grid(run: Run) -> list[tuple[str, Table]]:
    """Show a grid, a table a cell."""
    tables = []
    for cell in MODULES:
        rows = [row for row in run.rows if row.what["cell"] == cell]
        names = _names(rows)
        floors = any("arithmetic" in row.facts for row in rows)
        headers = ["B × T × H", *(f"{name}, µs" for name in names), "× torch.nn", "× best peer"]
        headers += ["GFLOP/s", "of FMA rate", "floor / time"] if floors else []
        shown = []
        for row in rows:
            cells = [_place(row), *(_shown(row.timed.get(name)) for name in names)]
            cells += [f"{lead(row, TORCH):.2f}", _times(lead(row, best_peer(row)))]
            shown.append(cells + (_floor(row) if floors else []))
        tables.append((cell, (headers, shown)))
    return tables


def _floor(row: Row) -> list[str]:
    kind, share = nearest_floor(row)
    seconds = row.timed[mine(row)].seconds
    rate = row.facts["arithmetic"] * row.facts["fma"] / seconds / 1e9
    return [f"{rate:.1f}", f"{row.facts['arithmetic'] / seconds:.0%}", f"{share:.0%} {kind}"]


def _plain(
    label: Callable[[Row], str], extra: Sequence[tuple[str, Callable[[Row], str]]]
) -> Callable[[Run], list[tuple[str, Table]]]:
    """Show rows with the same contenders, and further columns."""

    def show(run: Run) -> list[tuple[str, Table]]:
        names = _names(run.rows)
        headers = ["", *(f"{name}, µs" for name in names), *(title for title, _ in extra)]
        rows = [
            [
                label(row),
                *(_shown(row.timed.get(name)) for name in names),
                *(f(row) for _, f in extra),
            ]
            for row in run.rows
        ]
        return [("", (headers, rows))]

    return show


def _variants(run: Run) -> list[tuple[str, Table]]:
    """Show what each variant costs, a table a cell."""
    tables = []
    for cell in MODULES:
        rows = [row for row in run.rows if row.what["cell"] == cell]
        names = _names(rows)
        headers = ["B × T × H", f"{names[0]}, µs", *(f"{name}, × its time" for name in names[1:])]
        shown = [
            [
                f"{_place(row)}, {row.what['mode']}",
                _shown(row.timed[names[0]]),
                *(f"{row.timed[n].times:.2f}" if n in row.timed else "–" for n in names[1:]),
            ]
            for row in rows
        ]
        tables.append((cell, (headers, shown)))
    return tables


def _compile(run: Run) -> list[tuple[str, Table]]:
    headers = ["", "first call, s", "graphs", "breaks", "second call, µs", "not compiled, µs"]
    headers += ["start of the compiler, s"]
    rows = [
        [
            f"{row.what['who']}, {row.what['mode']}",
            f"{row.facts['compile']:.2f}",
            f"{row.facts['graphs']:.0f}",
            f"{row.facts['breaks']:.0f}",
            micro(row.facts["second call"]),
            micro(row.facts["eager"]),
            f"{row.facts['start']:.2f}",
        ]
        if row.facts
        else [f"{row.what['who']}, {row.what['mode']}", *["–"] * 6]
        for row in run.rows
    ]
    return [("", (headers, rows))]


def _fact(name: str, form: str) -> Callable[[Row], str]:
    return lambda row: format(row.facts[name], form) if name in row.facts else "–"


def _share_of_dense(row: Row) -> str:
    return f"{1 / row.timed[DENSE].times / row.facts['share']:.2f}"


def _shape(row: Row) -> str:
    what = row.what
    words = [f"{what['name']}: {what['cell']}"]
    words += [f"{what['layers']} layers"] if "layers" in what else []
    words += ["both directions"] if "bidirectional" in what else []
    return ", ".join([*words, _place(row), what["mode"]])


def _cell(row: Row) -> str:
    return str(row.what["cell"])


def _step_lead(row: Row) -> str:
    return f"{lead(row, TORCH):.1f}"


SECTIONS: tuple[tuple[str, str, Callable[[Run], list[tuple[str, Table]]]], ...] = (
    ("Forward", "forward", _grid),
    ("Training: forward, and backward to the inputs and all weights", "training", _grid),
    (
        "Ragged training, lengths even in 1 … T",
        "ragged",
        _plain(
            _cell,
            [
                ("Σlengths/(B·T)", _fact("share", ".2f")),
                ("time over that share of the dense time", _share_of_dense),
                ("× PackedSequence", lambda row: f"{row.timed[PACKED].times:.2f}"),
            ],
        ),
    ),
    ("Variants beside the plain cell; masks are drawn within the time", "variants", _variants),
    (
        "One step of one row, H = I = 32",
        "step",
        _plain(
            _cell,
            [
                ("inside C++, µs", lambda row: micro(row.facts[INSIDE])),
                ("× torch.nn", _step_lead),
            ],
        ),
    ),
    (
        "A busy foreign process on one of the cores",
        "contention",
        _plain(lambda row: "beside it" if row.what["foreign"] else "alone", []),
    ),
    ("torch.compile of two LSTM layers", "compile", _compile),
    (
        "bfloat16, one row",
        "bfloat16",
        _plain(
            _cell,
            [
                ("× float32", lambda r: f"{r.timed[FLOAT32].times / r.timed[BFLOAT16].times:.2f}"),
                *(
                    (f"error, {name}", _fact(f"total {name}", ".1e"))
                    for name in (BFLOAT16, TORCH_BFLOAT16, FLOAT32, TORCH_FLOAT32)
                ),
                *(
                    (f"error but for rounding the weights, {name}", _fact(f"error {name}", ".1e"))
                    for name in (BFLOAT16, TORCH_BFLOAT16)
                ),
            ],
        ),
    ),
    (
        "Networks as they are used, B × T × H",
        "shapes",
        _plain(
            _shape,
            [
                ("× torch.nn", lambda row: f"{lead(row, TORCH):.2f}"),
                ("× best peer", lambda row: _times(lead(row, best_peer(row)))),
            ],
        ),
    ),
)
"""Title, part, and how to show it."""


def _demo(demo: dict[str, Any]) -> list[str]:
    """Show what was measured by hand: the demo before these kernels and after."""
    lines = ["## `make demo`", ""]
    if not demo:
        return [*lines, "Not measured.", ""]
    rows = [
        [
            cell,
            f"{demo['before']['seconds'][cell]:.1f}",
            f"{demo['after']['seconds'][cell]:.1f}",
            f"{demo['before']['seconds'][cell] / demo['after']['seconds'][cell]:.2f}",
            f"{demo['before']['test'][cell]:.2f}",
            f"{demo['after']['test'][cell]:.2f}",
        ]
        for cell in demo["after"]["seconds"]
    ]
    headers = ["", "before, s", "after, s", "×", "test before", "test after"]
    source = f"Written by hand from two runs of `{demo['command']}`, {demo['machine']}."
    return [*lines, source, "", *_table(headers, rows)]


def _runs(record: Record) -> list[str]:
    """List when and how each part was measured."""
    rows = [
        [
            f"{run.part}, {threads_named(run.threads)}",
            run.about["date"],
            run.about["cores"],
            run.about.get("load", "–"),
            run.about.get("took", "–"),
            f"`{run.about.get('command', '')}`",
        ]
        for run in record.runs.values()
    ]
    headers = ["part", "date", "cores", "load by others", "took", "command"]
    return ["## When each part was measured", "", *_table(headers, rows, numbers=False)]
