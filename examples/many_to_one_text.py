"""Many-to-one on text: is a review good or bad?

Half of the reviews have a "not", which turns them round: counting words is not enough.
"""

import random
from tempfile import TemporaryDirectory

import elman

PRAISE, BLAME = ["funny", "moving", "great"], ["dull", "weak", "loud"]


def review(rng: random.Random) -> tuple[str, str]:
    """Draw a review and its label."""
    praises, turned = rng.random() < 0.5, rng.random() < 0.5
    word = rng.choice(PRAISE if praises else BLAME)
    subject = rng.choice(["the film", "the plot", "this cast", "it"])
    text = f"{subject} was {'not ' if turned else ''}{rng.choice(['very', 'at all', 'so'])} {word}"
    return text, "good" if praises != turned else "bad"


def main() -> None:
    """Train on 500 reviews, measure on 200 others, and ask for two."""
    rng = random.Random(1)
    texts, labels = zip(*[review(rng) for _ in range(700)], strict=True)
    known = {"text": texts[:500], "label": labels[:500]}
    others = {"text": texts[500:], "label": labels[500:]}
    with TemporaryDirectory() as folder:
        model = elman.train(known, target="label", epochs=8, out=f"{folder}/run")
    print(model.task.sentence)
    print(f"accuracy on others: {model.evaluate(others)['accuracy']:.2f}")
    asked = ["the film was very funny", "the film was not very funny"]
    for text, label in zip(asked, model.predict(asked), strict=True):
        print(f"{text}: {label}")


if __name__ == "__main__":
    main()
