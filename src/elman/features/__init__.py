"""One file a kind of column: how raw data becomes tensors, and how it is scored and drawn again."""
