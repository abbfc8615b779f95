"""The check of the data before training: what each column holds, what was found, what was decided.

| file              | finds                                                                        |
| ----------------- | ---------------------------------------------------------------------------- |
| `choice.py`       | which columns are read, and which are left out                               |
| `dates.py`        | dates and times                                                              |
| `constant.py`     | columns without a value, or with a single one                                |
| `ties.py`         | which column repeats or determines another                                   |
| `answers.py`      | columns that give the target away                                            |
| `naming.py`       | names that look alike, several names in one cell, codes, ids that repeat     |
| `hot.py`          | columns of zeros and ones, one a class or a label                            |
| `lengths.py`      | sequences of very unlike lengths                                             |
| `covariates.py`   | columns that a forecast reads beside its target                              |
| `targets.py`      | rows without a target                                                        |
| `sizes.py`        | parts and classes that are too small, classes that only one part has         |
| `finding.py`      | what one finding is, in words                                                |
| `profile.py`      | one line a column                                                            |
| `check.py`        | all of it together                                                           |
"""
