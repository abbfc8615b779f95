"""Each example runs, and prints what it promises."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"

Run = Callable[[str], list[str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    def lines_of(name: str) -> list[str]:
        monkeypatch.chdir(tmp_path)
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        assert list(tmp_path.iterdir()) == [], "an example leaves nothing behind"
        return capsys.readouterr().out.splitlines()

    return lines_of


def number_in(line: str) -> float:
    found = re.search(r"\d+(\.\d+)?(?=\D*$)", line)
    assert found, line
    return float(found[0])


@pytest.mark.slow
def test_a_house_at_the_harbour_costs_more_than_one_in_the_valley(run: Run) -> None:
    sentence, error, harbour, valley = run("one_to_one")
    assert sentence == "input: 2 numbers and 1 category; target: a number → one-to-one"
    assert number_in(error) < 60
    assert number_in(harbour) == pytest.approx(9 * 80 + 20 * 3, rel=0.15)
    assert number_in(valley) == pytest.approx(4 * 80 + 20 * 3, rel=0.15)


@pytest.mark.slow
def test_a_not_turns_a_review_round(run: Run) -> None:
    sentence, accuracy, praise, blame = run("many_to_one_text")
    assert sentence == "input: words; target: one of 2 classes → many-to-one"
    assert number_in(accuracy) > 0.9
    assert (praise.endswith(": good"), blame.endswith(": bad")) == (True, True)


@pytest.mark.slow
def test_waves_are_told_apart(run: Run) -> None:
    sentence, accuracy = run("many_to_one_series")
    assert sentence == "input: a number a step; target: one of 3 classes → many-to-one"
    assert number_in(accuracy) > 0.85


def test_a_name_is_a_person_or_a_place_by_where_it_stands(run: Run) -> None:
    sentence, tagged = run("many_to_many_tags")
    assert sentence == "input: symbols; target: one of 5 tags a step → many-to-many"
    assert tagged == "Bo/B-PER  Stone/I-PER  flew/O  to/O  Stone/B-LOC  Town/I-LOC  ./O"


@pytest.mark.slow
def test_a_network_that_waits_knows_more(run: Run) -> None:
    at_once, later, latest = map(number_in, run("many_to_many_delay"))
    assert at_once + 0.03 < later < latest - 0.03


@pytest.mark.slow
def test_the_network_writes_lines_like_those_it_read(run: Run) -> None:
    sentence, *written = run("next_character")
    assert sentence == "input: characters; target: the next one → many-to-many"
    line = r"the (cat|dog|cow|pig) on the (mat|log|plough|wig)\."
    whole = written[:-1]
    assert len(whole) > 2
    assert sum(re.fullmatch(line, text) is not None for text in whole) > len(whole) / 2


def test_every_example_is_short_and_run_here() -> None:
    tests = Path(__file__).read_text(encoding="utf-8")
    for path in EXAMPLES.glob("*.py"):
        assert f'run("{path.stem}")' in tests, f"{path.name} is not run"
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 40


def test_the_program_on_the_page_about_networks_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = (EXAMPLES.parent / "docs" / "networks.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    runpy.run_path(str(tmp_path / "program.py"))
    assert capsys.readouterr().out == "torch.Size([2, 3])\n"


@pytest.mark.slow
def test_a_date_is_written_as_computers_do_letter_by_letter(run: Run) -> None:
    sentence, right, written, *read = run("encoder_decoder")
    assert sentence == "input: characters; target: characters → encoder-decoder"
    assert number_in(right) > 0.95
    assert written == "1987-10-09"
    assert read == [
        f"{digit} attends most to {seen}" for digit, seen in zip("1987", "1987", strict=True)
    ]


@pytest.mark.slow
def test_a_figure_is_drawn_from_its_name_and_size(run: Run) -> None:
    sentence, right, stairs, square = run("one_to_many")
    assert sentence == "input: 1 number and 1 category; target: symbols → one-to-many"
    assert number_in(right) > 0.95
    assert stairs == "stairs: right up right up"
    ways = "right right right up up up left left left down down down"
    assert square == f"square: {ways}"
