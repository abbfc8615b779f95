"""Many-to-one on text: is a review good or bad?

Half of the reviews have a "not", which reverses them: counting words is not enough.
"""

import random
from tempfile import TemporaryDirectory

import elman

PRAISE, BLAME = ["funny", "moving", "great"], ["dull", "weak", "loud"]


def review(rng: random.Random) -> tuple[str, str]:
    """Draw a random review and its class."""
    praises, negated = rng.random() < 0.5, rng.random() < 0.5
    word = rng.choice(PRAISE if praises else BLAME)
    subject = rng.choice(["the film", "the plot", "this cast", "it"])
    text = f"{subject} was {'not ' if negated else ''}{rng.choice(['very', 'at all', 'so'])} {word}"
    return text, "good" if praises != negated else "bad"


def main() -> None:
    """Train on 500 reviews, evaluate on 200 others, and predict two."""
    rng = random.Random(1)
    texts, labels = zip(*[review(rng) for _ in range(700)], strict=True)
    train = {"text": texts[:500], "label": labels[:500]}
    test = {"text": texts[500:], "label": labels[500:]}
    with TemporaryDirectory() as folder:
        model = elman.train(train, target="label", epochs=8, out=f"{folder}/run")
    print(model.task.sentence)
    print(f"test accuracy: {model.evaluate(test)['accuracy']:.2f}")
    reviews = ["the film was very funny", "the film was not very funny"]
    for text, label in zip(reviews, model.predict(reviews), strict=True):
        print(f"{text}: {label}")


if __name__ == "__main__":
    main()
