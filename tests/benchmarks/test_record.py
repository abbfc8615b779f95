from __future__ import annotations

from pathlib import Path

from bursts import Timed
from record import Record, Row, Run, run_as_json, run_from_json


def run(part: str, threads: int, seconds: float) -> Run:
    row = Row({"cell": "gru", "size": 32}, {"JAX": Timed(seconds, 0.1, 2.0, 3.0)}, {"share": 0.5})
    return Run(part, threads, {"date": "today"}, [row], ["a note"], None)


def test_a_run_reads_back_as_it_was_written() -> None:
    assert run_from_json(run_as_json(run("forward", 2, 1.5))) == run("forward", 2, 1.5)


def test_a_part_measured_again_takes_the_place_of_the_old_one_alone(tmp_path: Path) -> None:
    record = Record([run("forward", 1, 1.0), run("forward", 2, 2.0), run("ragged", 1, 3.0)])
    record.add(run("forward", 2, 9.0))
    record.write(tmp_path / "cpu.json")
    back = Record.read(tmp_path / "cpu.json")
    assert [row.timed["JAX"].seconds for row in back.rows("forward")] == [1.0, 9.0]
    assert [row.timed["JAX"].seconds for row in back.rows("forward", 2, cell="gru")] == [9.0]
    assert list(back.rows("forward", cell="lstm")) == []
    assert len(back.of("ragged")) == 1


def test_where_nothing_is_stored_nothing_was_measured(tmp_path: Path) -> None:
    assert Record.read(tmp_path / "cpu.json").runs == {}
