"""Estimators of scikit-learn: sequences in; a class, a number or a tag a step out.

```python
from elman.sklearn import SequenceClassifier

classifier = SequenceClassifier(random_state=1).fit(names, languages)
classifier.predict(["Kowalski"])
```

They are trained as `elman.train` trains, and what it returns is their `model_`. scikit-learn comes
with an extra: `pip install "elman[sklearn]"`.
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
