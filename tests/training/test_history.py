"""Which epoch is the best."""

from __future__ import annotations

from elman.experiment.training import Criterion
from elman.training.history import EpochRecord, History


def history_of(select: Criterion, *pairs: tuple[float, float | None]) -> History:
    history = History(select=select)
    for epoch, (loss, score) in enumerate(pairs, start=1):
        history = history.followed_by(
            EpochRecord(
                epoch=epoch,
                seconds=float(epoch),
                train_loss=1.0,
                valid_loss=loss,
                learning_rate=0.1,
                score=score,
            )
        )
    return history


PAIRS = ((3.0, 0.5), (2.0, 0.7), (2.5, 0.9), (2.0, 0.9), (4.0, 0.8))


def test_by_the_loss_the_first_epoch_with_the_lowest_is_the_best() -> None:
    history = history_of("loss", *PAIRS)
    assert history.best.epoch == 2
    assert history.costs == [3.0, 2.0, 2.5, 2.0, 4.0]
    assert history.epochs_since_best() == 3


def test_by_the_score_the_first_epoch_with_the_highest_is_the_best() -> None:
    history = history_of("score", *PAIRS)
    assert history.best.epoch == 3
    assert history.costs == [-0.5, -0.7, -0.9, -0.9, -0.8]
    assert history.epochs_since_best() == 2


def test_an_epoch_without_a_finite_score_is_worse_than_any_with_one() -> None:
    history = history_of("score", (1.0, None), (3.0, -1e9), (2.0, None))
    assert history.best.epoch == 2
    assert History.model_validate_json(history.model_dump_json()) == history


def test_while_no_epoch_has_a_finite_score_the_loss_decides() -> None:
    assert history_of("score", (3.0, None), (2.0, None), (4.0, None)).best.epoch == 2


def test_a_history_comes_back_from_json() -> None:
    history = history_of("score", *PAIRS)
    assert History.model_validate_json(history.model_dump_json()) == history


def test_an_empty_history_has_waited_for_nothing() -> None:
    assert History().epochs_since_best() == 0
    assert History().seconds == 0.0
