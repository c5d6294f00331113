"""What the studio offers: a tool a service."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tool:
    """A service as people find it: its page, its icon, its words."""

    service: str
    endpoint: str
    icon: str
    title: str
    about: str


TOOLS: tuple[Tool, ...] = ()

SERVICES = ("images", "prompts", "enhancing", "subtitles", "portraits", "faces", "videos")
"""The services, which are also the names of their pipelines."""
