"""What the studio offers: a tool a service."""

from dataclasses import dataclass

from darkroom.web.words import N_


@dataclass(frozen=True)
class Tool:
    """A service as people find it: its page, its icon, its words."""

    service: str
    endpoint: str
    icon: str
    title: str
    about: str


TOOLS: tuple[Tool, ...] = (
    Tool(
        "images",
        "generation.form",
        "photo",
        N_("Make a picture"),
        N_("Of words, in the style and shape you choose."),
    ),
    Tool(
        "enhancing",
        "enhancing.form",
        "enlarge",
        N_("Enlarge"),
        N_("Pictures and short videos, up to four times as large."),
    ),
    Tool(
        "portraits",
        "portraits.form",
        "sound",
        N_("Portraits"),
        N_("A portrait that says what a recording says."),
    ),
    Tool(
        "faces",
        "faces.form",
        "face",
        N_("Face swap"),
        N_("The face of one picture in another."),
    ),
    Tool(
        "videos",
        "videos.slideshow",
        "film",
        N_("Make a video"),
        N_("Of your pictures and clips, with titles, music and subtitles."),
    ),
    Tool(
        "subtitles",
        "subtitles.form",
        "words",
        N_("Subtitles"),
        N_("What is said in a video or a recording, to be read, changed and shown."),
    ),
)

ICONS = {tool.service: tool.icon for tool in TOOLS} | {"prompts": "words"}
"""What stands for a request that has no picture."""

SERVICES = ("images", "prompts", "enhancing", "subtitles", "portraits", "faces", "videos")
"""The services, which are also the names of their pipelines."""
