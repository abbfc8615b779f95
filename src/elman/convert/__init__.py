"""Weights in and out: torch.nn, Keras 3 and ONNX; every other convention lives only here.

|          | rows or columns            | LSTM    | GRU   | biases                     |
|----------|----------------------------|---------|-------|----------------------------|
| Elman    | rows, one block per gate   | i f g o | r z n | two: of W x and of R h     |
| torch.nn | rows                       | i f g o | r z n | two                        |
| Keras    | columns                    | i f c o | z r h | one; two with reset_after  |
| ONNX     | rows, the directions first | i o f c | z r h | two, side by side          |

The candidate g of an LSTM is called c there, and the candidate n of a GRU is called h.

Weights are copied, never shared, and stay the same to the last bit, with one exception: where Keras
has one bias, Elman's two are added.

Neither Keras nor onnx is imported: a layer or a node is read through its own methods. What
PyTorch's ONNX exporters make of a layer is in `onnx_export`.
"""

from elman.convert.keras import from_keras, from_keras_weights, to_keras_weights
from elman.convert.onnx import OnnxWeights, from_onnx, to_onnx
from elman.convert.onnx_export import onnx_symbolic, onnx_translations
from elman.convert.torch_nn import from_torch, to_torch

__all__ = [
    "OnnxWeights",
    "from_keras",
    "from_keras_weights",
    "from_onnx",
    "from_torch",
    "onnx_symbolic",
    "onnx_translations",
    "to_keras_weights",
    "to_onnx",
    "to_torch",
]
