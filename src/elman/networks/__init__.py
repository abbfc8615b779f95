"""Networks: one file a category, and how a specification becomes one."""

from elman.networks.build import hidden_size_for, many_to_many
from elman.networks.many_to_many import ManyToMany

__all__ = ["ManyToMany", "hidden_size_for", "many_to_many"]
