"""The pages that show what was trained."""
