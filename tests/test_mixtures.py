"""Tables of any columns: trained, saved, loaded, resumed; padding and order change nothing.

Hypothesis draws which columns there are, what is asked of them and how they are read. What the
cells hold follows from a seed.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from battery import assert_near
from columns import poisoned
from elman.batches.inputs import PartsInput
from elman.cells import CELLS
from elman.data.table import Table
from elman.experiment import Experiment
from elman.features.feature import Encodings
from elman.models.model import Model
from elman.networks.one_to_many import CONDITIONINGS
from elman.networks.pooling import POOLINGS
from elman.runs.run import TrainedRun, run_experiment
from elman.tasks.task import Task
from elman.training.progress import NoProgress

ROWS = 24
WORDS = ["stone", "river", "cloud", "ember", "frost", "grove", "haven", "inlet", "and", "the"]
ALIGNED = ("tokens", "pos", "fast")
"""Columns with the same steps in every row."""
SEQUENCES = ("text", "other", "slow", *ALIGNED)
BESIDE = ("number", "category", "labels", "picture")
KINDS = {
    "text": "text:word",
    "other": "text:word",
    "slow": "series",
    "tokens": "symbols",
    "pos": "symbols",
    "fast": "series",
    "number": "number",
    "category": "category",
    "labels": "labels",
    "picture": "image",
}
TARGETS = {
    "class": "category",
    "amount": "number",
    "set": "labels",
    "tags": "symbols",
    "steps": "series",
    "written": "text:char",
}
PER_STEP = ("tags", "steps")


class Mixture(NamedTuple):
    """A table, and what is asked of it."""

    columns: tuple[str, ...]
    """Names of the columns that are read."""
    target: str
    missing: tuple[str, ...]
    """Columns of which some cells are missing."""
    side_by_side: bool
    said: bool
    """Whether the kind of every column is said."""
    network: dict[str, Any]
    seed: int

    @property
    def sequences(self) -> list[tuple[str, ...]]:
        """The sequences, each of one column or of several with the same steps."""
        aligned = tuple(name for name in self.columns if name in ALIGNED)
        alone = [(name,) for name in self.columns if name in SEQUENCES and name not in ALIGNED]
        together = [aligned] if self.side_by_side else [(name,) for name in aligned]
        return [group for group in (*alone, *together) if group]

    @property
    def table(self) -> dict[str, list[Any]]:
        """The cells of all columns and of the target."""
        draw = random.Random(self.seed)
        rows = [_row(draw) for _ in range(ROWS)]
        table = {name: [row[name] for row in rows] for name in (*self.columns, self.target)}
        if self.target == "class":  # both classes are in every part
            table["class"] = [("good", "bad")[n % 2] for n in range(ROWS)]
        for name in self.missing:
            for row in range(3, ROWS):
                if draw.random() < 0.3:
                    table[name][row] = None
        return table

    @property
    def experiment(self) -> Experiment:
        said = set(self.columns) if self.said else {"labels"} & set(self.columns)
        data = {
            "input": list(self.columns),
            "target": [self.target],
            "target_kind": TARGETS[self.target].partition(":")[0],
            "columns": {name: {"kind": KINDS[name]} for name in sorted(said)},
            "side_by_side": self.side_by_side,
        }
        if self.target == "written":
            data["target_options"] = {"level": "character"}
        training = {"epochs": 2, "batch_size": 5, "accelerator": "cpu"}
        values = {"data": data, "network": self.network, "training": training}
        if self.target == "written":
            values |= {"decoding": {"max_length": 6}, **_decoder(self)}
        return Experiment.from_values(values, origin="the test")


def _decoder(mixture: Mixture) -> dict[str, Any]:
    """Draw how a one-to-many network reads what it writes of."""
    if mixture.sequences:
        return {}
    return {"decoder": {"conditioning": CONDITIONINGS[mixture.seed % len(CONDITIONINGS)]}}


def _row(draw: random.Random) -> dict[str, Any]:
    """Draw the cells of a row."""
    steps = draw.randint(1, 6)
    tokens = draw.choices(WORDS, k=steps)
    return {
        "text": " ".join(draw.choices(WORDS, k=draw.randint(4, 9))),
        "other": " ".join(draw.choices(WORDS, k=draw.randint(4, 6))),
        "slow": [draw.gauss(0, 1) for _ in range(draw.randint(1, 4))],
        "tokens": tokens,
        "pos": [draw.choice("NVA") for _ in tokens],
        "fast": [draw.gauss(3, 2) for _ in tokens],
        "number": draw.gauss(10, 4),
        "category": draw.choice(["red", "blue", "green"]),
        "labels": draw.sample(["sea", "war", "art"], draw.randint(0, 3)),
        "picture": np.array(draw.choices(range(256), k=75), np.uint8).reshape(5, 5, 3),
        "class": "",
        "amount": draw.random(),
        "set": draw.sample(["up", "down"], draw.randint(0, 2)),
        "tags": ["X" if token < "grove" else "O" for token in tokens],
        "steps": [draw.random() for _ in tokens],
        "written": "".join(draw.choices("abc ", k=draw.randint(1, 4))).strip() or "a",
    }


@st.composite
def mixtures(draw: st.DrawFn) -> Mixture:
    """Draw columns, a target that suits them, and the options of a network that reads them."""
    target = draw(st.sampled_from(sorted(TARGETS)))
    others = st.lists(
        st.sampled_from((*SEQUENCES, *BESIDE[:3])), min_size=2, max_size=4, unique=True
    )
    columns = draw(others)
    if draw(st.integers(0, 5)) == 0:
        columns.append("picture")
    if target in PER_STEP:
        columns = ["tokens", *(name for name in columns if name != "tokens")]
        if len(columns) == 1:
            columns.append("category")
    missing = draw(st.lists(st.sampled_from(columns), max_size=3, unique=True))
    missing = [name for name in missing if name != "tokens" or target not in PER_STEP]
    mixture = Mixture(
        tuple(columns),
        target,
        tuple(missing),
        draw(st.booleans()),
        draw(st.booleans()),
        {},
        draw(st.integers(0, 999)),
    )
    return mixture._replace(network=draw(networks(mixture)))


@st.composite
def networks(draw: st.DrawFn, mixture: Mixture) -> dict[str, Any]:
    """Draw the options of a network that have a meaning for a mixture."""
    if not mixture.sequences and mixture.target != "written":
        return {"head": [5], "hidden_size": 3, "picture_size": 5}
    options = {"hidden_size": 4, "embedding_size": 3, "picture_size": 5, "output_dropout": 0.2}
    options |= {"cell": draw(st.sampled_from(sorted(CELLS))), "num_layers": draw(st.integers(1, 2))}
    if not mixture.sequences:
        return options
    options["bidirectional"] = draw(st.booleans())
    to_one = mixture.target not in (*PER_STEP, "written")
    beside = set(mixture.columns) & set(BESIDE)
    if to_one:
        options["pooling"] = draw(st.sampled_from(POOLINGS))
    if beside or (not to_one and len(mixture.sequences) > 1):
        ways = ["state", "each", *["pooled"] * to_one]
        options["context"] = draw(st.sampled_from(ways))
        options["context_size"] = draw(st.sampled_from([0, 7]))
    if to_one and {"text", "other"} <= set(mixture.columns):
        options["share_encoders"] = draw(st.booleans())
    return options


class Interrupting(NoProgress):
    """Interrupts a run after its first epoch."""

    @contextmanager
    def task(self, *_: Any, **__: Any) -> Iterator[Any]:
        yield self

    def advance(self, *_: Any) -> None:
        raise KeyboardInterrupt

    def within(self, *_: Any) -> None:
        pass


def trained(mixture: Mixture, folder: Path, **options: Any) -> TrainedRun:
    return run_experiment(mixture.experiment, folder, source=mixture.table, page=False, **options)


def assert_same_weights(one: Model, other: Model) -> None:
    ours, theirs = one.network.state_dict(), other.network.state_dict()
    assert ours.keys() == theirs.keys()
    for name, weights in ours.items():
        assert torch.equal(weights, theirs[name]), name


def same(one: Any, other: Any) -> bool:
    """Compare predictions: names, lists, numbers or arrays."""
    return repr(one) == repr(other)


@torch.no_grad()
def outputs_of(
    model: Model, table: Table, batch_size: int, *, poison: bool = False
) -> list[Tensor]:
    """Return the outputs of each row, in the order of the table, without padding."""
    task, network = model.task, model.network
    batches, order = task.input_batches(table, batch_size)
    rows = iter(order)
    found: dict[int, Tensor] = {}
    for batch in batches:
        x = batch.input
        if poison and isinstance(x, PartsInput):
            x = poisoned(x)
        if getattr(network, "writes", False):
            outputs = written(network, x, batch.lengths)
        else:
            outputs, _ = network(x, lengths=batch.lengths)
        for place, steps in enumerate(batch.lengths.tolist()):
            per_step = task.targets != "row" and not getattr(network, "writes", False)
            own = outputs[:steps, place] if per_step else outputs[place]
            found[next(rows)] = own
    return [found[row] for row in range(len(table))]


def written(network: Any, x: Any, lengths: Tensor) -> Tensor:
    """Return the scores of the first three symbols of each row, whatever is chosen, (B, 3, V)."""
    state = network.begin(x, lengths)
    ids, scores = torch.full((len(lengths),), network.objective.boundary), []
    for symbol in (0, 1, 0):
        one, state = network.step(ids, state)
        scores.append(one)
        ids = torch.full_like(ids, symbol)
    return torch.stack(scores, 1)


def assert_same_outputs(actual: list[Tensor], expected: list[Tensor], name: str) -> None:
    for row, (ours, theirs) in enumerate(zip(actual, expected, strict=True)):
        assert_near(ours, theirs, f"{name}, row {row}")


def inputs_of(mixture: Mixture, table: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: list(table[name]) for name in mixture.columns}


def prove(mixture: Mixture, folder: Path) -> None:
    """Train on a mixture, and prove what must hold of any."""
    with pytest.raises(KeyboardInterrupt):
        trained(mixture, folder / "parts", progress=Interrupting())
    run = trained(mixture, folder / "parts")
    model, table = run.model, mixture.table
    assert_read_as_drawn(mixture, model.task)
    whole = trained(mixture, folder / "whole")
    assert_same_weights(whole.model, model)
    assert run.result.scores["valid"] == whole.result.scores["valid"]
    cells = inputs_of(mixture, table)
    predictions = model.predict(cells)
    assert len(predictions) == ROWS
    loaded = Model.load(folder / "parts")
    assert_same_weights(loaded, model)
    assert same(loaded.predict(cells), predictions)
    assert loaded.evaluate(table) == model.evaluate(table)

    rows = Table.from_columns(cells, "rows")
    outputs = outputs_of(model, rows, ROWS)
    assert all(bool(each.isfinite().all()) for each in outputs)
    assert_same_outputs(outputs_of(model, rows, ROWS, poison=True), outputs, "padding")
    assert_same_outputs(outputs_of(model, rows, 1), outputs, "one by one")
    assert_same_outputs(outputs_of(model, rows, 5, poison=True), outputs, "five by five")
    order = random.Random(mixture.seed).sample(range(ROWS), ROWS)
    shuffled = outputs_of(model, rows.select(order), 7)
    assert_same_outputs(shuffled, [outputs[row] for row in order], "another order")


def assert_read_as_drawn(mixture: Mixture, task: Task) -> None:
    """Check that a task reads the columns, and the sequences, that were drawn."""
    assert sorted(task.input_columns) == sorted(mixture.columns)
    encoding: Any = task.input.encoding
    read = len(encoding.sequences) if isinstance(encoding, Encodings) else task.input.has_steps
    assert read == len(mixture.sequences)


@settings(max_examples=3, deadline=None, derandomize=True, database=None)
@example(  # what is read side by side, written for
    Mixture(
        ("tokens", "pos", "number"),
        "written",
        (),
        True,
        False,
        {"hidden_size": 4, "embedding_size": 3, "cell": "gru", "num_layers": 1},
        0,
    )
)
@given(mixture=mixtures())
def test_any_columns_are_trained_saved_loaded_and_resumed_in_any_order(mixture: Mixture) -> None:
    with tempfile.TemporaryDirectory() as folder:
        prove(mixture, Path(folder))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(mixture=mixtures())
def test_many_columns_are_trained_saved_loaded_and_resumed_in_any_order(mixture: Mixture) -> None:
    with tempfile.TemporaryDirectory() as folder:
        prove(mixture, Path(folder))


ALONE = ["text", "tokens", "fast", "number", "category", "labels", "picture"]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("column", ALONE)
@pytest.mark.parametrize("target", ["class", "written"])
def test_one_column_gives_to_the_bit_what_it_gives_by_itself(
    column: str, target: str, tmp_path: Path
) -> None:
    network = {"hidden_size": 4, "picture_size": 5}
    if target == "class" and column in BESIDE:
        network["head"] = [5]
    alone = Mixture((column,), target, (), True, False, network, 7)
    table = alone.table
    plain = alone.experiment.model_copy(
        update={"data": alone.experiment.data.model_copy(update={"columns": {}})}
    )
    if column == "labels":
        kind = {"input_kind": "labels"}
        plain = plain.model_copy(update={"data": plain.data.model_copy(update=kind)})
    kinds = {column: {"kind": KINDS[column].partition(":")[0]}}
    said = alone.experiment.model_copy(
        update={"data": alone.experiment.data.model_copy(update={"columns": kinds})}
    )
    models = [
        run_experiment(experiment, tmp_path / name, source=table, page=False).model
        for name, experiment in (("plain", plain), ("said", said))
    ]
    assert_same_weights(*models)
    assert models[0].task.to_json() == models[1].task.to_json()
    one, other = (model.predict({column: table[column]}) for model in models)
    assert same(one, other)
