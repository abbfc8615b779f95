"""Estimators of scikit-learn: sequences in; a class, a number or a tag a step out.

```python
from elman.sklearn import SequenceClassifier

classifier = SequenceClassifier(random_state=1).fit(names, languages)
classifier.predict(["Kowalski"])
```

They are trained as `elman.train` trains, and what it returns is their `model_`. scikit-learn is not
installed with Elman: `pip install scikit-learn`.
"""

from __future__ import annotations

try:
    from elman.sklearn.estimators import SequenceClassifier, SequenceRegressor, SequenceTagger
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "sklearn":
        raise
    raise ModuleNotFoundError(
        "elman.sklearn needs scikit-learn, which is not installed: pip install scikit-learn. "
        "elman.train learns from the same values without it.",
        name=error.name,
    ) from error

__all__ = ["SequenceClassifier", "SequenceRegressor", "SequenceTagger"]
