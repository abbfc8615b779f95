"""Many-to-many with a delay: label each step of a signal, a few steps after it was read.

A step is "loud" if the mean of the five steps around it is positive, the next two included. A
network without delay has to guess these two; with a delay of 2 it has read them.
"""

import random
from tempfile import TemporaryDirectory

import elman


def signal(rng: random.Random) -> dict[str, list[object]]:
    """Draw 40 random values and label each by the mean of the five around it."""
    heard = [rng.gauss(0, 1) for _ in range(40)]
    around = [heard[max(0, step - 2) : step + 3] for step in range(len(heard))]
    return {"heard": heard, "label": ["loud" if sum(five) > 0 else "quiet" for five in around]}


def main() -> None:
    """Train with and without a delay, and evaluate all on the same test signals."""
    rng = random.Random(1)
    train, test = [[signal(rng) for _ in range(count)] for count in (120, 60)]
    for delay in (0, 1, 2):
        with TemporaryDirectory() as folder:
            model = elman.train(
                train,
                input="heard",
                target="label",
                bidirectional=False,
                delay=delay,
                epochs=15,
                out=f"{folder}/run",
            )
        print(f"delay of {delay} steps: accuracy {model.evaluate(test)['accuracy']:.2f}")


if __name__ == "__main__":
    main()
