"""Which predictor suits which class of tasks."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from elman.experiment import Experiment
from elman.prediction.forecaster import ForecastPredictor
from elman.prediction.joint import JointPredictor
from elman.prediction.next_frame import NextFramePredictor
from elman.prediction.next_step import NextStepPredictor
from elman.prediction.predictor import Predictor
from elman.prediction.targets import FramesPredictor, TargetPredictor
from elman.prediction.written import WritingPredictor
from elman.tasks.forecast import ForecastTask
from elman.tasks.joint import JointTask
from elman.tasks.next_frame import NextFrameTask
from elman.tasks.next_step import NextStepTask
from elman.tasks.prediction import FramesTask, PredictionTask
from elman.tasks.task import Task
from elman.tasks.writing import WritingTask

_PREDICTORS: Mapping[type[Task], type[Predictor]] = {
    PredictionTask: TargetPredictor,
    JointTask: JointPredictor,
    FramesTask: FramesPredictor,
    NextStepTask: NextStepPredictor,
    NextFrameTask: NextFramePredictor,
    WritingTask: WritingPredictor,
    ForecastTask: ForecastPredictor,
}


def predictor_of(task: Task, network: nn.Module, experiment: Experiment) -> Predictor:
    """Return the predictor of a network and its task.

    Args:
        task: what is predicted from what.
        network: with its objective.
        experiment: complete.
    """
    return _PREDICTORS[type(task)](task, network, experiment)
