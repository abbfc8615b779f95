"""A model evaluates, composes, and comes back from disk the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import elman
import roads
from elman.data import catalog
from elman.errors import CheckpointError, DataError, OptionError
from elman.experiment import DataSpec, Experiment
from elman.models.model import Model
from elman.networks.build import specified_network
from elman.tasks.layout import layout_of
from elman.training.checkpoint import load_checkpoint, save_checkpoint
from roads import NEXT_CHARACTER, ROADS, WRITTEN_ROADS, Road
from rolls import roll_task

KNOWN = layout_of(DataSpec(name="chorales")).with_known_columns()


def untrained(cell: str = "gru", **overrides: Any) -> Model:
    torch.manual_seed(5)
    experiment = Experiment.from_toml("[data]\nname = 'chorales'\n[network]\nhidden_size = 7\n")
    experiment = experiment.override({"cell": cell} | overrides)
    task = roll_task()
    network = specified_network(experiment.network, task.input.encoding, task.make_objective())
    return Model(experiment.model_copy(update={"data": KNOWN}), task, network)


def random_rolls(*lengths: int) -> list[np.ndarray]:
    random = np.random.default_rng(3)
    return [(random.random((length, 88)) < 0.05).astype(np.uint8) for length in lengths]


def test_evaluation_counts_every_frame_the_first_predicted_from_silence() -> None:
    model = untrained()
    (roll,) = random_rolls(6)
    frames = torch.cat([torch.zeros(1, 88), torch.from_numpy(roll).float()])
    with torch.no_grad():
        logits, _ = model.network(frames[:-1, None])
    chance = torch.sigmoid(logits[:, 0].double())
    likelihood = torch.where(frames[1:] == 1, chance, 1 - chance)
    metrics = model.evaluate([roll])
    assert metrics["frames"] == 6
    assert metrics["nll"] == pytest.approx(float(-likelihood.log().sum() / 6), rel=1e-6)


def test_evaluation_does_not_depend_on_how_pieces_are_batched() -> None:
    pieces = random_rolls(6, 11, 3, 8)
    one, many = (untrained(batch_size=size).evaluate(pieces) for size in (1, 3))
    assert one["frames"] == many["frames"] == 28
    assert one["nll"] == pytest.approx(many["nll"], rel=1e-6)


def test_evaluation_without_pieces_means_the_test_split() -> None:
    model = untrained()
    assert model.evaluate() == model.evaluate(catalog.load("chorales").test)
    assert model.evaluate()["frames"] == 4725


def test_an_unknown_split_is_refused_with_its_near_miss() -> None:
    with pytest.raises(OptionError, match=r"unknown split 'tst'; did you mean 'test'\?"):
        untrained().evaluate("tst")


@pytest.mark.parametrize("cell", ["simple", "gru", "lstm"])
def test_every_composed_frame_is_drawn_given_all_frames_before_it(cell: str) -> None:
    model = untrained(cell)
    composed = model.generate(9, seed=4)
    generator = torch.Generator().manual_seed(4)
    heard = torch.zeros(1, 1, 88)
    for frame in composed:
        with torch.no_grad():
            logits, _ = model.network(heard)
        drawn = torch.bernoulli(torch.sigmoid(logits[-1]), generator=generator)
        assert drawn[0].numpy().astype(np.uint8).tolist() == frame.tolist()
        heard = torch.cat([heard, drawn[None]])


def test_a_primed_composition_goes_on_from_its_prime() -> None:
    model = untrained("lstm")
    whole = model.generate(8, seed=4)
    generator = torch.Generator().manual_seed(6)
    with torch.no_grad():
        heard = torch.cat([torch.zeros(1, 88), torch.from_numpy(whole).float()])
        logits, _ = model.network(heard[:, None])
    expected = torch.bernoulli(torch.sigmoid(logits[-1, 0]), generator=generator)
    assert model.generate(1, seed=6, prime=whole)[0].tolist() == expected.tolist()


def test_the_same_seed_composes_the_same_and_another_seed_something_else() -> None:
    model = untrained()
    first = model.generate(20, seed=1)
    assert first.shape == (20, 88)
    assert first.dtype == np.uint8
    assert np.array_equal(first, model.generate(20, seed=1))
    assert not np.array_equal(first, model.generate(20, seed=2))


def test_a_low_temperature_keeps_to_what_is_likely() -> None:
    model = untrained()
    with torch.no_grad():
        logits, _ = model.network(torch.zeros(1, 1, 88))
    likely = (logits[0, 0] > 0).numpy().astype(np.uint8)
    assert model.generate(1, seed=1, temperature=1e-6)[0].tolist() == likely.tolist()
    assert model.generate(1, seed=1, temperature=50.0)[0].tolist() != likely.tolist()


@pytest.mark.parametrize(
    ("changes", "arguments", "words"),
    [
        ({"bidirectional": True}, {}, "a bidirectional network reads a sequence from its end"),
        ({"delay": 3}, {}, "delay = 3 predicts only after reading 3 more steps"),
        ({}, {"steps": 0}, "steps must be at least 1, got 0."),
        ({}, {"temperature": 0.0}, "temperature must be a positive number, got 0.0."),
        ({}, {"temperature": float("nan")}, "temperature must be a positive number, got nan."),
        ({}, {"seed": -1}, "seed must lie in 0"),
    ],
)
def test_what_cannot_be_composed_is_refused_in_words(
    changes: dict[str, Any], arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=re.escape(words)):
        untrained(**changes).generate(**{"steps": 3, "seed": 1} | arguments)


def test_a_loaded_model_is_the_saved_one_bit_for_bit(tmp_path: Path) -> None:
    model = untrained("lstm", seed=7)
    loaded = elman.load(model.save(tmp_path / "kept"))
    assert loaded.experiment == model.experiment
    for name, weight in model.network.state_dict().items():
        assert torch.equal(weight, loaded.network.state_dict()[name])
    pieces = random_rolls(6, 11)
    assert loaded.evaluate(pieces) == model.evaluate(pieces)
    assert np.array_equal(loaded.generate(9, 1), model.generate(9, 1))
    assert not any(path.suffix in {".pt", ".pkl", ".bin"} for path in tmp_path.rglob("*"))


def edit_description(directory: Path, **changes: Any) -> None:
    path = directory / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_directory_without_a_model_says_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"there is no model in .*: it should hold model\.js"):
        elman.load(tmp_path)


def test_a_directory_of_several_runs_names_them(tmp_path: Path) -> None:
    for cell in ("lstm", "gru"):
        untrained(cell).save(tmp_path / f"{cell}-seed1" / "model")
    with pytest.raises(CheckpointError, match=r"several runs; choose one: gru-seed1, lstm-seed1\."):
        Model.load(tmp_path)


def test_an_unfinished_run_is_said_to_be_unfinished(tmp_path: Path) -> None:
    (tmp_path / "experiment.toml").write_text("")
    with pytest.raises(CheckpointError, match="holds a run that has not finished; resume it"):
        elman.load(tmp_path)


def test_truncated_weights_are_refused(tmp_path: Path) -> None:
    path = untrained().save(tmp_path) / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match="truncated or corrupt"):
        elman.load(tmp_path)


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    (untrained().save(tmp_path) / "weights.safetensors").unlink()
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        elman.load(tmp_path)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    one, other = untrained().save(tmp_path / "1"), untrained("simple").save(tmp_path / "2")
    (other / "weights.safetensors").replace(one / "weights.safetensors")
    with pytest.raises(CheckpointError, match="do not belong together"):
        elman.load(one)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "elman 9"}, "must say \"format\": 'elman 1', got 'elman 9'"),
        ({"experiment": {"network": {}}}, "is not a model's description"),
        ({"task": {"input": {"kind": "text"}}}, "is not a model's description"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    edit_description(untrained().save(tmp_path), **changes)
    with pytest.raises(CheckpointError, match=re.escape(words)):
        elman.load(tmp_path)


def test_a_description_of_another_network_names_the_weight_that_does_not_fit(
    tmp_path: Path,
) -> None:
    model = untrained().save(tmp_path)
    values = json.loads((model / "model.json").read_text())["experiment"]
    values["network"]["hidden_size"] = 8
    edit_description(model, experiment=values)
    with pytest.raises(CheckpointError, match=r"does not fit this network: .* must be"):
        elman.load(tmp_path)


@pytest.mark.parametrize("size", [10**9, 10**18])
def test_sizes_are_compared_with_the_weights_before_memory_is_taken(
    tmp_path: Path, size: int
) -> None:
    model = untrained().save(tmp_path)
    values = json.loads((model / "model.json").read_text())["experiment"]
    values["network"]["hidden_size"] = size
    edit_description(model, experiment=values)
    with pytest.raises(CheckpointError, match=r"must be|no network has the sizes"):
        elman.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda weight: weight.fill_(float("nan")),
            r"has [\d,]+ of [\d,]+ values that are inf",
        ),
        (
            lambda weight: weight.fill_(float("inf")),
            r"has [\d,]+ of [\d,]+ values that are inf",
        ),
        (lambda weight: weight.int(), r"must be torch.float32, got torch.int32"),
    ],
    ids=["nan", "inf", "int32"],
)
def test_weights_that_nothing_is_computed_with_are_named(
    tmp_path: Path, change: Callable[[torch.Tensor], torch.Tensor], words: str
) -> None:
    path = untrained().save(tmp_path) / "weights.safetensors"
    kept = load_checkpoint(path)
    name = next(iter(sorted(kept.tensors)))
    tensors = kept.tensors | {name: change(kept.tensors[name])}
    edit_description(path.parent, weights_checksum=save_checkpoint(path, tensors, kept.facts))
    with pytest.raises(CheckpointError, match=f"'{name}' {words}"):
        elman.load(tmp_path)


ALL = ROADS | WRITTEN_ROADS
EVERY = pytest.mark.parametrize("road", ALL.values(), ids=ALL)


@EVERY
def test_a_model_of_any_kind_comes_back_from_disk_with_the_same_answers(
    road: Road, tmp_path: Path
) -> None:
    model, parts = roads.untrained(road, tmp_path)
    loaded = elman.load(model.save(tmp_path / "kept"))
    assert loaded.experiment == model.experiment
    assert loaded.task.to_json() == model.task.to_json()
    assert str(loaded.predict(parts.valid)) == str(model.predict(parts.valid))
    assert loaded.evaluate(parts.valid) == model.evaluate(parts.valid)


def test_a_model_that_writes_comes_back_from_disk_and_writes_the_same(tmp_path: Path) -> None:
    model, _ = roads.untrained(NEXT_CHARACTER, tmp_path)
    loaded = elman.load(model.save(tmp_path / "kept"))
    assert loaded.generate(30, 1) == model.generate(30, 1)
    assert loaded.evaluate("valid") == model.evaluate("valid")


@pytest.mark.sampled(2)
@EVERY
def test_a_part_by_name_is_the_part_of_training_and_a_file_is_read_alike(
    road: Road, tmp_path: Path
) -> None:
    model, parts = roads.untrained(road, tmp_path)
    assert model.evaluate("valid")[model.scores("valid").unit] == model.scores("valid").count
    measured = model.scores(parts.valid).values
    assert measured.items() <= model.scores("valid").values.items()
    (path,) = [path for path in tmp_path.iterdir() if path.is_file()]
    whole = model.scores(str(path))
    counts = [model.scores(part).count for part in ("train", "valid", "test")]
    if road.write is not roads.temperatures:  # some windows lie in no part
        assert whole.count == sum(counts)


def test_values_files_columns_and_rows_get_the_same_answers(tmp_path: Path) -> None:
    model, _ = roads.untrained(ROADS["text to a class"], tmp_path)
    texts = ["a fine film", "dull", "loud loud loud"]
    path = tmp_path / "new.csv"
    path.write_text("\n".join(["text", *texts]), encoding="utf-8")
    expected = model.predict(texts)
    rows = [{"text": text} for text in texts]
    for given in (tuple(texts), np.array(texts), str(path), path, {"text": texts}, rows):
        assert model.predict(given) == expected
    assert [model.predict([text])[0] for text in texts] == expected


def test_numbers_over_time_are_taken_as_lists_and_as_arrays(tmp_path: Path) -> None:
    model, _ = roads.untrained(ROADS["a series to a class"], tmp_path)
    rows = [[0.0, 1.0, 2.5], [3.0, 1.0]]
    expected = model.predict(rows)
    assert model.predict([np.array(row) for row in rows]) == expected
    assert len(expected) == 2


def test_probabilities_come_beside_the_answers_or_are_refused(tmp_path: Path) -> None:
    model, _ = roads.untrained(ROADS["text to a class"], tmp_path)
    answers, likely = model.predict(["a fine film", "dull"], probabilities=True)
    names = getattr(model.task.target, "names")  # noqa: B009
    assert answers == [names[int(chances.argmax())] for chances in likely]
    model, parts = roads.untrained(ROADS["measurements to a number"], tmp_path)
    with pytest.raises(OptionError, match="the objective 'regression' gives no probabilities; lea"):
        model.predict(parts.valid, probabilities=True)


def test_a_column_that_is_missing_is_named(tmp_path: Path) -> None:
    model, _ = roads.untrained(ROADS["measurements to a class"], tmp_path)
    with pytest.raises(DataError, match=r"unknown column 'length'; did you mean 'lenght'\?"):
        model.predict({"lenght": [1.0], "width": [2.0], "colour": ["red"]})


def test_a_folder_is_measured_on_like_its_files(tmp_path: Path) -> None:
    model, _ = roads.untrained(ROADS["text to a class"], tmp_path)
    folder = tmp_path / "more"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_bytes((tmp_path / "reviews.csv").read_bytes())
    assert model.evaluate(str(folder))["rows"] == 120


def test_a_part_that_was_not_kept_is_said_to_be_missing(tmp_path: Path) -> None:
    model, _ = roads.untrained(ROADS["text to a class"], tmp_path, test_fraction=0.0)
    with pytest.raises(OptionError, match=r"there are no test rows: data\.test_fraction is 0"):
        model.evaluate("test")


def test_sequences_to_predict_are_read_as_those_of_training(tmp_path: Path) -> None:
    model, _ = roads.untrained(ROADS["a long table to a class"], tmp_path)
    path = tmp_path / "one.csv"
    path.write_text("walker,step,speed,pulse\na,2,3.0,60\na,1,3.0,60\n", encoding="utf-8")
    (answer,) = model.predict(str(path))
    assert answer in {"slow", "fast"}
    labelled = "walker,step,speed,pulse,pace\na,1,3.0,60,slow\na,2,3.0,60,slow\n"
    path.write_text(labelled, encoding="utf-8")
    assert model.evaluate(str(path))["rows"] == 1
