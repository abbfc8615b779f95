"""The hyperparameters of training, with defaults and ranges."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from elman.errors import OptionError

Criterion = Literal["loss", "score", "last"]
"""Which weights are kept: those of the lowest validation loss, of the highest validation score, or
the last ones."""

_EFFECTIVE_WITH = {
    "momentum": ("optimizer", ("sgd", "rmsprop")),
    "minimum_learning_rate": ("schedule", ("cosine", "plateau")),
    "plateau_factor": ("schedule", ("plateau",)),
    "plateau_patience": ("schedule", ("plateau",)),
}
"""Setting → the setting that it depends on, and the values with which it has an effect."""

CHANGEABLE = (
    "epochs",
    "max_minutes",
    "patience",
    "learning_rate",
    "minimum_learning_rate",
    "checkpoint_minutes",
)
"""The settings that a run may have other values of when it is resumed."""

GREATEST_SEED = 2**32 - 1
"""The greatest random seed, for training and for sampling.

NumPy's global generator takes 32 bits; those of Python and PyTorch take more.
"""


def checked_seed(seed: int, name: str = "seed") -> int:
    """Return a random seed that lies in its range.

    Raises:
        OptionError: it does not.
    """
    if not 0 <= seed <= GREATEST_SEED:
        raise OptionError(f"{name} must lie in 0 … {GREATEST_SEED}, got {seed}.")
    return seed


class TrainingSettings(BaseModel):
    """How a network is trained.

    A setting that has no effect must keep its default: nothing is accepted and then ignored.

    Attributes:
        epochs: maximum number of epochs.
        batch_size: number of sequences a batch.
        optimizer: the optimizer.
        learning_rate: peak learning rate.
        weight_decay: L2 penalty on the weight matrices, decoupled from the gradient with `adamw`;
            biases and gains are not decayed.
        decay_embeddings: whether `weight_decay` applies to embeddings too.
        weight_noise: standard deviation of the Gaussian noise added to the weight matrices while
            gradients are computed (Graves 2011); 0 turns it off.
        activation_regularisation: α of Merity et al. 2017: weight of the mean square of the last
            recurrent layer's outputs in the training loss; 0 turns it off.
        temporal_activation_regularisation: β of Merity et al. 2017: weight of the mean square of
            the outputs' change from step to step; 0 turns it off.
        momentum: momentum of `sgd` and `rmsprop`.
        clip_norm: maximum norm of the gradient over all weights; 0 turns clipping off.
        clip_value: maximum absolute value of each number of the gradient, clipped before the norm:
            a gradient that explodes in few weights then leaves the others as they are; 0 for none.
        schedule: learning rate schedule: `constant`; `cosine`, half a period over all epochs; or
            `plateau`, which multiplies by `plateau_factor` after `plateau_patience` epochs without
            improvement.
        warmup_epochs: number of epochs over which the learning rate rises linearly; 0 for none.
        minimum_learning_rate: final learning rate of `cosine`, lower bound of `plateau`.
        plateau_factor: factor by which `plateau` multiplies the learning rate.
        plateau_patience: number of epochs without improvement before `plateau` acts.
        patience: number of epochs without improvement before training stops; 0 for never.
        max_minutes: time limit in minutes, validation and final scores included, as long as these
            are likely to take: an epoch that leaves no time for them is ended early, so that the
            same seed no longer gives the same numbers; 0 for none.
        checkpoint_minutes: minutes between two checkpoints within an epoch, from which a run that
            was killed goes on; 0 for none but those at the end of each epoch.
        select: criterion that selects the epoch whose weights are kept: the lowest validation
            `loss`, the highest validation `score`, or the `last`, whatever validation says, as with
            few validation rows and a learning rate that falls to zero. `plateau`, `patience` and
            `average_patience` use the same; beside `last` there is no patience.
        folds: number of networks that are trained, each on all rows but another share of them, and
            answer together; each row outside the test part is in one of these shares, by which
            training is validated. 0 for one network and validation rows of their own.
        average_decay: decay, per update, of an exponential moving average of the weights, which
            is validated, selected and kept in their place; 0 turns it off.
        average_patience: once validation is no better than so many epochs before, or earlier, the
            mean of the weights after every update since is validated, selected and kept (NT-ASGD
            of Merity et al. 2017, with `sgd`); 0 turns it off.
        chunk_length: maximum number of steps that gradients flow through; longer training
            sequences are cut into chunks (truncated backpropagation through time). 0 never cuts.
            Validation and test always use whole sequences.
        carry_state: whether a chunk starts from the final state of the chunk before it, or from
            the initial state. Networks that read a sequence's future cannot carry it.
        augment_transpose: maximum number of semitones by which each training sequence is
            transposed, up or down, at random in every epoch; 0 turns it off.
        augment_jitter: standard deviation of the noise that is added to every number of a training
            series, on the scale on which the network reads it, in every epoch; 0 turns it off.
        augment_scale: standard deviation of the logarithm of the factor by which each training
            series is multiplied; 0 turns it off.
        augment_shift: greatest share of its steps by which each training series is moved in time,
            at random in either direction; its end values are repeated. 0 turns it off.
        augment_crop: greatest share of its steps that is cut off each training series, at its
            beginning, its end or both; 0 turns it off.
        augment_warp: standard deviation of the logarithm of the speed at which each training series
            is read, which changes along it; 0 turns it off.
        accelerator: device to train on; `auto` uses a GPU if there is one.
        precision: floating-point precision of the network.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    epochs: int = Field(default=200, ge=1)
    batch_size: int = Field(default=16, ge=1)
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    learning_rate: float = Field(default=3e-3, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    decay_embeddings: bool = True
    weight_noise: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    activation_regularisation: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    temporal_activation_regularisation: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    momentum: float = Field(default=0.0, ge=0, lt=1)
    clip_norm: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    clip_value: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    schedule: Literal["constant", "cosine", "plateau"] = "constant"
    warmup_epochs: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    minimum_learning_rate: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    plateau_factor: float = Field(default=0.5, gt=0, lt=1)
    plateau_patience: int = Field(default=10, ge=1)
    patience: int = Field(default=0, ge=0)
    max_minutes: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    checkpoint_minutes: float = Field(default=10.0, ge=0, allow_inf_nan=False)
    select: Criterion = "loss"
    folds: int = Field(default=0, ge=0)
    average_decay: float = Field(default=0.0, ge=0, lt=1)
    average_patience: int = Field(default=0, ge=0)
    chunk_length: int = Field(default=0, ge=0)
    carry_state: bool = True
    augment_transpose: int = Field(default=0, ge=0, le=12)
    augment_jitter: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    augment_scale: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    augment_shift: float = Field(default=0.0, ge=0, lt=1)
    augment_crop: float = Field(default=0.0, ge=0, lt=1)
    augment_warp: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"

    @model_validator(mode="after")
    def _refuse_what_would_be_ignored(self) -> TrainingSettings:
        for name, (other, choices) in _EFFECTIVE_WITH.items():
            choice = getattr(self, other)
            if choice not in choices and getattr(self, name) != self._default(name):
                effective = " or ".join(map(repr, choices))
                raise ValueError(
                    f"{name} = {getattr(self, name)!r} has no effect with {other} = {choice!r}; "
                    f"choose {other} = {effective}, or leave {name} out"
                )
        if not self.decay_embeddings and not self.weight_decay:
            raise ValueError(
                "decay_embeddings = false has no effect with weight_decay = 0; "
                "set weight_decay, or leave decay_embeddings out"
            )
        if self.select == "last" and (self.patience or self.average_patience):
            name = "patience" if self.patience else "average_patience"
            raise ValueError(
                f"{name} = {getattr(self, name)} has no effect with select = 'last', which keeps "
                f"the last weights; leave {name} out, or select by 'loss' or 'score'"
            )
        if self.folds == 1:
            raise ValueError("folds = 1 holds all rows out; give at least 2, or 0 for no folds")
        if self.average_decay and self.average_patience:
            raise ValueError(
                "average_decay and average_patience both average the weights; choose one"
            )
        if not self.carry_state and not self.chunk_length:
            raise ValueError(
                "carry_state = false has no effect with chunk_length = 0; "
                "set chunk_length, or leave carry_state out"
            )
        if self.minimum_learning_rate >= self.learning_rate:
            raise ValueError(
                f"minimum_learning_rate = {self.minimum_learning_rate!r} must lie below "
                f"learning_rate = {self.learning_rate!r}"
            )
        return self

    @classmethod
    def _default(cls, name: str) -> object:
        return cls.model_fields[name].default
