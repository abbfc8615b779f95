"""The axis legend and the types every part of Elman shares.

| letter | axis                                                     |
|--------|----------------------------------------------------------|
| B      | batch: rows                                              |
| T      | time: steps                                              |
| I      | input size                                               |
| H      | hidden size                                              |
| P      | size of h: the projection's where there is one, else H   |
| L      | layers                                                   |
| D      | directions: 1, or 2 where bidirectional                  |
| O      | output size                                              |

A capital is an axis length. Shapes are written time first: `x (T, B, I)`.
"""
