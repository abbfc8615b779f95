"""A trained model: it predicts, is measured, saved and loaded."""
