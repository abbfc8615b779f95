"""The gradient flow of trained networks, every direction and pooling, against autograd."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import elman
from elman.batches.batching import Batch
from elman.errors import OptionError
from elman.features.feature import Encoding
from elman.inspection.gradient_flow import gradient_flow
from elman.inspection.model_flow import LONGEST, model_gradient_flow
from elman.networks import build_network
from elman.networks.decoder import DecoderState
from elman.networks.objectives.classification import Classification
from elman.networks.objectives.conditional_language_model import ConditionalLanguageModel
from elman.networks.objectives.crf import CRF
from elman.networks.objectives.ctc import CTC
from elman.networks.objectives.regression import StepRegression
from elman.networks.objectives.tagging import Tagging

T, B, I, H, O = 11, 3, 5, 7, 4  # noqa: E741
LENGTHS = [8, T, 9]
REACH = min(LENGTHS)
CELLS = {"simple": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}


def network(category: str, **options: Any) -> Any:
    torch.manual_seed(3)
    objectives = {"many-to-one": Classification, "many-to-many": Tagging}
    objective = options.pop("objective", None) or objectives[category](O)
    settings = {"cell": "gru", "hidden_size": H} | options
    return build_network(category, Encoding(numbers=I), objective, **settings).eval()


def batch(*, per_step: bool, lengths: list[int] | None = None) -> Batch:
    """Rows of unlike lengths, NaN and a class that is none behind their ends."""
    generator = torch.Generator().manual_seed(5)
    steps = torch.tensor(lengths or LENGTHS)
    x = torch.randn(T, B, I, generator=generator)
    target = torch.randint(O, (T, B) if per_step else (B,), generator=generator)
    for row, end in enumerate(steps.tolist()):
        x[end:, row] = float("nan")
        if per_step:
            target[end:, row] = 99
    return Batch(x, target, steps, per_step=per_step)


def torch_cell(kind: str, recurrent: nn.Module, ending: str) -> Any:
    """Give torch.nn's own cell the weights of one layer and direction."""
    own = {n: v for n, v in recurrent.state_dict().items() if n.endswith(ending)}
    size = own[f"weight_ih{ending}"].size(1)
    cell = CELLS[kind](size, H, dtype=torch.float64)
    cell.load_state_dict({name.removesuffix(ending): value for name, value in own.items()})
    return cell


def run_by_hand(cell: Any, frames: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Run one row; return h of every step as a graph of its own nodes, and c as it is handed on."""
    is_pair = isinstance(cell, nn.LSTMCell)
    h = c = frames.new_zeros(1, H)
    hidden, memory = [], []
    for frame in frames:
        if is_pair:
            h, c = cell(frame[None], (h, c))
            c = c * 1  # what is handed on, apart from what h is made of
            memory.append(c)
        else:
            h = cell(frame[None], h)
        hidden.append(h)
    return hidden, memory


def mean_over_rows(norms: list[Tensor]) -> Tensor:
    return torch.stack([row[:REACH] for row in norms]).log().mean(0).exp()


def norms_by(loss: Tensor, nodes: list[Tensor]) -> Tensor:
    gradients = torch.autograd.grad(loss, nodes, retain_graph=True, materialize_grads=True)
    return torch.stack([gradient.norm() for gradient in gradients])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_many_to_one_equals_autograd_by_hand_in_both_directions(cell: str, pooling: str) -> None:
    ours = network("many-to-one", cell=cell, bidirectional=True, pooling=pooling)
    rows = batch(per_step=False)

    flows = model_gradient_flow(ours, rows)

    twin = copy.deepcopy(ours).double()
    ahead, back = (torch_cell(cell, twin.recurrent, f"_l0{end}") for end in ("", "_reverse"))
    norms: dict[str, list[Tensor]] = {"forward": [], "backward": [], "c": []}
    for row, steps in enumerate(LENGTHS):
        x = rows.input[:steps, row].double()
        forward, memory = run_by_hand(ahead, x)
        backward, _ = run_by_hand(back, x.flip(0))
        both = torch.cat([torch.cat(forward), torch.cat(backward[::-1])], -1)
        pooled = torch.cat([forward[-1], backward[-1]], -1) if pooling == "last" else both.mean(0)
        loss = F.cross_entropy(twin.head(pooled.reshape(1, -1)), rows.target[row : row + 1])
        norms["forward"].append(norms_by(loss, forward).flip(0))
        norms["backward"].append(norms_by(loss, backward).flip(0))
        if memory:
            norms["c"].append(norms_by(loss, memory).flip(0))
    assert list(flows) == ["forward", "backward"]
    for way, flow in flows.items():
        torch.testing.assert_close(flow.hidden, mean_over_rows(norms[way]))
        assert flow.distance.tolist() == list(range(REACH))
        assert flow.rows == B
    memory_flow = flows["forward"].cell
    assert (memory_flow is not None) == (cell == "lstm")
    if memory_flow is not None:
        torch.testing.assert_close(memory_flow, mean_over_rows(norms["c"]))


@pytest.mark.parametrize("attention", ["none", "general"])
@pytest.mark.parametrize(("cell", "both"), [("gru", True), ("lstm", False)])
def test_an_encoder_is_followed_from_all_that_is_written(
    cell: str, both: bool, attention: str
) -> None:
    """An LSTM's bridge hands on c(S) too; two directions are read through a dense layer."""
    ours = network(
        "encoder-decoder",
        objective=ConditionalLanguageModel(O),
        cell=cell,
        bidirectional=both,
        decoder={"attention": attention},
    )
    target = torch.tensor([[0, 3, 1], [2, 1, -1], [2, -1, -1]])
    rows = batch(per_step=False)._replace(target=target)

    flows = model_gradient_flow(ours, rows)

    twin = copy.deepcopy(ours).double()
    ends = ("", "_reverse")[: 1 + both]
    cells = [torch_cell(cell, twin.encoder, f"_l0{end}") for end in ends]
    norms: dict[str, list[Tensor]] = {"forward": [], "backward": [], "c": []}
    for row, steps in enumerate(LENGTHS):
        x = rows.input[:steps, row].double()
        ways = [run_by_hand(each, x.flip(0) if way else x) for way, each in enumerate(cells)]
        hidden = [torch.stack(h[::-1] if way else h) for way, (h, _) in enumerate(ways)]
        values, last = torch.cat(hidden, -1), torch.stack([h[-1] for h, _ in ways])
        memory = None if attention == "none" else twin.decoder.attention.read(values)
        state = (last, ways[0][1][-1][None]) if cell == "lstm" else last
        symbols = [each for each in target[:, row].tolist() if each >= 0]
        outputs, _ = twin.decoder(
            torch.tensor([O, *symbols])[:, None], DecoderState(twin.bridge(state), memory)
        )
        loss = F.cross_entropy(outputs[:, 0], torch.tensor([*symbols, O]))
        for name, (h, c) in zip(flows, ways, strict=True):
            norms[name].append(norms_by(loss, h).flip(0))
            if c:
                norms["c"].append(norms_by(loss, c).flip(0))
    for name, flow in flows.items():
        torch.testing.assert_close(flow.hidden, mean_over_rows(norms[name]))
        if flow.cell is not None:
            torch.testing.assert_close(flow.cell, mean_over_rows(norms["c"]))
            assert flow.cell[0] > 0


@pytest.mark.parametrize("delay", [0, 2])
def test_many_to_many_follows_the_loss_of_the_last_answer_alone(delay: int) -> None:
    ours = network("many-to-many", delay=delay)
    rows = batch(per_step=True)

    flows = model_gradient_flow(ours, rows)

    twin = copy.deepcopy(ours).double()
    cell = torch_cell("gru", twin.recurrent, "_l0")
    norms = []
    for row, steps in enumerate(LENGTHS):
        x = F.pad(rows.input[:steps, row].double(), (0, 0, 0, delay))
        hidden, _ = run_by_hand(cell, x)
        loss = F.cross_entropy(twin.head(hidden[-1]), rows.target[steps - 1, row][None])
        norms.append(norms_by(loss, hidden).flip(0))
    (flow,) = flows.values()
    mean = torch.stack([row[: REACH + delay] for row in norms]).log().mean(0).exp()
    torch.testing.assert_close(flow.hidden, mean)


def test_a_bidirectional_tagger_follows_the_loss_of_its_first_step_backward() -> None:
    ours = network("many-to-many", bidirectional=True)
    rows = batch(per_step=True)

    flow = model_gradient_flow(ours, rows)["backward"]

    twin = copy.deepcopy(ours).double()
    ahead, back = (torch_cell("gru", twin.recurrent, f"_l0{end}") for end in ("", "_reverse"))
    norms = []
    for row, steps in enumerate(LENGTHS):
        x = rows.input[:steps, row].double()
        backward, _ = run_by_hand(back, x.flip(0))
        first = torch.cat([run_by_hand(ahead, x[:1])[0][0], backward[-1]], -1)
        loss = F.cross_entropy(twin.head(first), rows.target[0, row][None])
        norms.append(norms_by(loss, backward).flip(0))
    torch.testing.assert_close(flow.hidden, mean_over_rows(norms))


@pytest.mark.parametrize(
    "options",
    [
        {"num_layers": 2},
        {"cell": "lstm", "zoneout": 0.2, "layer_norm": True},
        {"cell": "lstm", "cell_options": {"proj_size": 3, "peephole": True}},
        {"num_layers": 3, "cell_options": {"residual": True, "learn_initial_state": True}},
        {"cell": "simple", "hidden_size": [6, 5]},
        {"weight_dropout": 0.5},
    ],
)
def test_it_equals_gradient_flow_where_both_can_be_had(options: dict[str, Any]) -> None:
    ours = network("many-to-many", objective=StepRegression(2), **options)
    generator = torch.Generator().manual_seed(7)
    x, target = (torch.randn(T, B, size, generator=generator) for size in (I, 2))
    lengths = torch.full((B,), T)

    (flow,) = model_gradient_flow(ours, Batch(x, target, lengths)).values()

    # The same network without the module that hands its inputs through, and a loss of two numbers.
    plain = elman.ManyToMany(ours.recurrent, ours.head)
    expected = gradient_flow(plain, x, target, lambda y, goal: ((y - goal) ** 2).sum(-1) / 2)
    torch.testing.assert_close(flow.hidden, expected.hidden)
    assert (flow.cell is None) == (expected.cell is None)
    if flow.cell is not None and expected.cell is not None:
        torch.testing.assert_close(flow.cell, expected.cell)


@pytest.mark.parametrize("backend", ["reference", "native", "torch"])
def test_every_backend_gives_the_same_flow(backend: str) -> None:
    rows = batch(per_step=False)
    expected = model_gradient_flow(network("many-to-one", num_layers=2), rows)
    found = model_gradient_flow(network("many-to-one", num_layers=2, backend=backend), rows)
    torch.testing.assert_close(found["forward"].hidden, expected["forward"].hidden)


@pytest.mark.parametrize("objective", [CRF(O), CTC(O - 1)])
def test_losses_of_whole_sequences_have_a_flow_too(objective: nn.Module) -> None:
    rows = batch(per_step=True)
    if isinstance(objective, CTC):
        labels = torch.tensor([[0, 1, 2], [1, -1, 0], [2, -1, -1]])
        rows = rows._replace(target=labels, per_step=False)
    flows = model_gradient_flow(
        network("many-to-many", objective=objective, bidirectional=True), rows
    )
    for flow in flows.values():
        assert (flow.hidden > 0).all()
        assert flow.hidden[-1] < flow.hidden[0]


def test_the_network_the_batch_and_the_random_state_are_left_as_they_were() -> None:
    ours = network("many-to-one", bidirectional=True, dropout=0.5, num_layers=2).train()
    rows = batch(per_step=False)
    weights = {name: value.clone() for name, value in ours.state_dict().items()}
    state, x = torch.get_rng_state(), rows.input.clone()

    with torch.no_grad():
        model_gradient_flow(ours, rows)

    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(rows.input.nan_to_num(), x.nan_to_num())
    assert ours.training
    assert not ours.recurrent._forward_hooks
    for name, parameter in ours.named_parameters():
        assert parameter.grad is None
        assert parameter.requires_grad
        assert torch.equal(parameter, weights[name])


def test_a_row_without_any_loss_is_not_counted() -> None:
    """An output of exactly the target has no gradient, and the mean of logarithms no value."""
    ours = network("many-to-many", objective=StepRegression(2))
    x, lengths = torch.randn(T, 2, I), torch.tensor([T, T])
    with torch.no_grad():
        target, _ = copy.deepcopy(ours).double()(x.double())
    target[:, 1] += 1

    (flow,) = model_gradient_flow(ours, Batch(x, target, lengths)).values()

    alone = Batch(x[:, 1:], target[:, 1:], lengths[1:])
    (expected,) = model_gradient_flow(ours, alone).values()
    assert flow.rows == 1
    torch.testing.assert_close(flow.hidden, expected.hidden)


def test_distances_are_followed_as_far_as_asked_and_as_the_shortest_row_goes() -> None:
    ours = network("many-to-one")
    rows = batch(per_step=False)
    near = model_gradient_flow(ours, rows, longest=4)["forward"].hidden
    far = model_gradient_flow(ours, rows)["forward"].hidden
    assert len(far) == REACH < LONGEST
    torch.testing.assert_close(near, far[:4])
    lone = model_gradient_flow(ours, batch(per_step=False, lengths=[1, 5, 6]))["forward"]
    assert lone.distance.tolist() == [0]


def test_what_has_no_flow_is_refused_in_words() -> None:
    rows = batch(per_step=False)
    with pytest.raises(OptionError, match=r"lengths = \[0, 3, 2\] and longest = 500"):
        model_gradient_flow(network("many-to-one"), batch(per_step=False, lengths=[0, 3, 2]))
    with pytest.raises(OptionError, match="longest = 0"):
        model_gradient_flow(network("many-to-one"), rows, longest=0)
    pair = elman.Bidirectional(elman.GRU(I, H), elman.LSTM(I, H))
    with pytest.raises(OptionError, match=re.escape("got Bidirectional; build the network")):
        model_gradient_flow(elman.ManyToMany(pair, elman.MLP([2 * H, O])), rows)
    plain = elman.ManyToMany(elman.GRU(I, H), elman.MLP([H, O]))
    with pytest.raises(OptionError, match="this network has none; build it with one"):
        model_gradient_flow(plain, rows)
