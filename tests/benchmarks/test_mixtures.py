"""The made tables are what they claim to be, and plain methods find in them what is there."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

import mixed
from elman.data.sources import read_table
from mixed_baselines import METHODS, Asked
from mixtures import pairs, shipped, thirds, tickets
from mixtures.pairs import Sentence, label_of
from mixtures.tickets import Ticket
from mixtures.writing import divided, mistyped, write_csv

MADE = {"tickets": tickets.columns, "thirds": thirds.columns, "pairs": pairs.columns}


@pytest.mark.parametrize("name", MADE)
def test_a_seed_makes_the_same_table_again_and_another_seed_another(name: str) -> None:
    make = MADE[name]
    assert make(300, 1) == make(300, 1)
    assert make(300, 1) != make(300, 2)


@pytest.mark.parametrize("name", MADE)
def test_a_fifth_of_the_rows_is_for_testing_and_a_tenth_for_validation(name: str) -> None:
    parts = Counter(MADE[name](300)["split"])
    assert parts == {"train": 210, "valid": 30, "test": 60}


@pytest.mark.parametrize("name", MADE)
def test_a_made_table_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    columns = MADE[name](40)
    write_csv(tmp_path / "made.csv", columns)
    table = read_table(tmp_path / "made.csv")
    assert table.columns == list(columns)
    for column in ("split", *mixed.SETS[name].targets, *mixed.SETS[name].texts):
        assert list(table.column(column)) == columns[column]


def test_the_priority_of_a_ticket_adds_up_subject_tone_channel_and_amount() -> None:
    assert Ticket("question", "patient", "mail", 50.0).priority == "low"
    assert Ticket("question", "patient", "mail", 5_000.0).priority == "normal"
    assert Ticket("outage", "pressing", "mail", 50.0).priority == "high"
    assert Ticket("outage", "pressing", "phone", 50.0).priority == "urgent"


def test_the_tags_of_a_ticket_follow_from_text_and_channel() -> None:
    assert Ticket("outage", "angry", "social", 1.0).tags == ("outage", "press-office", "apology")
    assert Ticket("outage", "angry", "mail", 1.0).tags == ("outage", "tier-2", "voucher")
    assert Ticket("payment", "patient", "mail", 1.0).tags == ("payment", "back-office", "reply")


def test_no_column_of_the_tickets_is_enough() -> None:
    rates = tickets.bayes_rates(5_000)
    assert max(rates[name] for name in ("text", "channel", "amount")) < 0.62
    assert rates["text, channel"] < 0.7
    assert rates["all"] > 0.97


def test_each_column_of_the_thirds_decides_a_third_and_all_decide_all() -> None:
    columns = thirds.columns(3_000)
    decided: Counter[str] = Counter()
    of_tariff = {t: answer for answer, names in thirds.TARIFFS.items() for t in names}
    rows = zip(columns["tariff"], columns["usage"], columns["answer"], strict=True)
    for tariff, usage, answer in rows:
        low, high = thirds.NEUTRAL_BAND
        if tariff in of_tariff:
            assert low <= usage <= high
            decided["tariff"] += of_tariff[tariff] == answer
        elif not low <= usage <= high:
            decided["usage"] += 1
        else:
            decided["note"] += 1
    assert all(900 < count < 1_100 for count in decided.values())
    rates = thirds.bayes_rates()
    assert rates["note"] == pytest.approx(0.6, abs=0.005)
    assert rates["all"] > 0.99


def test_a_premise_entails_what_is_more_general_and_contradicts_what_shares_nothing() -> None:
    premise = Sentence("two", "dogs", "running", "park")
    assert label_of(premise, Sentence("some", "animals", "moving", "")) == "entails"
    assert label_of(premise, Sentence("two", "dogs", "not running", "park")) == "contradicts"
    assert label_of(premise, Sentence("two", "cats", "running", "park")) == "contradicts"
    assert label_of(premise._replace(place=""), premise) == "neutral"
    assert label_of(premise._replace(subject="singers"), premise._replace(subject="vocalists")) == (
        "entails"
    )
    assert label_of(
        premise._replace(action="sleeping"), premise._replace(action="not running")
    ) == ("entails")


def test_the_labels_of_pairs_are_balanced_in_each_part() -> None:
    columns = pairs.columns(600)
    counts = Counter(zip(columns["split"], columns["label"], strict=True))
    for part, rows in Counter(columns["split"]).items():
        assert all(abs(counts[part, label] - rows / 3) <= 2 for label in pairs.LABELS)


@pytest.mark.slow
def test_a_hypothesis_alone_tells_nothing_and_words_of_both_little() -> None:
    cells = pairs.columns()

    def accuracy(*columns: str, pair: bool = False) -> float:
        return METHODS["linear model"](cells, Asked(columns, columns, "label", "accuracy", pair))

    both = accuracy("premise", "hypothesis")
    assert accuracy("hypothesis") < 0.4
    assert both < 0.62
    assert accuracy("premise", "hypothesis", pair=True) > both + 0.15


def test_some_scenes_occur_in_test_rows_alone() -> None:
    columns = pairs.columns()
    scenes: dict[str, set[tuple[str, str]]] = {"train": set(), "valid": set(), "test": set()}
    for part, text in zip(columns["split"], columns["hypothesis"], strict=True):
        subject = next(word for word in text.split() if word in pairs.SUBJECTS)
        place = next((word for word in text.split() if word in pairs.PLACES), "")
        scenes[part].add((subject, place))
    strange = scenes["test"] - scenes["train"] - scenes["valid"]
    assert len(strange) >= 4


def test_plain_methods_find_what_each_column_holds() -> None:
    cells = {
        "text": ["all is well", "not so good"] * 100,
        "kind": ["a", "b", "b", "a"] * 50,
        "size": [1.0, None, 3.0, 4.0] * 50,
        "split": divided_in_order(200),
    }
    cells["both"] = [
        f"{text.split()[0]};{kind}" for text, kind in zip(cells["text"], cells["kind"], strict=True)
    ]
    for name, method in METHODS.items():
        asked = Asked(("text", "kind", "size"), ("text",), "kind", "accuracy")
        assert method(cells, asked) == 1.0, name
        tags = Asked(("text", "kind"), ("text",), "both", "micro_f1")
        assert method(cells, tags) == 1.0, name


def divided_in_order(rows: int) -> list[str]:
    return [("train", "train", "train", "valid", "test")[row // 2 % 5] for row in range(rows)]


def test_typing_errors_leave_words_apart_and_their_first_letters() -> None:
    text = "nobody can reach the portal"
    typed = mistyped(text, random.Random(3), 0.5)
    assert typed != text
    assert [word[0] for word in typed.split()] == [word[0] for word in text.split()]


def test_parts_are_divided_by_the_seed_alone() -> None:
    assert divided(50, random.Random(4)) == divided(50, random.Random(4))


def test_shipped_tables_hold_names_in_place_of_codes() -> None:
    pytest.importorskip("statsmodels")
    cells = shipped.with_parts(shipped.fair())
    assert set(cells["affairs"]) == {"yes", "no"}
    assert "professional" in cells["occupation"]
    assert len(cells["split"]) == 6_366
    assert "logpopul" not in shipped.anes96()
    assert len(shipped.star98()) == 13


def test_a_column_that_is_ahead_of_all_together_is_said_as_a_loss() -> None:
    table = mixed.SETS["thirds"]
    lines = mixed.verdicts(
        table, {"answer": [0.90, 0.92]}, {"note": {"answer": [0.95]}}, [{"answer": [0.80]}]
    )
    assert lines[0] == (
        "* `answer`: **4.0 points behind** the best column alone; 11.0 points ahead of the best "
        "plain method."
    )
    assert lines[1] == "* Goal of 0.95: **missed**."
