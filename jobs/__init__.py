"""What the worker does: one file a pipeline, its steps in the order they run."""

from jobs import counting

__all__ = ["counting"]
