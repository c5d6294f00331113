"""What the worker does: one file a pipeline, its steps in the order they run."""

from jobs import catalog, counting, notifying, publishing, signalling, upkeep, variants

__all__ = ["catalog", "counting", "notifying", "publishing", "signalling", "upkeep", "variants"]
