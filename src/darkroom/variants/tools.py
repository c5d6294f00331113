"""What a process holds for looking at variants: made once, shared by its steps."""

from darkroom.settings import Settings
from darkroom.vision.faces import FaceEmbedder, installed
from darkroom.vision.text import TextReader


def reader(settings: Settings) -> TextReader:
    """What reads the texts in pictures."""
    return TextReader()


def faces(settings: Settings) -> FaceEmbedder | None:
    """What tells faces apart; None where no such model is installed."""
    return installed(settings.insightface_dir)
