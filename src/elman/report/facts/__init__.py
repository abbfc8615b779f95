"""From a trained model to the page of its run."""

from elman.report.facts.page import write_page

__all__ = ["write_page"]
