"""From a trained model to the page of its run."""

from elman.report.facts.page import check_installed, write_page

__all__ = ["check_installed", "write_page"]
