"""A trained model, and the way from an experiment to one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from numpy.typing import ArrayLike

from elman.data.catalog import Splits
from elman.data.catalog import load as load_data
from elman.errors import CheckpointError, ElmanError, OptionError, unknown
from elman.evaluation.metrics import measure
from elman.experiment import Experiment
from elman.features.roll import Roll, RollFeature
from elman.layers import parameter_count
from elman.networks import ManyToMany
from elman.training.checkpoint import (
    FORMAT,
    load_checkpoint,
    load_weights,
    read_json,
    save_checkpoint,
    write_atomically,
)
from elman.training.preparation import evaluation_batches

EXPERIMENT = "experiment.toml"
MODEL = "model"
RESULT = "result.json"
_WEIGHTS = "weights.safetensors"
_DESCRIPTION = "model.json"


class Model:
    """A trained network and all it takes to use it.

    Args:
        experiment: what it was trained by, its hidden size solved for.
        network: predicts the next frame at every step.
        feature: turns rolls into the network's input, and its output into rolls.
    """

    def __init__(self, experiment: Experiment, network: ManyToMany, feature: RollFeature) -> None:
        self.experiment = experiment
        self.network = network.eval()
        self.feature = feature

    @property
    def device(self) -> torch.device:
        """Where the network's weights are."""
        return next(self.network.parameters()).device

    @property
    def parameters(self) -> int:
        """Count the numbers the network has learned."""
        return parameter_count(self.network)

    @property
    def sees_the_future(self) -> bool:
        """Whether an output depends on later inputs, so that the network cannot run live."""
        return self.experiment.network.bidirectional or self.experiment.network.delay > 0

    def evaluate(self, data: str | Sequence[ArrayLike] = "test") -> dict[str, float]:
        """Predict every frame of every piece from the frames before it.

        Args:
            data: a split of the model's own data set, `train`, `valid` or `test`; or rolls,
                each (T, 88).

        Returns:
            `nll` in nats a frame, the number of `frames`, and frame-level `accuracy` and `f1`;
            `elman.evaluation.metrics.RollMetrics` says exactly what they are.

        Raises:
            OptionError: there is no such split.
            DataError: the data set cannot be read, or a roll is malformed.
        """
        rolls = self._split(data) if isinstance(data, str) else data
        batches = evaluation_batches(rolls, self.feature, self.experiment.training.batch_size)
        metrics = measure(self.network, self.feature.frame_nll, batches.epoch(0), self.device)
        return metrics._asdict()

    def _split(self, name: str) -> list[Roll]:
        if name not in Splits._fields:
            raise unknown("split", name, Splits._fields)
        rolls: list[Roll] = getattr(load_data(self.experiment.data.name), name)
        return rolls

    def generate(
        self,
        steps: int,
        seed: int,
        *,
        prime: ArrayLike | None = None,
        temperature: float = 1.0,
    ) -> Roll:
        """Compose: draw every frame from the model's prediction given all frames before it.

            x(t) ~ Bernoulli(σ(y(t) / temperature)),    y(t) = network(x(t−1), h(t−1))

        Args:
            steps: frames to compose.
            seed: of the drawing.
            prime: frames to go on from, (P, 88); None begins a piece.
            temperature: below 1 keeps to what is likely, above 1 is bolder.

        Returns:
            The composed frames, (steps, 88); the prime is not among them.

        Raises:
            OptionError: the network needs to see the future, or a number is out of range.
        """
        self._refuse_a_network_that_sees_the_future()
        if steps < 1:
            raise OptionError(f"steps must be at least 1, got {steps}.")
        if not 0 < temperature < float("inf"):
            raise OptionError(f"temperature must be a positive number, got {temperature}.")
        if not 0 <= seed < 2**63:
            raise OptionError(f"seed must lie in 0 … 2⁶³ − 1, got {seed}.")
        generator = torch.Generator().manual_seed(seed)
        heard = torch.zeros(1, self.feature.size)
        if prime is not None:
            heard = torch.cat([heard, self.feature.encode(prime)])
        frames: list[torch.Tensor] = []
        with torch.no_grad():
            x, state = heard[:, None].to(self.device), None
            for _ in range(steps):
                logits, state = self.network(x, state)
                frame = self.feature.sample(logits[-1:].cpu() / temperature, generator)
                frames.append(frame[0, 0])
                x = frame.to(self.device)
        return self.feature.decode(torch.stack(frames))

    def _refuse_a_network_that_sees_the_future(self) -> None:
        spec = self.experiment.network
        if spec.bidirectional:
            raise OptionError(
                "a bidirectional network reads a piece from its end as well, and a piece being "
                "composed has no end yet; train with network.bidirectional = false to generate."
            )
        if spec.delay:
            raise OptionError(
                f"a network with delay = {spec.delay} answers only after hearing {spec.delay} "
                "more frames, and in composing there are none; train with network.delay = 0 to "
                "generate."
            )

    def save(self, directory: str | Path) -> Path:
        """Write the weights, as safetensors, and what they belong to, as JSON.

        Args:
            directory: created if need be.

        Returns:
            The directory.
        """
        directory = Path(directory)
        weights = self.network.state_dict()
        checksum = save_checkpoint(directory / _WEIGHTS, weights, {})
        description = {
            "format": FORMAT,
            "experiment": self.experiment.to_values(),
            "feature": self.feature.to_json(),
            "parameters": self.parameters,
            "weights_checksum": checksum,
        }
        text = json.dumps(description, indent=2, ensure_ascii=False)
        write_atomically(directory / _DESCRIPTION, f"{text}\n".encode())
        return directory

    @classmethod
    def load(cls, directory: str | Path) -> Model:
        """Read what `save` wrote.

        Args:
            directory: of the model, or of the run that holds it.

        Raises:
            CheckpointError: a file is missing, truncated, corrupt, or does not fit the others.
        """
        directory = _model_directory(Path(directory))
        path = directory / _DESCRIPTION
        description = read_json(path)
        if description.get("format") != FORMAT:
            raise CheckpointError(
                f'{path} must say "format": {FORMAT!r}, got {description.get("format")!r}; it '
                "was written by something else, or by another version of Elman."
            )
        weights = load_checkpoint(directory / _WEIGHTS)
        if weights.checksum != description.get("weights_checksum"):
            raise CheckpointError(
                f"{directory / _WEIGHTS} and {_DESCRIPTION} do not belong together: the checksum "
                "of the weights is another. Copy both from the same run."
            )
        try:
            experiment = Experiment.from_values(description["experiment"], origin=str(path))
            feature = RollFeature.from_json(description["feature"])
        except (ElmanError, KeyError) as error:
            raise CheckpointError(f"{path} is not a model's description: {error}") from error
        network = experiment.network.build(feature.size)
        load_weights(network, weights.tensors, origin=directory / _WEIGHTS)
        return cls(experiment, network, feature)


def load(directory: str | Path) -> Model:
    """Load a trained model from its run's directory, or from where `Model.save` put it.

    Raises:
        CheckpointError: a file is missing, truncated, corrupt, or does not fit the others.
    """
    return Model.load(directory)


def _model_directory(directory: Path) -> Path:
    """Find the model in its own directory or in that of its run."""
    for candidate in (directory, directory / MODEL):
        if (candidate / _DESCRIPTION).is_file():
            return candidate
    if (directory / EXPERIMENT).is_file():
        raise CheckpointError(
            f"{directory} holds a run that has not finished; resume it with the same command and "
            "--resume."
        )
    runs = sorted(path.parents[1].name for path in directory.glob(f"*/{MODEL}/{_DESCRIPTION}"))
    if runs:
        raise CheckpointError(f"{directory} holds several runs; choose one: {', '.join(runs)}.")
    raise CheckpointError(
        f"there is no model in {directory}: it should hold {_DESCRIPTION} "
        f"or {MODEL}/{_DESCRIPTION}."
    )
