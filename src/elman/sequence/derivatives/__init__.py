"""Derivatives of the gradients of a cell over time, by hand: docs/second-order.md derives them.

The gradient of a run is linear in the gradients of its outputs, so its derivative along a direction
has two parts: how the run's values change along it, from the first step to the last, and how the
gradients of the states then change, from the last step to the first. Each is a loop over a
linear recurrence whose coefficients follow from the gates that the forward pass kept; all else is
done for all steps at once.
"""
