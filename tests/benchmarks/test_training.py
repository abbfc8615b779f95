"""The page `training`: the plain models, and what the page says of what was measured."""

from __future__ import annotations

import copy

import torch

import elman
import whole_trainings
from bursts import Timed
from elman.networks.objectives.roll import Roll
from record import Record, Row, Run
from training_torch import Chorales, Drawn, Texts, collate

LENGTHS = (5, 3, 4)


def frames() -> Drawn:
    torch.manual_seed(3)
    rows = [(torch.rand(n, 88).round(), torch.rand(n, 88).round()) for n in LENGTHS]
    return collate(rows)


def test_the_plain_chorales_have_the_loss_of_elmans_network_with_its_weights() -> None:
    torch.manual_seed(1)
    network = elman.ManyToMany(elman.GRU(88, 7), elman.MLP([7, 88]))
    plain, drawn = Chorales(7), frames()
    plain.take(dict(network.named_parameters()))
    outputs, _ = network(drawn.x, lengths=drawn.lengths)
    expected = Roll().loss(outputs, drawn.y, drawn.lengths)
    torch.testing.assert_close(plain.loss(drawn), expected)


def test_rows_that_are_read_forward_have_the_same_loss_packed_and_padded() -> None:
    plain, drawn = Chorales(7), frames()
    padded = copy.deepcopy(plain)
    padded.packs = False
    torch.testing.assert_close(padded.loss(drawn), plain.loss(drawn))


def test_padding_reaches_no_row_of_packed_texts() -> None:
    torch.manual_seed(2)
    model = Texts(11, 5, 3, word_dropout=0.1).eval()
    rows = [(torch.randint(0, 11, (n,)), torch.tensor(n % 3)) for n in LENGTHS]
    together = model(*collate(rows)[::2])
    for row, alone in zip(together, rows, strict=True):
        torch.testing.assert_close(row, model(*collate([alone])[::2])[0])


def test_the_page_says_what_is_met_and_what_is_missed() -> None:
    about = dict.fromkeys(("machine", "kernels", "Keras", "Python", "date"), "some")
    timed = {
        "Elman": Timed(0.01, 0.02, 1.0, 0.01),
        "PyTorch": Timed(0.012, 0.02, 1.2, 0.012),
    }
    facts = {
        "first loss, Elman": 9.2,
        "first loss, PyTorch": 9.2,
        "loss, Elman": 5.25,
        "loss, PyTorch": 5.5,
        "updates": 40,
        "averaged over": 20,
        "share, kernels": 0.3,
        "share, operators": 0.6,
    }
    rows = [
        Row({"what": "encoding"}, {}, {"Elman": 2.0, "PyTorch": 1.0}),
        Row({"what": "training"}, timed, facts),
        Row({"what": "validation"}, timed, {"scores": 0.008}),
    ]
    text = whole_trainings.page(Record([Run("ptb", 1, about, rows)]))
    assert "| ptb | 1 | 100 ± 2% | 83 ± 2% | – | – | 1.20 | – | – | 90% |" in text
    assert "| 1.20 | 1.5 | **missed** by 25% | 30% | 60% | 0% | 90% | met | 1.0 | met |" in text
    assert "| 9.20000 | 9.20000 | 21 … 40 | 5.250 | 5.500 | – | – |" in text


def test_a_run_with_a_wide_spread_has_no_verdict() -> None:
    about = dict.fromkeys(("machine", "kernels", "Keras", "Python", "date"), "some")
    timed = {name: Timed(0.01, 0.6, 1.0, 0.1) for name in ("Elman", "PyTorch")}
    facts = {"first loss, Elman": 1.0, "first loss, PyTorch": 1.0}
    facts |= {"updates": 4, "averaged over": 2, "share, kernels": 0.97}
    rows = [
        Row({"what": "training"}, timed, facts),
        Row({"what": "validation"}, timed, {"scores": 0.001}),
    ]
    text = whole_trainings.page(Record([Run("jsb", 2, about, rows)]))
    assert text.count("disturbed") == 3
    assert "| met |" not in text


def test_a_set_that_could_not_be_measured_is_named_with_the_reason() -> None:
    text = whole_trainings.page(Record([Run("jsb", 2, {}, failure="it ended with code 1")]))
    assert "jsb, 2 threads: it ended with code 1." in text
