"""Several targets: each is found as it would be alone, and what cannot go together is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from elman.data.table import Table
from elman.errors import DataError, ElmanError, ExperimentError, OptionError
from elman.experiment import DataSpec, Experiment, NetworkSpec
from elman.tasks.defaults import completed
from elman.tasks.find import find_task, task_from_json
from elman.tasks.joint import JointTask
from elman.tasks.layout import layout_of
from elman.tasks.prediction import PredictionTask
from elman.tasks.task import Task

N = 40
TEXTS = [f"{['fine', 'dull', 'loud'][n % 3]} film {n % 7}" for n in range(N)]
ROWS: dict[str, list[Any]] = {
    "text": TEXTS,
    "label": ["good", "bad"] * 20,
    "stars": [0.5 * (n % 9) for n in range(N)],
    "topics": [["cast"], ["plot", "cast"], []] * 13 + [["plot"]],
}
TOKENS = [text.split() for text in TEXTS]
TAGS = [["A", "N", "D"] for _ in TOKENS]
SPANS = [["B-X", "I-X", "O"] if n % 2 else ["O", "B-X", "B-X"] for n in range(N)]
STEPS: dict[str, list[Any]] = {
    "tokens": TOKENS,
    "tags": TAGS,
    "spans": SPANS,
    "sizes": [[len(word) + 0.5 for word in words] for words in TOKENS],
    "label": ROWS["label"],
}


def task_of(rows: dict[str, list[Any]], network: Any = None, **data: Any) -> Any:
    spec = DataSpec.model_validate(data)
    table = Table.from_columns(rows, origin="rows")
    return find_task(spec, NetworkSpec.model_validate(network or {}), table)


def test_each_target_is_found_as_it_would_be_alone() -> None:
    names = ["label", "stars", "topics"]
    task = task_of(ROWS, input="text", target=names)
    assert isinstance(task, JointTask)
    assert task.category == "many-to-one"
    for name, part in zip(names, task.parts, strict=True):
        alone = task_of(ROWS, input="text", target=name)
        assert type(part) is type(alone) is PredictionTask
        assert part.to_json() == alone.to_json()
    assert [part["weight"] for part in task.objective["parts"]] == [1, 1, 1]
    assert task.sentence == (
        "input: words; target: one of 2 classes (label), a number (stars) and any of 2 labels "
        "(topics) → many-to-one"
    )


def test_targets_of_steps_are_found_so_too_and_an_objective_is_set_by_target() -> None:
    network = {"objectives": {"spans": "crf"}, "loss_weights": {"sizes": 0.25}}
    task = task_of(STEPS, network, input="tokens", target=["tags", "spans", "sizes"])
    assert task.category == "many-to-many"
    assert task.targets == "step"
    own = [part["objective"] for part in task.objective["parts"]]
    assert [each["name"] for each in own] == ["tagging", "crf", "step-regression"]
    assert own[1]["scheme"] == "BIO"
    assert [part["weight"] for part in task.objective["parts"]] == [1, 1, 0.25]
    assert not task.can_be_cut
    assert task_of(STEPS, input="tokens", target=["tags", "spans"]).can_be_cut


def test_a_single_target_is_what_it_was() -> None:
    assert type(task_of(ROWS, input="text", target="label")) is PredictionTask
    assert type(task_of(ROWS, input="text", target=["label"])) is PredictionTask


def test_columns_of_numbers_are_several_targets_unless_a_kind_takes_them_together() -> None:
    rows = {**ROWS, "price": [1.5 * n for n in range(N)]}
    each = task_of(rows, input="text", target=["stars", "price"])
    assert isinstance(each, JointTask)
    together = task_of(rows, input="text", target=["stars", "price"], target_kind="number")
    assert together.sentence == "input: words; target: 2 numbers → many-to-one"


def test_a_kind_that_reads_one_column_is_that_of_each() -> None:
    rows = {**ROWS, "mood": ["up", "down"] * 20}
    task = task_of(rows, input="text", target=["label", "mood"], target_kind="labels")
    assert [part.target.kind for part in task.parts] == ["labels", "labels"]


@pytest.mark.parametrize("targets", [["label"], ["label", "stars"]])
def test_a_column_may_have_a_kind_of_its_own(targets: list[str]) -> None:
    task = task_of(ROWS, input="text", target=targets, columns={"label": {"kind": "labels"}})
    feature = task.target.feature_of("label")
    assert feature.kind == "labels"


def test_the_values_after_a_window_stay_numbers_together() -> None:
    rows = {"a": [float(n % 5) for n in range(60)], "b": [float(n % 7) for n in range(60)]}
    data = DataSpec(target=["a", "b"], window=4)
    train = layout_of(data).parts(1, rows).train
    task = find_task(data, NetworkSpec(), train)
    assert task.sentence == "input: 2 numbers a step; target: 2 numbers → many-to-one"


def missing(columns: dict[str, list[Any]], **rows: list[int]) -> dict[str, list[Any]]:
    columns = {name: list(values) for name, values in columns.items()}
    for name, places in rows.items():
        for place in places:
            columns[name][place] = None
    return columns


def test_a_row_that_lacks_a_target_is_said_and_left_out_of_what_is_learned() -> None:
    rows = missing(ROWS, label=[0, 1, 2], stars=[5])
    task = task_of(rows, input="text", target=["label", "stars"])
    assert (
        "label: missing in 3 of 40 training rows, which train the other targets only." in task.notes
    )
    assert (
        "stars: missing in 1 of 40 training rows, which trains the other targets only."
        in task.notes
    )
    known = [value for value in rows["stars"] if value is not None]
    assert task.target.targets["stars"].scaling.mean.tolist() == [np.mean(known)]
    assert sum(task.target.targets["label"].counts) == 37
    encoded = task.examples(Table.from_columns(rows, origin="rows")).targets
    assert encoded[0].isnan().tolist() == [True, False]
    assert encoded[5].isnan().tolist() == [False, True]


def test_a_row_of_steps_that_lacks_all_targets_is_refused_with_its_place() -> None:
    columns = missing(STEPS, tags=[4], sizes=[4])
    task = task_of(columns, input="tokens", target=["tags", "sizes"])
    with pytest.raises(DataError, match="rows, row 4: tokens has 3 steps and tags, sizes has 0"):
        task.examples(Table.from_columns(columns, origin="rows"))


def test_a_row_with_other_steps_in_one_target_is_refused_with_its_place() -> None:
    columns = {**STEPS, "spans": [*SPANS[:7], ["O"], *SPANS[8:]]}
    with pytest.raises(DataError, match="rows, row 7: tokens has 3 steps and spans has 1"):
        task_of(columns, input="tokens", target=["tags", "spans"])


def test_class_weights_and_smoothing_go_to_the_targets_they_mean_something_to() -> None:
    network = {"label_smoothing": 0.1, "class_weights": "balanced"}
    rows = missing({**ROWS, "label": ["good"] * 30 + ["bad"] * 10}, label=[0, 1])
    task = task_of(rows, network, input="text", target=["label", "stars"])
    label, stars = (part["objective"] for part in task.objective["parts"])
    assert label["label_smoothing"] == 0.1
    assert label["class_weights"] == pytest.approx([38 / 20, 38 / 56])
    assert "label_smoothing" not in stars


STARS = [1.5 * n for n in range(N)]


@pytest.mark.parametrize(
    ("columns", "targets", "network", "data", "error", "words"),
    [
        (
            STEPS,
            ["label", "tags", "sizes"],
            {},
            {"input": "tokens"},
            ExperimentError,
            "label has one answer a row, and tags and sizes one a step; one network gives either. "
            "Train two models: one with --target label, one with --target tags --target sizes.",
        ),
        (
            {**ROWS, "summary": [f"it is a film with the number {n}" for n in range(N)]},
            ["label", "summary"],
            {},
            {},
            ExperimentError,
            "several targets have one answer a row, or one a step of the input, and summary (byte "
            "pairs) is written in steps of its own. Train two models: one with --target summary, "
            "one with --target label.",
        ),
        (
            STEPS,
            ["tags", "spans"],
            {"objectives": {"spans": "ctc"}},
            {"input": "tokens"},
            ExperimentError,
            "spans (one of 3 tags a step) is written in steps of its own",
        ),
        (
            ROWS,
            ["label", "stars"],
            {"objective": "classification"},
            {},
            ExperimentError,
            "network.objective = 'classification' does not say which target it is for; say "
            "--set objectives.label=classification",
        ),
        (
            ROWS,
            ["label", "stars"],
            {"objectives": {"stars": "labelling"}},
            {},
            ExperimentError,
            "target stars: network.objective = 'labelling' does not suit the target",
        ),
        (
            ROWS,
            ["label", "stars"],
            {"loss_weights": {"star": 2.0}},
            {},
            ExperimentError,
            "unknown target 'star'; did you mean 'stars'?",
        ),
        (
            ROWS,
            ["label"],
            {"loss_weights": {"label": 2.0}},
            {},
            ExperimentError,
            "network.loss_weights is for several targets, each with its own answers, and there is "
            "one here; leave it out.",
        ),
        (
            ROWS,
            ["label"],
            {"objectives": {"label": "classification"}},
            {},
            ExperimentError,
            "leave it out, or set network.objective.",
        ),
        (
            {**ROWS, "price": STARS},
            ["stars", "price"],
            {"label_smoothing": 0.1},
            {},
            ExperimentError,
            "network.label_smoothing has no meaning for the objectives regression, regression",
        ),
        (
            ROWS,
            ["label", "label"],
            {},
            {},
            ExperimentError,
            "'label' is named twice as a target; name it once.",
        ),
        (
            ROWS,
            ["label", "stars"],
            {},
            {"target_options": {"scale": "log"}},
            OptionError,
            "target label: unknown category option 'scale'",
        ),
    ],
)
def test_what_cannot_be_predicted_together_is_refused_in_words(
    columns: dict[str, list[Any]],
    targets: list[str],
    network: dict[str, Any],
    data: dict[str, Any],
    error: type[ElmanError],
    words: str,
) -> None:
    with pytest.raises(error) as raised:
        task_of(columns, network, **{"input": "text", "target": targets} | data)
    assert words in str(raised.value)


def test_it_comes_back_from_json_the_same() -> None:
    task = task_of(ROWS, input="text", target=["label", "stars"])
    again = task_from_json(task.to_json())
    assert isinstance(again, JointTask)
    assert again.to_json() == task.to_json()
    assert again.parts[1].target.kind == "number"


def complete(experiment: Experiment, task: Task) -> Experiment:
    return completed(experiment, task, Table.from_columns(ROWS, origin="rows"))


def test_kinds_are_written_down_a_column_each_and_weights_selected_by_the_loss() -> None:
    data = {"input": ["text"], "target": ["label", "topics"]}
    own = {"topics": {"kind": "labels"}, "text": {"kind": "text"}}
    task = task_of(ROWS, **data, columns=own)
    asked = Experiment.from_values({"data": {**data, "columns": own}}, origin="asked")
    experiment = complete(asked, task)
    assert experiment.data.columns == {
        "text": {"kind": "text"},
        "label": {"kind": "category", "one_hot": False},
        "topics": {"kind": "labels", "multi_hot": False},
    }
    assert experiment.data.target_kind is None
    assert experiment.training.select == "loss"
    again = task_of(ROWS, **data, columns=experiment.data.columns)
    assert again.to_json() == task.to_json()


def test_a_score_that_is_given_may_select_the_weights() -> None:
    task = task_of(ROWS, input="text", target=["label", "topics"])
    values: dict[str, Any] = {"data": {"target": ["label", "topics"]}, "score": "accuracy of label"}
    values["training"] = {"select": "score"}
    experiment = complete(Experiment.from_values(values, origin="asked"), task)
    assert experiment.training.select == "score"


def test_the_first_target_of_classes_has_equal_shares_in_the_parts() -> None:
    rows = {
        "x": [float(n) for n in range(100)],
        "y": [1.5 * n for n in range(100)],
        "rare": ["yes" if n % 10 == 0 else "no" for n in range(100)],
    }
    data = DataSpec(input=["x"], target=["y", "rare"])
    for seed in range(1, 6):
        parts = layout_of(data).parts(seed, rows)
        assert parts.test is not None
        for part in (parts.valid, parts.test):
            assert list(part.column("rare")).count("yes") == 1


def test_numbers_written_as_text_are_read_by_the_kind_of_their_column() -> None:
    rows = {"x": [1.5, 2.5] * 20, "code": ["1", "2"] * 20, "cost": ["1", "2"] * 20}
    kinds = {"code": {"kind": "category"}, "cost": {"kind": "number"}}
    data = DataSpec(input=["x"], target=["code", "cost"], columns=kinds)
    table, numeric = layout_of(data).read_numbers(Table.from_columns(rows, origin="rows"))
    assert "cost" in numeric.columns
    assert "code" not in numeric.columns
    task: Any = find_task(data, NetworkSpec(), table)
    assert task.target.targets["code"].names == ("1", "2")
    assert layout_of(data).numeric(task).columns == numeric.columns
