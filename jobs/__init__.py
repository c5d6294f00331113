"""What the worker does: one file a pipeline, its steps in the order they run."""

from jobs import (
    catalog,
    counting,
    enhancing,
    faces,
    images,
    notifying,
    portraits,
    prompts,
    publishing,
    signalling,
    subtitles,
    upkeep,
    variants,
    videos,
)

__all__ = [
    "catalog",
    "counting",
    "enhancing",
    "faces",
    "images",
    "notifying",
    "portraits",
    "prompts",
    "publishing",
    "signalling",
    "subtitles",
    "upkeep",
    "variants",
    "videos",
]
