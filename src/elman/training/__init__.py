"""From a network and batches to trained weights: optimisation, checkpoints, progress, seeds."""
