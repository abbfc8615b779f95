"""Many-to-one on series: is a wave a sine, a square or a sawtooth?

Waves differ in length, pitch and phase, and have noise; a series is a list of numbers.
"""

import math
import random
from tempfile import TemporaryDirectory

import elman

WAVES = {
    "sine": lambda phase: math.sin(2 * math.pi * phase),
    "square": lambda phase: math.copysign(1, phase % 1 - 0.5),
    "sawtooth": lambda phase: 2 * (phase % 1) - 1,
}


def recording(rng: random.Random) -> dict[str, object]:
    """Draw a random wave: its samples, a list of 30 to 60 numbers, and its class."""
    name = rng.choice(list(WAVES))
    start, pitch = rng.random(), rng.uniform(0.04, 0.1)
    steps = range(rng.randint(30, 60))
    samples = [WAVES[name](start + pitch * step) + rng.gauss(0, 0.2) for step in steps]
    return {"samples": samples, "wave": name}


def main() -> None:
    """Train on 300 recordings, and evaluate on 200 others."""
    rng = random.Random(1)
    train, test = [[recording(rng) for _ in range(count)] for count in (300, 200)]
    with TemporaryDirectory() as folder:
        model = elman.train(train, target="wave", epochs=12, out=f"{folder}/run")
    print(model.task.sentence)
    print(f"test accuracy: {model.evaluate(test)['accuracy']:.2f}")


if __name__ == "__main__":
    main()
