"""A trained model: predict, evaluate, save and load."""
