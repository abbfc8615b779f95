from __future__ import annotations

from pathlib import Path

import pytest

import cpu
from bursts import Timed
from cpu_page import page
from record import Record, Row, Run

ABOUT = {
    "machine": "a processor",
    "kernels": "avx2",
    "backend": "native",
    "cores": "1",
    "ONNX Runtime": "1",
    "JAX": "2",
    "Python": "3",
    "date": "today",
}


def point(cell: str, size: int, **microseconds: float) -> Row:
    names = {"elman": "Elman", "torch": "torch.nn", "jax": "JAX"}
    first = microseconds["elman"]
    timed = {
        names[name]: Timed(us * 1e-6, 0.01, us / first, us * 1e-6)
        for name, us in microseconds.items()
    }
    facts = {"fma": 5e10, "arithmetic": 0.9 * first * 1e-6, "bytes": 0.0}
    return Row({"cell": cell, "rows": 8, "steps": 128, "size": size}, timed, facts)


def written(rows: list[Row], by_hand: Path, **other: object) -> str:
    return page(Record([Run("forward", 1, ABOUT, rows, **other)]), by_hand)


def lines(text: str, about: str) -> list[str]:
    return [line for line in text.splitlines() if about in line]


def test_a_page_without_measurements_says_so_of_every_goal(tmp_path: Path) -> None:
    text = page(Record([]), tmp_path / "cpu.toml")
    assert "0 of 20 met." in text
    assert len(lines(text, "| not measured |")) == 20


def test_a_point_behind_the_best_peer_is_counted_named_and_bold(tmp_path: Path) -> None:
    ahead = [point(cell, 128, elman=1, torch=4, jax=3) for cell in ("lstm", "gru", "simple")]
    text = written([*ahead, point("gru", 256, elman=10, torch=30, jax=8)], tmp_path / "cpu.toml")
    (goal,) = lines(text, "forward, every grid point")
    assert "1 thread: 3 of 4. Behind at gru B 8 T 128 H 256, 1 thread (0.80)" in goal
    assert "**missed** at 1 of 4 points" in goal
    assert "1 within 30% of the floor of arithmetic" in goal
    (shown,) = lines(text, "| 8 × 128 × 256 |")
    assert "| 3.00 | **0.80** | 45.0 | 90% | 90% arithmetic |" in shown


def test_geometric_means_and_the_share_of_the_fma_rate_are_judged(tmp_path: Path) -> None:
    rows = [
        point("lstm", 128, elman=1, torch=2),
        point("lstm", 256, elman=1, torch=0.5),
        point("gru", 32, elman=1, torch=4),
        point("simple", 32, elman=1, torch=1),
    ]
    text = written(rows, tmp_path / "cpu.toml")
    (mean,) = lines(text, "forward, lstm, geometric mean")
    assert "| 1 thread: 1.00 | **missed** by 25% |" in mean
    (share,) = lines(text, "| ≥ 90% of the FMA rate |")
    assert "2 of 2 points; T 128: 90% to 90%, median 90%" in share
    assert "| met |" in share


def test_what_is_written_by_hand_stands_beside_its_goal(tmp_path: Path) -> None:
    by_hand = tmp_path / "cpu.toml"
    by_hand.write_text(
        "[limits]\nfma = 'the division'\n"
        "[demo]\ncommand = 'make demo'\nmachine = 'here'\nverdict = 'same results'\n"
        "before = {seconds = {gru = 30.0}, test = {gru = 8.46}}\n"
        "after = {seconds = {gru = 10.0}, test = {gru = 8.46}}\n",
        encoding="utf-8",
    )
    text = page(Record([]), by_hand)
    (share,) = lines(text, "| ≥ 90% of the FMA rate |")
    assert share.endswith("| the division |")
    assert lines(text, "| 30 s before, 10 s after: 3.00 × | same results |")
    assert lines(text, "| gru | 30.0 | 10.0 | 3.00 | 8.46 | 8.46 |")


def test_a_part_that_was_refused_shows_why_and_no_number(tmp_path: Path) -> None:
    text = written([], tmp_path / "cpu.toml", failure="JAX is off by 1; nothing is timed.")
    assert "**Not measured:** JAX is off by 1; nothing is timed." in text


def test_a_compilation_that_does_not_end_misses_its_goal(tmp_path: Path) -> None:
    row = Row({"who": "Elman", "mode": "training", "steps": 512}, {})
    text = page(Record([Run("compile", 1, ABOUT, [row])]), tmp_path / "cpu.toml")
    (goal,) = lines(text, "T = 512, training")
    assert "| not compiled, see below | **missed** |" in goal


def test_parts_run_with_the_threads_that_they_ask_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu.os, "sched_getaffinity", lambda _: {0, 1})
    assert cpu.plan(["forward", "step", "contention"], [1, 2]) == [
        ("forward", 1),
        ("forward", 2),
        ("step", 1),
        ("contention", 2),
    ]
    assert cpu.plan(["contention"], [1]) == []


def test_more_threads_than_cores_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu.os, "sched_getaffinity", lambda _: {1})
    with pytest.raises(SystemExit, match="2 threads need as many cores"):
        cpu.plan(["forward"], [1, 2])
