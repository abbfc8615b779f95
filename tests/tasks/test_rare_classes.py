"""Classes with few training rows: what is chosen, what is said, and that they are answered."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from elman.data.table import Table
from elman.experiment import Experiment
from elman.runs.run import prepare, run_experiment


def prepared(counts: dict[str, int], training: Any = None, **network: Any) -> Any:
    labels = [name for name, rows in counts.items() for _ in range(rows)]
    rows = len(labels)
    labels += [labels[0], labels[-1]]
    columns = {
        "x": [row % 7 + 0.5 for row in range(len(labels))],
        "label": labels,
        "part": ["train"] * rows + ["valid", "test"],
    }
    table = Table.from_columns(columns, origin="it")
    data = {"target": "label", "input": "x", "split_column": "part"}
    values = {"data": data, "network": network, "training": training or {}}
    experiment = Experiment.from_values(values, origin="it")
    return prepare(experiment, table)


@pytest.mark.parametrize(
    ("counts", "weighted"),
    [
        ({"a": 200, "b": 49}, True),
        ({"a": 200, "b": 50}, False),
        ({"a": 40, "b": 10}, True),
        ({"a": 40, "b": 11}, False),
        ({"a": 30, "b": 30, "c": 30}, False),
        ({"a": 1_000, "b": 900, "c": 3}, True),
    ],
)
def test_a_class_is_rare_by_its_own_rows_and_beside_the_commonest(
    counts: dict[str, int], weighted: bool
) -> None:
    made = prepared(counts)
    assert made.experiment.network.class_weights == ("rare" if weighted else "none")
    assert ("class_weights" in made.task.objective) == weighted
    assert bool(made.task.notes_of_settings(made.experiment, made.parts.train)) == weighted


def test_rare_classes_weigh_more_by_the_root_of_fifty_rows_to_theirs_and_no_other_does() -> None:
    made = prepared({"a": 300, "b": 60, "c": 18, "d": 2})
    of_c, of_d = (50 / 18) ** 0.5, (50 / 2) ** 0.5
    mean = (300 + 60 + 18 * of_c + 2 * of_d) / 380
    weights = made.task.objective["class_weights"]
    assert weights == pytest.approx([1 / mean, 1 / mean, of_c / mean, of_d / mean])


def test_what_is_said_of_rare_classes_names_them_the_rarest_first() -> None:
    made = prepared({"a": 300, "b": 40, "c": 1, "d": 20, "e": 30})
    (line,) = made.task.notes_of_settings(made.experiment, made.parts.train)
    assert line.startswith(
        "a class of fewer than 50 training rows counts for more, so that it is learned, too: "
        "'c' (1 row), 'd' (20 rows), 'e' (30 rows), 1 more. "
    )
    assert "--set class_weights=none" in line


@pytest.mark.parametrize("given", ["none", "balanced", "square-root"])
def test_weights_that_are_given_stay(given: str) -> None:
    made = prepared({"a": 200, "b": 10}, class_weights=given)
    assert made.experiment.network.class_weights == given
    assert not made.task.notes_of_settings(made.experiment, made.parts.train)


@pytest.mark.parametrize(
    ("counts", "training", "select"),
    [
        ({"a": 200, "b": 10}, {}, "last"),
        ({"a": 200, "b": 60}, {}, "loss"),
        ({"a": 2_000, "b": 10}, {}, "loss"),
        ({"a": 200, "b": 10}, {"patience": 7}, "loss"),
        ({"a": 200, "b": 10}, {"select": "score"}, "score"),
    ],
)
def test_few_rows_with_a_rare_class_keep_the_last_weights_unless_another_choice_is_given(
    counts: dict[str, int], training: dict[str, Any], select: str
) -> None:
    made = prepared(counts, training)
    assert made.experiment.training.select == select
    assert bool(made.experiment.training.patience) == (select != "last")


def reviews(seed: int, rows: int, rare: int) -> dict[str, list[str]]:
    """Texts in which four words, more or less, are of their class: one of 6 each."""
    rng = random.Random(seed)
    columns: dict[str, list[str]] = {"text": [], "label": []}
    for row in range(rows):
        label = 2 if row < rare else row % 2
        words = [f"w{rng.randrange(300)}" for _ in range(rng.randint(8, 20))]
        for _ in range(4):
            words[rng.randrange(len(words))] = f"c{label}{rng.randrange(6)}"
        columns["text"].append(" ".join(words))
        columns["label"].append(f"class {label}")
    return columns


def test_a_rare_class_that_would_go_unanswered_is_answered(tmp_path: Path) -> None:
    train, fresh = reviews(1, 150, 7), reviews(2, 40, 40)
    small = {"hidden_size": 32, "epochs": 25, "target": "label"}
    plain = {"class_weights": "none", "select": "loss", "patience": 4}
    found = {}
    for name, settings in {"plain": plain, "default": {}}.items():
        experiment = Experiment.from_toml("[data]\n").override({**small, **settings})
        run = run_experiment(experiment, tmp_path / name, source=train, page=False)
        found[name] = run.model.predict(fresh["text"]).count("class 2")
    assert found["plain"] <= 1
    assert found["default"] >= 10
