"""scikit-learn estimators that predict a class, a number or tags for each sequence.

```python
from elman.sklearn import SequenceClassifier

classifier = SequenceClassifier(random_state=1).fit(names, languages)
classifier.predict(["Kowalski"])
```

They are trained like `elman.train`, and the trained model is their `model_`. scikit-learn is an
extra: `pip install "elman[sklearn]"`.
"""

from __future__ import annotations

from elman.errors import import_extra

import_extra("sklearn", "sklearn", "elman.sklearn")

from elman.sklearn.estimators import (  # noqa: E402
    SequenceClassifier,
    SequenceRegressor,
    SequenceTagger,
)

__all__ = ["SequenceClassifier", "SequenceRegressor", "SequenceTagger"]
