"""Going on from what was: each element drawn from the network's prediction given all before it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from elman.errors import OptionError
from elman.features.roll import Roll, RollFeature
from elman.features.text import TextFeature
from elman.features.words import LINE_END
from elman.networks.decoding import DecodingOptions, decode, language_model_step
from elman.tasks.task import Task


@torch.no_grad()
def compose(
    network: nn.Module,
    feature: RollFeature,
    steps: int,
    generator: torch.Generator,
    *,
    prime: Tensor | None,
    temperature: float,
) -> Roll:
    """Draw frames of a piano roll.

        x(t) ~ Bernoulli(σ(y(t) / temperature)),    y(t) = network(x(t−1), h(t−1))

    Args:
        network: predicts the next frame.
        feature: of its inputs and outputs.
        steps: frames to draw.
        generator: of the drawing.
        prime: frames to go on from, (P, 88); None begins a piece.
        temperature: below 1 keeps to what is likely, above 1 is bolder.

    Returns:
        The drawn frames, (steps, 88); the prime is not among them.
    """
    device = next(network.parameters()).device
    heard = torch.zeros(1, feature.size)
    if prime is not None:
        heard = torch.cat([heard, prime])
    frames: list[Tensor] = []
    x, state = heard[:, None].to(device), None
    for _ in range(steps):
        logits, state = network(x, state)
        frame = feature.sample(logits[-1:].cpu() / temperature, generator)
        frames.append(frame[0, 0])
        x = frame.to(device)
    return feature.decode(torch.stack(frames))


@torch.no_grad()
def write(
    network: nn.Module,
    feature: Any,
    steps: int,
    generator: torch.Generator,
    *,
    prime: Any,
    temperature: float,
) -> Any:
    """Draw the elements of a text or of a sequence of symbols.

        x(t) ~ softmax(y(t) / temperature),    y(t) = network(x(t−1), h(t−1))

    The unknown element, id 0, is never drawn.

    Args:
        network: predicts the next element.
        feature: of text or symbols.
        steps: elements to draw.
        generator: of the drawing.
        prime: a text, or symbols, to go on from; None begins as after the end of a line, or where
            there are no lines with what the training part held most of.
        temperature: below 1 keeps to what is likely, above 1 is bolder.

    Returns:
        What was drawn, decoded; the prime is not part of it.
    """
    read = _beginning(feature) if prime is None else feature.encode(prime)
    if not len(read):
        raise OptionError("prime must hold at least one element to go on from, got none.")
    read = read.to(next(network.parameters()).device)
    state = network(read[:-1, None])[1] if len(read) > 1 else None
    ((drawn,),) = decode(
        language_model_step(network),
        state,
        read[-1:],
        end=None,
        options=DecodingOptions(max_length=steps, temperature=temperature),
        generator=generator,
    )
    return feature.decode(drawn.ids)


def _beginning(feature: Any) -> Tensor:
    """Return what stands before a beginning: the end of a line; else the commonest element."""
    if isinstance(feature, TextFeature):
        line_end = feature.encode(LINE_END)
        if len(line_end) and bool(line_end.all()):
            return line_end
    return torch.tensor([1])


def note_of_unknown(feature: TextFeature, prime: str) -> str | None:
    """Say how much of a text to go on from was not learned, and is read as unknown; None if all is.

    Args:
        feature: fitted.
        prime: the text.
    """
    ids = feature.encode(prime)
    unknown = int(((ids[:, 0] if ids.ndim == 2 else ids) == 0).sum())
    if not unknown:
        return None
    return (
        f"{unknown} of {len(ids)} {feature.description} to go on from were not learned, and are "
        "read as unknown."
    )


def check_can_generate(task: Task, *, bidirectional: bool, delay: int) -> None:
    """Refuse a network that cannot go on from what was.

    Raises:
        OptionError: it does not predict the next element, or needs to see the future.
    """
    if not task.predicts_next or task.input.kind not in {"roll", "text", "symbols"}:
        raise OptionError(
            f"this model does not generate: its task is {task.sentence}. A network that generates "
            "is trained with target = next on text, symbols or piano rolls."
        )
    if bidirectional:
        raise OptionError(
            "a bidirectional network reads a piece from its end as well, and a piece being "
            "composed has no end yet; train with network.bidirectional = false to generate."
        )
    if delay:
        raise OptionError(
            f"a network with delay = {delay} answers only after hearing {delay} "
            "more frames, and in composing there are none; train with network.delay = 0 to "
            "generate."
        )
