"""Looking into a network: what it makes, and how its gradients flow."""
