"""From an experiment to a directory that holds trained models and their measurements."""
