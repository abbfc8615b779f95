"""What a network that writes makes of rows: answers, their order, their chances, what was read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

import elman
from elman.errors import OptionError
from elman.evaluation.translation import translation_scores
from elman.experiment.decoder import DecodingSpec
from elman.prediction.likelihood import likelihood
from elman.prediction.written import END, WritingPredictor, decoding_options
from roads import ROADS, WRITTEN_ROADS, Road, untrained

EVERY = pytest.mark.parametrize("road", WRITTEN_ROADS.values(), ids=WRITTEN_ROADS)
ATTENTIVE = WRITTEN_ROADS["a sentence to another"]


@EVERY
def test_answers_come_best_first_and_none_twice(road: Road, tmp_path: Path) -> None:
    model, parts = untrained(road, tmp_path)
    for row in model.write(parts.valid, beam_size=4, n_best=3, max_length=8):
        assert 1 <= len(row) <= 3
        assert len({each.value for each in row}) == len(row)
        finished = [each.score for each in row if each.finished]
        assert finished == sorted(finished, reverse=True)
        assert all(math.isfinite(each.log_probability) for each in row)


@EVERY
def test_the_best_answer_is_what_is_predicted(road: Road, tmp_path: Path) -> None:
    model, parts = untrained(road, tmp_path)
    assert [row[0].value for row in model.write(parts.valid)] == model.predict(parts.valid)


@EVERY
def test_what_is_drawn_follows_from_the_seed_and_not_from_the_rows_beside(
    road: Road, tmp_path: Path
) -> None:
    model, parts = untrained(road, tmp_path)
    drawn = model.write(parts.valid, seed=3, temperature=1.0, max_length=8)
    assert drawn == model.write(parts.valid, seed=3, temperature=1.0, max_length=8)
    ((alone,),) = model.write(parts.valid.select([0]), seed=3, temperature=1.0, max_length=8)
    assert alone.value == drawn[0][0].value
    assert alone.log_probability == pytest.approx(drawn[0][0].log_probability, rel=1e-5)
    assert drawn != model.write(parts.valid, seed=4, temperature=1.0, max_length=8)


@EVERY
def test_the_likelihood_of_the_truth_is_the_mean_over_rows_taken_one_by_one(
    road: Road, tmp_path: Path
) -> None:
    model, parts = untrained(road, tmp_path)
    nats = symbols = 0.0
    network, task = model.network.double(), model.task
    for x, y in zip(
        parts.valid.values(task.input_columns),
        parts.valid.values(task.target_columns),
        strict=True,
    ):
        encoded, ids = task.input.encode(x), task.target.encode(y)
        if encoded.is_floating_point():
            encoded = encoded.double()
        batch = encoded.unsqueeze(1 if task.input.has_steps else 0)
        length = torch.tensor([len(encoded) if task.input.has_steps else 1])
        with torch.no_grad():
            outputs = network(batch, lengths=length, target=ids.unsqueeze(1))[0]
        log_p = outputs[:, 0].log_softmax(-1)
        written = [*ids.tolist(), log_p.size(1) - 1]
        nats -= sum(float(log_p[t, symbol]) for t, symbol in enumerate(written))
        symbols += len(written)
    network.float()
    assert likelihood(task, network, parts.valid, 3)[2] == pytest.approx(nats / symbols, rel=1e-4)


def test_attention_sums_to_one_over_what_was_read_for_each_symbol_and_the_end(
    tmp_path: Path,
) -> None:
    model, parts = untrained(ATTENTIVE, tmp_path)
    sources = list(parts.valid.values(model.task.input_columns))
    for source, seen in zip(sources, model.attention(parts.valid, max_length=7), strict=True):
        assert "".join(seen.source).replace(" ", "") == source.replace(" ", "")
        assert seen.written[-1] == END
        assert seen.weights.shape == (len(seen.written), len(seen.source))
        torch.testing.assert_close(seen.weights.sum(1), torch.ones(len(seen.written)))


def test_a_model_without_attention_says_so(tmp_path: Path) -> None:
    model, parts = untrained(ATTENTIVE, tmp_path, **{"decoder.attention": "none"})
    with pytest.raises(OptionError, match=r"train one with decoder\.attention"):
        model.attention(parts.valid)


def test_a_model_that_answers_classes_does_not_write(tmp_path: Path) -> None:
    model, parts = untrained(ROADS["text to a class"], tmp_path)
    assert not isinstance(model.predictor, WritingPredictor)
    with pytest.raises(OptionError, match="this model writes no sequences: its task is input: w"):
        model.write(parts.valid)


@pytest.mark.parametrize("asked", [{"seed": 1}, {"temperature": 0.5}])
def test_a_seed_goes_with_a_temperature(asked: dict[str, Any], tmp_path: Path) -> None:
    model, parts = untrained(ATTENTIVE, tmp_path)
    with pytest.raises(OptionError, match="give both, or neither for the most likely output"):
        model.write(parts.valid, **asked)


def test_several_captions_of_one_picture_are_its_references(tmp_path: Path) -> None:
    model, parts = untrained(WRITTEN_ROADS["a picture to its caption"], tmp_path)
    found = model.scores(parts.train)
    pictures = list(dict.fromkeys(parts.train.column("picture")))
    assert found.count == len(pictures) < len(parts.train)
    said = {picture: [] for picture in pictures}  # type: dict[str, list[str]]
    for picture, caption in zip(
        parts.train.column("picture"), parts.train.column("caption"), strict=True
    ):
        said[picture].append(caption)
    answers = model.predict(pictures)
    expected = translation_scores(list(said.values()), answers).values
    assert found.values["bleu_4"] == pytest.approx(expected["bleu"])
    assert found.values["chrf"] == pytest.approx(expected["chrf"])


def test_targets_longer_than_any_answer_may_be_are_told_of(tmp_path: Path) -> None:
    model, parts = untrained(WRITTEN_ROADS["letters to letters"], tmp_path)
    lengths = [len(word) for word in parts.train.column("word")]

    def notes_at(most: int) -> list[str]:
        experiment = model.experiment.override({"decoding.max_length": most})
        return model.task.notes_of_settings(experiment, parts.train)

    (note,) = notes_at(4)
    longer = sum(length > 4 for length in lengths)
    assert note.startswith(f"{longer} of {len(lengths)} training targets have more than")
    assert note.endswith("where decoding stops; the longest has 6.")
    assert notes_at(6) == []
    assert model.experiment.decoding.max_length == 9  # half as many again


def test_an_experiment_says_how_answers_are_searched_for() -> None:
    spec = DecodingSpec(beam_size=3, max_length=7, length_penalty=0.5)
    options = decoding_options(spec, n_best=2)
    assert (options.beam_size, options.n_best, options.max_length) == (3, 2, 7)
    assert options.length_penalty == 0.5


def test_a_source_and_a_seed_draw_one_answer(tmp_path: Path) -> None:
    model, _ = untrained(WRITTEN_ROADS["a language to names"], tmp_path)
    assert isinstance(model, elman.Model)
    drawn = model.generate(5, 2, prime="Irish", temperature=0.7)
    assert drawn == model.write(["Irish"], seed=2, temperature=0.7, max_length=5)[0][0].value
    with pytest.raises(OptionError, match="this model writes for a value of language: give one as"):
        model.generate(5, 2)
