"""From a trained model to the page of its run."""

from elman.report.facts.page import notes_of_page, write_page

__all__ = ["notes_of_page", "write_page"]
