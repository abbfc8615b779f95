"""The conditional random field against every sequence of tags there is."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

from battery import assert_near, draw
from elman.errors import DataError, OptionError
from elman.networks.objectives import CRF
from elman.networks.objectives.schemes import SCHEMES, allowed_by, find_scheme

T, B, N = 5, 4, 3
LENGTHS = torch.tensor([5, 1, 0, 3])
BIO = ["O", "B-X", "I-X", "B-Y", "I-Y"]
BIOES = ["O", "B-X", "I-X", "E-X", "S-X", "S-Y"]


def drawn(size: int, **options: object) -> CRF:
    crf = CRF(size, **options).double()  # type: ignore[arg-type]
    with torch.no_grad():
        for weight in crf.parameters():
            weight.normal_()
    return crf


def score(crf: CRF, outputs: Tensor, tags: tuple[int, ...]) -> Tensor:
    """Score one row by the equation, (T, n) and T tags."""
    total = crf.first[tags[0]] + crf.last[tags[-1]]
    for t, tag in enumerate(tags):
        total = total + outputs[t, tag]
        if t:
            total = total + crf.transitions[tags[t - 1], tag]
    return total


@pytest.mark.parametrize("row", [0, 1, 3])
def test_the_partition_sums_over_every_sequence(row: int) -> None:
    crf, outputs = drawn(N), draw(T, B, N)
    length = int(LENGTHS[row])
    scores = [score(crf, outputs[:, row], tags) for tags in product(range(N), repeat=length)]
    expected = torch.stack(scores).logsumexp(0)
    assert_near(crf.log_partition(outputs, LENGTHS)[row], expected, "log Z")


def test_a_row_without_steps_has_one_sequence_the_empty_one() -> None:
    crf, outputs = drawn(N), draw(T, B, N)
    assert float(crf.log_partition(outputs, LENGTHS)[2].detach()) == 0
    assert float(crf.scores(outputs, torch.zeros(T, B).long(), LENGTHS)[2].detach()) == 0


def test_the_loss_is_the_negative_log_likelihood_a_step() -> None:
    crf, outputs, target = drawn(N), draw(T, B, N), torch.randint(0, N, (T, B))
    nll = torch.zeros((), dtype=torch.float64)
    for row, length in enumerate(LENGTHS.tolist()):
        if length:
            every = product(range(N), repeat=length)
            scores = torch.stack([score(crf, outputs[:, row], tags) for tags in every])
            truth = score(crf, outputs[:, row], tuple(target[:length, row].tolist()))
            nll = nll + scores.logsumexp(0) - truth
    assert_near(crf.loss(outputs, target, LENGTHS), nll / int(LENGTHS.sum()), "loss")


def test_the_marginals_are_sums_over_the_sequences_that_pass_through() -> None:
    crf, outputs = drawn(N), draw(T, B, N)
    for row, marginals in enumerate(crf.probabilities(outputs, LENGTHS)):
        length = int(LENGTHS[row])
        expected = torch.zeros(length, N, dtype=torch.float64)
        every = list(product(range(N), repeat=length)) if length else []
        if every:
            p = torch.stack([score(crf, outputs[:, row], tags) for tags in every]).softmax(0)
            for tags, share in zip(every, p.detach(), strict=True):
                for t, tag in enumerate(tags):
                    expected[t, tag] += share
        assert_near(marginals, expected, f"row {row}")


@pytest.mark.parametrize("_", range(5))
def test_viterbi_finds_the_best_of_every_sequence(_: int) -> None:
    crf, outputs = drawn(N), draw(T, B, N, scale=2)
    for row, answer in enumerate(crf.answers(outputs, LENGTHS)):
        length = int(LENGTHS[row])
        if length:
            every = list(product(range(N), repeat=length))
            scores = torch.stack([score(crf, outputs[:, row], tags) for tags in every])
            assert answer.tolist() == list(every[int(scores.argmax())])
        else:
            assert answer.tolist() == []


def test_it_begins_as_independent_steps() -> None:
    crf, outputs = CRF(N).double(), draw(T, 1, N)
    (marginals,) = crf.probabilities(outputs, torch.tensor([T]))
    assert_near(marginals, outputs[:, 0].softmax(-1), "marginals")


def test_marginals_need_no_gradients_around_them() -> None:
    crf, outputs = drawn(N), draw(T, B, N)
    expected = crf.probabilities(outputs, LENGTHS)
    with torch.no_grad():
        assert all(map(torch.equal, crf.probabilities(outputs, LENGTHS), expected))
    with torch.inference_mode():
        inside = crf.probabilities(outputs * 1, LENGTHS)
    assert all(map(torch.equal, inside, expected))


def test_lower_precision_is_summed_in_that_of_the_transitions() -> None:
    crf, outputs = CRF(N), draw(T, B, N, dtype=torch.bfloat16)
    target = torch.randint(0, N, (T, B))
    loss = crf.loss(outputs, target, LENGTHS)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, crf.loss(outputs.float(), target, LENGTHS))


@pytest.mark.parametrize(("scheme", "names"), [("BIO", BIO), ("IOB2", BIO), ("BIOES", BIOES)])
def test_a_constrained_field_sums_over_well_formed_sequences_alone(
    scheme: str, names: list[str]
) -> None:
    crf, outputs = drawn(len(names), names=names, scheme=scheme), draw(4, 1, len(names))
    length = torch.tensor([4])
    every = list(product(range(len(names)), repeat=4))
    fine = [tags for tags in every if spans_of([names[tag] for tag in tags], scheme) is not None]
    assert 0 < len(fine) < len(every)
    scores = torch.stack([score(crf, outputs[:, 0], tags) for tags in fine])
    assert_near(crf.log_partition(outputs, length)[0], scores.logsumexp(0), "log Z")
    (answer,) = crf.answers(outputs, length)
    assert answer.tolist() == list(fine[int(scores.argmax())])
    (marginals,) = crf.probabilities(outputs, length)
    p = scores.softmax(0).detach()
    last = torch.zeros(len(names), dtype=torch.float64)
    for tags, share in zip(fine, p, strict=True):
        last[tags[-1]] += share
    assert_near(marginals[-1], last, "marginals")


def spans_of(names: list[str], scheme: str) -> list[str] | None:
    """Take well-formed tags apart span by span, as a person reads them; None for others."""
    spans, i = [], 0
    while i < len(names):
        if names[i] == "O":
            i += 1
            continue
        letter, kind = names[i].split("-")
        if letter == "S" and scheme == "BIOES":
            spans.append(kind)
            i += 1
            continue
        if letter != "B":
            return None
        i += 1
        while i < len(names) and names[i] == f"I-{kind}":
            i += 1
        if scheme == "BIOES":
            if i == len(names) or names[i] != f"E-{kind}":
                return None
            i += 1
        spans.append(kind)
    return spans


@pytest.mark.parametrize(("scheme", "names"), [("BIO", BIO), ("BIOES", BIOES)])
@pytest.mark.parametrize("scale", [1, 1000])
def test_a_constrained_field_never_answers_an_ill_formed_sequence(
    scheme: str, names: list[str], scale: float
) -> None:
    crf = drawn(len(names), names=names, scheme=scheme)
    lengths = torch.randint(0, 9, (200,))
    outputs = draw(8, 200, len(names), scale=scale)
    for answer in crf.answers(outputs, lengths):
        assert spans_of([names[tag] for tag in answer.tolist()], scheme) is not None


def test_a_constrained_loss_has_finite_gradients() -> None:
    crf = drawn(5, names=BIO, scheme="BIO")
    target = torch.tensor([[1, 0], [2, 3], [0, 4]])
    outputs = draw(3, 2, 5).requires_grad_()
    loss = crf.loss(outputs, target, torch.tensor([3, 3]))
    for gradient in torch.autograd.grad(loss, [outputs, *crf.parameters()]):
        assert bool(gradient.isfinite().all())
        assert bool((gradient != 0).any())


@pytest.mark.parametrize(
    ("tags", "said"),
    [([2, 0, 0], "I-X O O"), ([0, 1, 4], "O B-X I-Y"), ([0, 0, 2], "O O I-X")],
)
def test_tags_that_the_scheme_forbids_are_refused(tags: list[int], said: str) -> None:
    crf = CRF(5, names=BIO, scheme="BIO")
    target = torch.tensor([[0, 0, 0], tags]).t()
    words = rf"the tags of row 1 of the batch do not follow scheme BIO: {said}\. Correct them"
    with pytest.raises(DataError, match=words):
        crf.loss(torch.zeros(3, 2, 5), target, torch.tensor([3, 3]))
    crf.loss(torch.zeros(3, 2, 5), target, torch.tensor([3, 0]))


def test_a_span_must_end_in_bioes() -> None:
    crf = CRF(6, names=BIOES, scheme="BIOES")
    with pytest.raises(DataError, match="do not follow scheme BIOES: O B-X"):
        crf.loss(torch.zeros(2, 1, 6), torch.tensor([[0], [1]]), torch.tensor([2]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scheme": "BIO"}, "scheme='BIO' needs the names of the tags; give names"),
        ({"names": ["O"]}, "names must be one per tag, 3; got 1"),
        ({"names": ["O", "B-X", "I-X"], "scheme": "BOI"}, "unknown tag scheme 'BOI'; did you mean"),
        (
            {"names": ["O", "B-X", "NOUN"], "scheme": "BIO"},
            "scheme='BIO' has tags that begin with O, B, I; got 'NOUN'",
        ),
        (
            {"names": ["B-X", "I-X", "E-X"], "scheme": "BIOES"},
            "scheme='BIOES' needs a tag that is valid by itself, O or S-…; got B-X, I-X, E-X",
        ),
    ],
)
def test_a_scheme_that_does_not_fit_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        CRF(3, **options)  # type: ignore[arg-type]


def test_bilou_and_bmes_are_bioes_in_other_letters() -> None:
    bioes = allowed_by("BIOES", ["O", "B-X", "I-X", "E-X", "S-X"])
    for names in (["O", "B-X", "I-X", "L-X", "U-X"], ["O", "B-X", "M-X", "E-X", "S-X"]):
        assert all(map(torch.equal, allowed_by("BIOES", names), bioes))


def test_spans_without_types_have_one_type() -> None:
    assert allowed_by("BIO", ["O", "B", "I"]).next.tolist() == [
        [True, True, False],
        [True, True, True],
        [True, True, True],
    ]


@pytest.mark.parametrize(
    ("names", "scheme"),
    [
        (BIO, "BIO"),
        (BIOES, "BIOES"),
        (["NOUN", "VERB"], None),
        (["O"], None),
        (["B-X", "B-Y"], "BIO"),
        (["O", "Bx"], None),
    ],
)
def test_a_scheme_is_recognised_by_the_names(names: list[str], scheme: str | None) -> None:
    assert find_scheme(names) == scheme
    assert scheme is None or scheme in SCHEMES
