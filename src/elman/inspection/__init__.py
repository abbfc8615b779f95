"""Looking into a network: how its gradients flow back in time."""
