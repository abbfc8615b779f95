"""Kinds of columns, one file each: how values become tensors, and tensors values again."""
