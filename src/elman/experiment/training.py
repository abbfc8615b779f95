"""Every hyperparameter of training, its default and its range."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Criterion = Literal["loss", "score"]
"""What validation selects weights by: the lowest loss, or the highest score."""

_OWNED = {
    "momentum": ("optimizer", ("sgd", "rmsprop")),
    "minimum_learning_rate": ("schedule", ("cosine", "plateau")),
    "plateau_factor": ("schedule", ("plateau",)),
    "plateau_patience": ("schedule", ("plateau",)),
}
"""Settings that only some choices of another setting read: name → (the other, its choices)."""


GREATEST_SEED = 2**32 - 1
"""The greatest random seed, everywhere.

A seed is given to Python, numpy and PyTorch alike; numpy's global generator takes 32 bits, the
others more. A seed that is good for training is then good for sampling, and the other way round.
"""


class TrainingSettings(BaseModel):
    """How a network is trained.

    A setting that another choice makes meaningless must keep its default: nothing is accepted
    and then ignored.

    Attributes:
        epochs: greatest number of passes over the training split.
        batch_size: sequences a batch.
        optimizer: the update rule.
        learning_rate: step size at its highest.
        weight_decay: L2 penalty of the weight matrices, with `adamw` decoupled from the gradient;
            biases and gains are not decayed.
        decay_embeddings: whether `weight_decay` acts on embeddings, too.
        weight_noise: standard deviation of the Gaussian noise that the weight matrices carry
            while a gradient is taken (Graves 2011); 0 turns it off.
        activation_regularisation: α of Merity et al. 2017: times the mean square of the last
            recurrent layer's outputs, added to the loss that is minimised; 0 turns it off.
        temporal_activation_regularisation: β of the same: times the mean square of their change
            from step to step; 0 turns it off.
        momentum: of `sgd` and `rmsprop`.
        clip_norm: greatest norm of the gradient over all weights; 0 turns clipping off.
        schedule: `constant`; `cosine`, half a period over all epochs; or `plateau`, which
            multiplies by `plateau_factor` after `plateau_patience` epochs without a new low.
        warmup_epochs: the learning rate rises linearly over so many epochs; 0 for none.
        minimum_learning_rate: where `cosine` ends and below which `plateau` does not go.
        plateau_factor: what `plateau` multiplies by.
        plateau_patience: epochs that `plateau` waits.
        patience: training stops after so many epochs without a new best; 0 for never.
        max_minutes: training stops with the epoch in which so many minutes have passed, whatever
            the schedule, and the same seed then no longer gives the same numbers; 0 for never.
        select: the weights kept are those of the epoch with the lowest validation `loss`, or the
            highest validation `score`; `plateau`, `patience` and `average_patience` wait for the
            same.
        average_decay: validate, select and keep an exponential moving average of the weights
            with this decay a step, in place of the weights themselves; 0 turns it off.
        average_patience: once validation is no better than it was so many epochs before, or
            earlier, validate, select and keep the mean of the weights after every update since
            (NT-ASGD of Merity et al. 2017, where the optimizer is `sgd`); 0 turns it off.
        chunk_length: steps that gradients flow through; longer training sequences are cut
            (truncated backpropagation through time). 0 never cuts. Validation and test always
            see whole sequences.
        carry_state: whether a chunk starts from the state where the chunk before it ended, or
            anew, as a sequence of its own. Networks that read a sequence's future cannot carry.
        augment_transpose: every training sequence is moved by a random number of semitones of at
            most this many, up or down, anew in each epoch; 0 turns it off.
        accelerator: where to train; `auto` takes a GPU where there is one.
        precision: of the network's arithmetic.
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
    schedule: Literal["constant", "cosine", "plateau"] = "constant"
    warmup_epochs: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    minimum_learning_rate: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    plateau_factor: float = Field(default=0.5, gt=0, lt=1)
    plateau_patience: int = Field(default=10, ge=1)
    patience: int = Field(default=0, ge=0)
    max_minutes: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    select: Criterion = "loss"
    average_decay: float = Field(default=0.0, ge=0, lt=1)
    average_patience: int = Field(default=0, ge=0)
    chunk_length: int = Field(default=0, ge=0)
    carry_state: bool = True
    augment_transpose: int = Field(default=0, ge=0, le=12)
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"

    @model_validator(mode="after")
    def _refuse_what_would_be_ignored(self) -> TrainingSettings:
        for name, (owner, choices) in _OWNED.items():
            choice = getattr(self, owner)
            if choice not in choices and getattr(self, name) != self._default(name):
                wanted = " or ".join(map(repr, choices))
                raise ValueError(
                    f"{name} = {getattr(self, name)!r} has no effect with {owner} = {choice!r}; "
                    f"choose {owner} = {wanted}, or leave {name} out"
                )
        if not self.decay_embeddings and not self.weight_decay:
            raise ValueError(
                "decay_embeddings = false has no effect with weight_decay = 0, where nothing is "
                "decayed; set weight_decay, or leave decay_embeddings out"
            )
        if self.average_decay and self.average_patience:
            raise ValueError(
                "average_decay and average_patience both average the weights; choose one"
            )
        if not self.carry_state and not self.chunk_length:
            raise ValueError(
                "carry_state = false has no effect with chunk_length = 0, where nothing is cut; "
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
