"""Hearing a file: what is said in it, and the cues of that."""

from dataclasses import dataclass
from pathlib import Path

from darkroom.gated import models
from darkroom.media import sound
from darkroom.media.sound import Media, Samples
from darkroom.media.subtitles import building, rules
from darkroom.media.subtitles.cues import Cue
from darkroom.queue.task import Task
from darkroom.vision.models import transcriber
from darkroom.vision.transcribe import Transcript

OPERATION = "hear"
ENGINE = "faster-whisper base"
_EXTRACTING = 0.1
"""The part of the work that reading the sound is."""
_MINUTE = 60


@dataclass(frozen=True)
class Heard:
    """What was said in a file, and its cues.

    Attributes
    ----------
    seconds : that its sound lasts
    """

    media: Media
    transcript: Transcript
    cues: tuple[Cue, ...]
    seconds: float

    @property
    def fps(self) -> float:
        """Frames a second of its video; `rules.FPS` of sound alone."""
        return fps_of(self.media)


def hear(task: Task, path: Path, folder: Path, language: str | None, *, upto: float = 1.0) -> Heard:
    """Write down a sound or video file.

    Parameters
    ----------
    folder : for what lasts no longer than this
    language : that is spoken; None finds it out
    upto : the progress of the step when this is done

    Raises
    ------
    Invalid
        When there is no sound in it, it is broken, or longer than two hours.
    """
    media = sound.look_at(path)

    def told(seconds: float) -> None:
        share = min(1.0, seconds / media.seconds) if media.seconds else 0.0
        task.progress(upto * _EXTRACTING * share, "reading the sound")

    samples = sound.samples(path, folder, told=told, stop=task.checkpoint)
    transcript = _transcribed(task, samples, language, upto)
    cues = building.build(transcript.words, transcript.language or "en", fps_of(media))
    return Heard(media, transcript, tuple(cues), len(samples) / sound.RATE)


def fps_of(media: Media) -> float:
    """Frames a second of a video; `rules.FPS` of sound alone."""
    return media.picture.fps if media.picture else rules.FPS


def _transcribed(task: Task, samples: Samples, language: str | None, upto: float) -> Transcript:
    def told(done: float, seconds: float) -> None:
        share = _EXTRACTING + (1 - _EXTRACTING) * min(1.0, done / seconds)
        task.progress(
            upto * share,
            "writing down what is said: minute {minute} of {minutes}",
            minute=int(done // _MINUTE) + 1,
            minutes=int(seconds // _MINUTE) + 1,
        )

    model = transcriber(task.settings.weights_dir)
    models.load(task, model, OPERATION)
    told(0.0, len(samples) / sound.RATE)
    with models.using(task, model, OPERATION) as loaded:
        return loaded.transcribe(samples, language=language, told=told, stop=task.checkpoint)
