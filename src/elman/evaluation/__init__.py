"""Measuring trained networks, and setting the measurements side by side."""
