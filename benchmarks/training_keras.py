"""The models of the page `training` in Keras 3: masking, padding a batch, `fit`.

Of what Elman's recipes ask it leaves out what Keras has no layer for, which is in its favour: see
`LEFT_OUT`. Batches come from the loaders of the models in plain PyTorch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch

from training_elman import Elman
from training_sets import Burst, Mine
from training_torch import Drawn, Windows

BACKEND = os.environ.get("KERAS_BACKEND", "torch")
"""Not whichever is installed, or runs of one page would differ. JAX compiles each shape of a padded
batch anew, and its `fit` called again after an average of the weights fails (Keras 3.15)."""
LEFT_OUT = {
    "imdb": "word dropout",
    "trec": "word dropout",
    "ptb": "dropout of R and of words, regularisation of outputs, and the state between chunks, "
    "for layers with stateful=True fail in training on this backend",
    "jsb": "noise on the weights",
    "ett": "",
}
Arrays = tuple[Any, Any]


def about() -> str:
    """Name Keras's version and backend."""
    if not _is_installed():
        return "not installed"
    return f"{version('keras')} on {BACKEND} {version(BACKEND)}"


def _is_installed() -> bool:
    try:
        version("keras")
        version(BACKEND)
    except PackageNotFoundError:
        return False
    return True


class Contender:
    """A compiled model of Keras that trains and evaluates in bursts.

    Args:
        model: compiled.
        mine: whose batches it reads.
        given: a batch as Keras reads it: x and y.
    """

    def __init__(self, model: Any, mine: Mine, given: Callable[[Drawn], Arrays]) -> None:
        self.model, self.mine, self.given = model, mine, given
        self.losses: list[torch.Tensor] = []
        self.epoch: Iterator[Drawn] = iter(())

    def burst(self, seconds: float) -> Burst:
        """Train for some seconds; time before the first batch is not counted."""
        import keras

        contender, steps = self, list[int]()

        def drawn() -> Iterator[Arrays]:
            while True:
                batch = next(contender.epoch, None)
                if batch is None:
                    contender.epoch = contender.mine.training()
                    continue
                steps.append(int(batch.lengths.sum()))
                yield contender.given(batch)

        class Clock(keras.callbacks.Callback):  # type: ignore[misc]
            begun = taken = total = 0.0
            updates = 0

            def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
                """Start the clock."""
                del batch, logs
                self.begun = self.begun or time.perf_counter()

            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                """Note the batch's loss, and stop when the time is over."""
                del batch
                self.updates += 1
                total = float(logs["loss"]) * self.updates
                contender.losses.append(torch.tensor(total - self.total))
                self.total = total
                self.taken = time.perf_counter() - self.begun
                self.model.stop_training = self.taken >= seconds

        clock = Clock()
        self.model.fit(drawn(), steps_per_epoch=10**6, verbose=0, callbacks=[clock])
        return Burst(clock.taken, clock.updates, sum(steps[: clock.updates]))

    def validate(self) -> object:
        """Evaluate the validation rows."""
        batches = (self.given(drawn) for drawn in self.mine.validation())
        return self.model.evaluate(batches, verbose=0)


def contender(name: str, elman: Elman, mine: Mine) -> Contender | None:
    """Build and compile a model of a set; None where Keras is not installed."""
    if not _is_installed():
        return None
    os.environ["KERAS_BACKEND"] = BACKEND
    import keras

    keras.utils.set_random_seed(elman.experiment.seed)
    model, loss, given = BUILDERS[name](elman)
    settings = elman.settings
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(settings.learning_rate, elman.updates),
        weight_decay=settings.weight_decay,
        global_clipnorm=settings.clip_norm,
        use_ema=settings.average_decay > 0,
        ema_momentum=settings.average_decay or 0.99,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, loss)
    return Contender(model, mine, given)


def _layers() -> tuple[Any, Any, Any]:
    import keras

    return keras, keras.layers, keras.ops


def _texts(elman: Elman) -> tuple[Any, Any, Callable[[Drawn], Arrays]]:
    """Words, masked where a row has ended, and the characters of each where there are any."""
    keras, layers, ops = _layers()
    network, encoding = elman.experiment.network, elman.task.input.encoding
    words = encoding.ids[0]
    ids = keras.Input((None,), dtype="int32")
    embedding = layers.Embedding(words + 1, network.embedding_size, mask_zero=True)
    vectors, inputs = embedding(ids), [ids]
    if encoding.characters:
        letters = keras.Input((None, 20), dtype="int32")
        inputs.append(letters)

        class Spelt(layers.Layer):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.table = layers.Embedding(encoding.characters[0], 25, mask_zero=True)
                self.reader = layers.Bidirectional(layers.GRU(50))

            def build(self, _: Any) -> None:
                self.table.build((None, 20))
                self.reader.build((None, 20, 25))

            def call(self, letters: Any) -> Any:
                rows, steps, count = ops.shape(letters)
                ends = self.reader(self.table(ops.reshape(letters, (-1, count))))
                return ops.reshape(ends, (-1 if rows is None else rows, steps or -1, 100))

            def compute_output_shape(self, shape: Any) -> Any:
                return (*shape[:2], 100)

        vectors = layers.Concatenate()([vectors, Spelt()(letters)])
    vectors = layers.SpatialDropout1D(0.5)(vectors)
    mask = ops.not_equal(ids, 0)
    lstm = layers.Bidirectional(layers.LSTM(128, return_sequences=True))
    hidden = lstm(vectors, mask=mask)
    pooled = ops.max(ops.where(mask[..., None], hidden, -1e9), 1)
    outputs = layers.Dense(elman.network.objective.output_size)(layers.Dropout(0.5)(pooled))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def given(drawn: Drawn) -> Arrays:
        x = drawn.x.transpose(0, 1).numpy()
        real = np.arange(x.shape[1]) < drawn.lengths.numpy()[:, None]
        ids = (x[..., 0] if x.ndim == 3 else x) + 1
        ids = np.where(real, ids, 0).astype(np.int32)
        y = drawn.y.numpy()
        return ((ids, x[..., 1:].astype(np.int32)) if x.ndim == 3 else ids), y

    return keras.Model(inputs if len(inputs) > 1 else ids, outputs), loss, given


def _words(elman: Elman) -> tuple[Any, Any, Callable[[Drawn], Arrays]]:
    """Two layers, and the table of words once more as output layer."""
    keras, layers, ops = _layers()
    words = elman.task.input.encoding.ids[0]
    table = layers.Embedding(words, 200)

    class Tied(layers.Layer):  # type: ignore[misc]
        def build(self, _: Any) -> None:
            self.bias = self.add_weight(shape=(words,), initializer="zeros", name="bias")

        def call(self, hidden: Any) -> Any:
            return ops.matmul(hidden, ops.transpose(table.embeddings)) + self.bias

    ids = keras.Input((None,), dtype="int32")
    vectors = layers.SpatialDropout1D(0.3)(table(ids))
    for size, dropout in ((400, 0.2), (200, 0.3)):
        vectors = layers.LSTM(size, return_sequences=True)(vectors)
        vectors = layers.SpatialDropout1D(dropout)(vectors)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def given(drawn: Drawn) -> Arrays:
        return drawn.x.t().numpy().astype(np.int32), drawn.y.t().numpy()

    return keras.Model(ids, Tied()(vectors)), loss, given


def _chorales(elman: Elman) -> tuple[Any, Any, Callable[[Drawn], Arrays]]:
    """Frames, padded with −1 and masked, loss and all."""
    keras, layers, ops = _layers()
    frames = keras.Input((None, 88))
    masked = layers.Masking(-1.0)(frames)
    hidden = layers.GRU(elman.network.recurrent.hidden_size, return_sequences=True)(masked)

    class Frames(keras.losses.Loss):  # type: ignore[misc]
        def call(self, y: Any, logits: Any) -> Any:
            each = ops.relu(logits) - logits * y + ops.log1p(ops.exp(-ops.abs(logits)))
            return ops.sum(each, -1)

    def given(drawn: Drawn) -> Arrays:
        x = drawn.x.transpose(0, 1).numpy()
        real = np.arange(x.shape[1]) < drawn.lengths.numpy()[:, None]
        y = drawn.y.transpose(0, 1).numpy()
        return np.where(real[..., None], x, np.float32(-1.0)), y

    return keras.Model(frames, layers.Dense(88)(hidden)), Frames(), given


def _windows(_: Elman) -> tuple[Any, Any, Callable[[Drawn], Arrays]]:
    """Windows, scaled while they are read."""
    keras, layers, _ops = _layers()
    past = Windows.past
    read, z = keras.Input((past + 24, 17)), keras.Input((past, 7))
    hidden = layers.GRU(64, return_sequences=True)(read)
    ahead = layers.Dense(7)(layers.Dropout(0.2)(hidden[:, past:]))
    zeros = keras.initializers.Zeros()
    linear = layers.Dense(24, use_bias=False, kernel_initializer=zeros)(layers.Permute((2, 1))(z))
    outputs = layers.Add()([ahead, layers.Permute((2, 1))(linear)])

    def given(drawn: Drawn) -> Arrays:
        x = drawn.x.transpose(0, 1).numpy()
        values = x[:, :past, :7]
        mean, deviation = values.mean(1, keepdims=True), values.std(1, keepdims=True)
        z = (values - mean) / deviation
        read = np.zeros((*x.shape[:2], 17), np.float32)
        read[:, 1 : past + 1, :7], read[:, 1 : past + 1, 7:14] = z, 1.0
        read[..., 14:] = x[..., 7:]
        return (read, z), (drawn.y.transpose(0, 1).numpy() - mean) / deviation

    return keras.Model([read, z], outputs), "mae", given


BUILDERS: Mapping[str, Callable[[Elman], Any]] = {
    "imdb": _texts,
    "trec": _texts,
    "ptb": _words,
    "jsb": _chorales,
    "ett": _windows,
}
