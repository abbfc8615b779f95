"""The next character: a network reads rhymes letter by letter, and then generates some.

With target="next" the rows are one text, in which each character is predicted.
"""

import random
from tempfile import TemporaryDirectory

import elman

ANIMALS, PLACES = ["cat", "dog", "cow", "pig"], ["mat", "log", "plough", "wig"]


def rhyme(rng: random.Random) -> str:
    """Draw a random line: where an animal is."""
    number = rng.randrange(4)
    return f"the {ANIMALS[number]} on the {PLACES[number]}.\n"


def main() -> None:
    """Train on 400 lines, and continue the start of another."""
    lines = [rhyme(random.Random(seed)) for seed in range(400)]
    settings = {"input_dropout": 0.0, "output_dropout": 0.0, "hidden_size": 64, "epochs": 6}
    settings |= {
        "batch_size": 2,
        "chunk_length": 50,
        "learning_rate": 0.01,
    }  # few letters: be quick
    with TemporaryDirectory() as folder:
        model = elman.train(
            {"text": lines}, target="next", input_kind="text:char", out=f"{folder}/run", **settings
        )
    print(model.task.sentence)
    print("the dog" + model.generate(steps=100, seed=1, prime="the dog", temperature=0.7))


if __name__ == "__main__":
    main()
