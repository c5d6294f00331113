"""What the worker does: one file a pipeline, its steps in the order they run."""

from jobs import counting, notifying, signalling, upkeep

__all__ = ["counting", "notifying", "signalling", "upkeep"]
