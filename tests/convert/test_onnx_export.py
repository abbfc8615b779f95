"""PyTorch's two ONNX exporters write layers as RNN, LSTM and GRU, which ONNX Runtime runs.

Every file is run at other sizes than it was exported with. The newer exporter takes seconds for a
graph: one model shows quickly that it works, and the rest is slow.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.jit import TracerWarning
from torch.nn.utils.rnn import pack_padded_sequence
from torch.onnx import OnnxExporterError, TrainingMode

import elman
from elman.convert import onnx_symbolic, onnx_translations
from elman.errors import BackendError, OptionError
from elman.layers import RecurrentLayer

SIZES = [(3, 5), (1, 1), (4, 9)]
"""B and T of the example that is exported, and of others that are run."""

CELLS: list[tuple[type[RecurrentLayer], dict[str, Any]]] = [
    *[(elman.SimpleRNN, {"nonlinearity": g}) for g in ("tanh", "relu", "sigmoid", "identity")],
    *[
        (elman.LSTM, {"peephole": peephole, "coupled_gates": coupled})
        for peephole, coupled in product([False, True], [False, True])
    ],
    *[(elman.GRU, {"reset_after": after}) for after in (True, False)],
]
STACKS: dict[str, dict[str, Any]] = {
    "one layer": {"bias": False},
    "a stack of both directions": {"num_layers": 2, "bidirectional": True, "batch_first": True},
}
every_cell = pytest.mark.parametrize(
    ("build", "options"), CELLS, ids=[f"{build.__name__} {options}" for build, options in CELLS]
)

Axes = Mapping[int, str]


class Model(nn.Module):
    """A function of a layer and of inputs, whose results are laid side by side."""

    def __init__(self, layer: nn.Module, call: Callable[..., Any]) -> None:
        super().__init__()
        self.layer = layer
        self.call = call

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(flat(self.call(self.layer, *inputs)))


class Tagger(nn.Module):
    """A model of plain PyTorch that holds a layer."""

    def __init__(self, layer: RecurrentLayer) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, layer.input_size)
        self.layer = layer
        self.linear = nn.Linear(layer.output_size, 2)

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        return self.linear(self.layer(self.embedding(words), lengths=lengths)[0])


def flat(values: Any) -> Iterator[Tensor]:
    """Yield the tensors of nested tuples and lists."""
    if isinstance(values, Tensor):
        yield values
    else:
        for value in values:
            yield from flat(value)


def dense(layer: Any, x: Tensor) -> Any:
    return layer(x)


def ragged(layer: Any, x: Tensor, lengths: Tensor) -> Any:
    return layer(x, lengths=lengths)


def dense_and_ragged(layer: RecurrentLayer, x: Tensor, lengths: Tensor, *state: Tensor) -> Any:
    hx = state if len(state) == 2 else state[0]
    return layer(x), layer(x, hx, lengths=lengths)


def ragged_from_a_state(layer: Any, x: Tensor, lengths: Tensor, *state: Tensor) -> Any:
    return layer(x, state if len(state) == 2 else state[0], lengths=lengths)


def some_x(layer: Any, rows: int, steps: int) -> tuple[Tensor]:
    lead = (rows, steps) if layer.batch_first else (steps, rows)
    return (torch.randn(*lead, layer.input_size),)


def x_and_lengths(layer: Any, rows: int, steps: int) -> tuple[Tensor, ...]:
    """Draw x and lengths, the first row full and the last one empty."""
    lengths = torch.randint(0, steps + 1, (rows,))
    lengths[-1], lengths[0] = 0, steps
    return (*some_x(layer, rows, steps), lengths)


def with_state(layer: RecurrentLayer, rows: int, steps: int) -> tuple[Tensor, ...]:
    places = layer.num_layers * layer.options.num_directions
    parts = len(layer.options.cell.state._fields)
    state = [torch.randn(places, rows, layer.output_size // layer.options.num_directions)] * parts
    return (*x_and_lengths(layer, rows, steps), *state)


def axes_of(layer: Any, inputs: Sequence[Tensor]) -> list[Axes]:
    """Name the axes that may change: of x, of lengths, of the state."""
    of_x = {0: "B", 1: "T"} if layer.batch_first else {0: "T", 1: "B"}
    return [of_x, {0: "B"}, *[{1: "B"}] * 2][: len(inputs)]


def by_the_older(
    model: nn.Module,
    inputs: Sequence[Tensor],
    axes: Sequence[Axes],
    training: TrainingMode = TrainingMode.EVAL,
) -> bytes:
    names = [f"in_{i}" for i in range(len(inputs))]
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "Converting a tensor to a Python bool", TracerWarning)
        warnings.filterwarnings("ignore", "no signature found for <torch.ScriptMethod")
        torch.onnx.export(
            model,
            tuple(inputs),
            file,
            dynamo=False,
            training=training,
            do_constant_folding=training is TrainingMode.EVAL,
            input_names=names,
            dynamic_axes=dict(zip(names, axes, strict=True)),
        )
    return file.getvalue()


def by_the_newer(model: Any, inputs: Sequence[Tensor], axes: Sequence[Axes]) -> bytes:
    shapes = [dict.fromkeys(named, Dim.DYNAMIC) for named in axes]
    variadic = isinstance(model, Model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model,
            tuple(inputs),
            dynamo=True,
            dynamic_shapes=(tuple(shapes),) if variadic else tuple(shapes),
            verbose=False,
        )
    return program.model_proto.SerializeToString()


def by_way_of_a_program(model: Any, inputs: Sequence[Tensor], axes: Sequence[Axes]) -> bytes:
    shapes = tuple([dict.fromkeys(named, Dim.DYNAMIC) for named in axes])
    exported = torch.export.export(model, tuple(inputs), dynamic_shapes=(shapes,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            exported, custom_translation_table=onnx_translations(), verbose=False
        )
    return program.model_proto.SerializeToString()


def assert_runs(
    written: bytes, model: nn.Module, draw: Callable[[int, int], Sequence[Tensor]]
) -> list[Any]:
    """Check a file, and compare it with the model at every size; return its recurrent nodes."""
    onnx.checker.check_model(written, full_check=True)
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    for rows, steps in SIZES:
        inputs = draw(rows, steps)
        with torch.no_grad():
            expected = list(flat(model(*inputs)))
        feeds = dict(zip(names, [value.numpy() for value in inputs], strict=True))
        for ours, theirs in zip(expected, session.run(None, feeds), strict=True):
            np.testing.assert_allclose(theirs, ours.numpy(), rtol=1e-5, atol=1e-5)
    nodes = onnx.load_from_string(written).graph.node
    return [node for node in nodes if node.op_type in ("RNN", "LSTM", "GRU")]


def attribute(node: Any, name: str) -> Any:
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}[name]


def strengthen(module: nn.Module) -> nn.Module:
    """Draw weights that leave no gate near one half."""
    for weight in module.parameters():
        nn.init.normal_(weight, std=0.5)
    return module.eval()


@every_cell
@pytest.mark.parametrize("stack", STACKS)
def test_the_older_exporter_writes_a_node_a_layer_that_runs_at_any_size(
    build: Any, options: dict[str, Any], stack: str
) -> None:
    layer = build(3, 5, **options, **STACKS[stack])
    model = strengthen(Model(layer, dense_and_ragged))
    inputs = with_state(layer, *SIZES[0])
    written = by_the_older(model, inputs, axes_of(layer, inputs))
    nodes = assert_runs(written, model, lambda rows, steps: with_state(layer, rows, steps))
    assert len(nodes) == 2 * layer.num_layers  # the layer is called twice
    direction = b"bidirectional" if layer.bidirectional else b"forward"
    assert {attribute(node, "direction") for node in nodes} == {direction}


def several_layers() -> nn.ModuleList:
    """Return layers of every kind of graph, small ones."""
    return nn.ModuleList(
        [
            elman.SimpleRNN(3, 5, nonlinearity="relu", bias=False),
            elman.LSTM(3, 5, 2, bidirectional=True, peephole=True, learn_initial_state=True),
            elman.LSTM(3, [4, 6], coupled_gates=True),
            elman.GRU(3, 5, 2, reset_after=False, residual=True),
            elman.Bidirectional(elman.GRU(3, 5), elman.LSTM(3, 7)),
        ]
    )


def all_ragged(layers: Any, x: Tensor, lengths: Tensor) -> Any:
    return [layer(x, lengths=lengths) for layer in layers]


EXPORTERS = {"older": by_the_older, "newer": by_the_newer, "program": by_way_of_a_program}


@pytest.mark.parametrize(
    "exporter",
    [
        "older",
        pytest.param("newer", marks=pytest.mark.slow),
        pytest.param("program", marks=pytest.mark.slow),
    ],
)
def test_every_kind_of_graph_is_exported(exporter: str) -> None:
    model = strengthen(Model(several_layers(), all_ragged))
    first: Any = model.layer[0]
    inputs = x_and_lengths(first, *SIZES[0])
    written = EXPORTERS[exporter](model, inputs, axes_of(first, inputs))
    nodes = assert_runs(written, model, lambda rows, steps: x_and_lengths(first, rows, steps))
    kinds = ["RNN", "LSTM", "LSTM", "LSTM", "LSTM", "GRU", "GRU", "GRU", "LSTM"]
    assert [node.op_type for node in nodes] == kinds
    assert attribute(nodes[-1], "direction") == b"reverse"


@every_cell
@pytest.mark.slow
def test_the_newer_exporter_writes_every_cell(build: Any, options: dict[str, Any]) -> None:
    layer = build(3, 5, **options, **STACKS["a stack of both directions"])
    model = strengthen(Model(layer, ragged_from_a_state))
    inputs = with_state(layer, *SIZES[0])
    written = by_the_newer(model, inputs, axes_of(layer, inputs))
    nodes = assert_runs(written, model, lambda rows, steps: with_state(layer, rows, steps))
    assert len(nodes) == layer.num_layers


@pytest.mark.parametrize("exporter", ["older", "newer"])
def test_a_layer_within_a_model_is_exported_with_its_lengths(exporter: str) -> None:
    layer = elman.LSTM(
        3, 5, bidirectional=True, batch_first=True, peephole=True, learn_initial_state=True
    )
    model = strengthen(Tagger(layer))

    def draw(rows: int, steps: int) -> tuple[Tensor, ...]:
        words = torch.randint(0, 11, (rows, steps))
        return words, x_and_lengths(layer, rows, steps)[1]

    inputs = draw(*SIZES[0])
    written = EXPORTERS[exporter](model, inputs, axes_of(layer, inputs))
    (node,) = assert_runs(written, model, draw)
    weights = {tensor.name for tensor in onnx.load_from_string(written).graph.initializer}
    assert weights.issuperset(node.input[1:4])  # reordered in the file, not in every run


def test_what_lies_after_a_rows_end_is_not_read() -> None:
    layer = elman.LSTM(3, 5, 2, bidirectional=True)
    model = strengthen(Model(layer, ragged))
    x, lengths = x_and_lengths(layer, 4, 9)
    written = by_the_older(model, (x, lengths), axes_of(layer, (x, lengths)))
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    poisoned = x.masked_fill((torch.arange(9)[:, None] >= lengths)[..., None], torch.nan)
    clean, other = (
        session.run(None, {"in_0": values.numpy(), "in_1": lengths.numpy()})
        for values in (x, poisoned)
    )
    for one, two in zip(clean, other, strict=True):
        assert np.array_equal(one, two)


def test_a_row_without_a_batch_is_exported() -> None:
    model = strengthen(Model(elman.GRU(3, 5), dense))
    written = by_the_older(model, [torch.randn(5, 3)], [{0: "T"}])
    (node,) = assert_runs(written, model, lambda _, steps: [torch.randn(steps, 3)])
    assert node.op_type == "GRU"


def test_the_backend_torch_is_exported_as_the_same_node() -> None:
    layer = elman.LSTM(3, 5, backend="torch")
    model = strengthen(Model(layer, ragged))
    inputs = x_and_lengths(layer, *SIZES[0])
    written = by_the_older(model, inputs, axes_of(layer, inputs))
    (node,) = assert_runs(written, model, lambda rows, steps: x_and_lengths(layer, rows, steps))
    assert node.op_type == "LSTM"


def test_a_traced_program_is_exported_once_the_symbolic_function_is_registered() -> None:
    torch.onnx.register_custom_op_symbolic("elman::recurrence", onnx_symbolic, 13)
    layer = elman.GRU(3, 5)
    model = strengthen(Model(layer, ragged))
    inputs = x_and_lengths(layer, *SIZES[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(model, inputs)
    written = by_the_older(traced, inputs, axes_of(layer, inputs))
    (node,) = assert_runs(written, model, lambda rows, steps: x_and_lengths(layer, rows, steps))
    assert node.op_type == "GRU"


def test_the_steps_of_the_reference_are_written_down_for_the_steps_of_the_example() -> None:
    layer = elman.GRU(3, 5, zoneout=0.1, backend="reference")
    model = strengthen(Model(layer, dense))
    (x,) = some_x(layer, 3, 5)
    with pytest.warns(TracerWarning, match="right for this number of steps alone"):
        written = by_the_older(model, (x,), [{1: "B"}])
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    (x,) = some_x(layer, 4, 5)
    expected = model(x)[0].detach().numpy()
    np.testing.assert_allclose(session.run(None, {"in_0": x.numpy()})[0], expected, atol=1e-5)


def cut(layer: RecurrentLayer, x: Tensor, _: Tensor) -> Any:
    return layer(x, resets=torch.zeros(x.shape[:2], dtype=torch.bool))


def packed(layer: RecurrentLayer, x: Tensor, lengths: Tensor) -> Any:
    return layer(pack_padded_sequence(x, lengths.clamp(min=1), enforce_sorted=False))[1]


def traced(layer: RecurrentLayer, x: Tensor, _: Tensor) -> Any:
    return layer(x, return_trace=True)


REFUSED: dict[str, tuple[Callable[[], RecurrentLayer], Callable[..., Any], type[Exception]]] = {
    "no zoneout": (lambda: elman.GRU(3, 5, zoneout=0.1), ragged, OptionError),
    "no projection": (lambda: elman.LSTM(3, 5, proj_size=2), ragged, OptionError),
    "no resets": (lambda: elman.LSTM(3, 5), cut, OptionError),
    "no trace": (lambda: elman.LSTM(3, 5), traced, OptionError),
    "no PackedSequence": (lambda: elman.LSTM(3, 5), packed, OptionError),
    "no layer norm": (lambda: elman.GRU(3, 5, layer_norm=True), ragged, BackendError),
    r"use layer\.float\(\)": (lambda: elman.GRU(3, 5).bfloat16(), ragged, OptionError),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_onnx_lacks_is_refused_by_name(words: str) -> None:
    build, call, error = REFUSED[words]
    layer = build()
    inputs = x_and_lengths(layer, 3, 5)
    if next(layer.parameters()).dtype is torch.bfloat16:
        inputs = (inputs[0].bfloat16(), inputs[1])
    with pytest.raises(error, match=words):
        by_the_older(Model(layer, call).eval(), inputs, axes_of(layer, inputs))


def test_recurrent_dropout_is_exported_in_evaluation_and_refused_in_training() -> None:
    layer = elman.LSTM(3, 5, recurrent_dropout=0.3)
    x = some_x(layer, 3, 5)
    with pytest.raises(OptionError, match=r"call eval\(\) first"):
        by_the_older(Model(layer, dense), x, axes_of(layer, x), training=TrainingMode.TRAINING)
    written = by_the_older(strengthen(Model(layer, dense)), x, axes_of(layer, x))
    assert_runs(written, Model(layer, dense), lambda rows, steps: some_x(layer, rows, steps))


@pytest.mark.filterwarnings("ignore")
def test_the_newer_exporter_writes_no_file_for_what_onnx_lacks(tmp_path: Path) -> None:
    layer = elman.GRU(3, 5, zoneout=0.1).eval()
    x = some_x(layer, 3, 5)
    with pytest.raises(OnnxExporterError, match="ONNX's operators have no zoneout"):
        torch.onnx.export(layer, x, tmp_path / "gru.onnx", dynamo=True, verbose=False)
    assert list(tmp_path.iterdir()) == []
