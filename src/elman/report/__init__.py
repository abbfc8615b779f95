"""The report pages of runs and comparisons."""
