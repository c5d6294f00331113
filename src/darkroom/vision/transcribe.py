"""Speech to words with their times: Whisper, run by faster-whisper.

Where somebody speaks is found first, and what lies close together is packed into passages of at
most 30 seconds, Whisper's window. Passages go through the network several at a time. One that came
out empty, in part or babbling is given to it again alone, with the care that batches do without:
from window to window, less sure of itself each time it fails.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import Invalid
from darkroom.vision import whisper
from darkroom.vision.runtime import pick_device

if TYPE_CHECKING:
    from faster_whisper.transcribe import Segment

Samples = NDArray[np.float32]
Told = Callable[[float, float], None]
Stop = Callable[[], None]

RATE = 16_000
"""Samples a second that Whisper hears."""
WINDOW = 30.0
"""Seconds that it hears at once."""
BATCH = 8
"""Passages at a time."""
BEAMS = 1
"""Five take 12 % longer. They made no English word better and 3 Spanish ones of 93, of which 12 are
wrong with one, and 18 with plain faster-whisper's five."""
_SILENCE_MS = 160
_UNHEARD = 1.0
"""Seconds of speech without any word in them that are heard again."""
_BABBLE = 2.4
_UNSURE = -1.0
"""Whisper's own limits: how well a text may be compressed, and its mean log probability."""


@dataclass(frozen=True)
class Word:
    """A word: text (with a space before it where one belongs), seconds, how sure (0 to 1)."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class Span:
    """From second to second."""

    start: float
    end: float


@dataclass(frozen=True)
class Transcript:
    """What was said.

    Attributes
    ----------
    language : its code ("es"); None where nobody speaks
    certainty : 0 to 1 that it is this language; 1 where it was given
    words : in their order
    repeated : how many passages were heard again alone
    """

    language: str | None
    certainty: float
    words: tuple[Word, ...]
    repeated: int


class Transcriber:
    """Writes down speech. Not thread-safe.

    Parameters
    ----------
    weights_dir : where weights lie; Whisper's are fetched when they are first needed
    device : "cpu", "cuda" or None for the best there is
    threads : of the CPU; 0 leaves it to CTranslate2
    """

    def __init__(self, weights_dir: Path, *, device: str | None = None, threads: int = 0) -> None:
        self._weights_dir = weights_dir
        self._device = device or pick_device()
        self._threads = threads

    def transcribe(
        self,
        samples: Samples,
        *,
        language: str | None = None,
        told: Told = lambda done, seconds: None,
        stop: Stop = lambda: None,
    ) -> Transcript:
        """The words of a recording (N,), 16 000 samples a second from −1 to 1.

        Parameters
        ----------
        language : that is spoken ("es"); None finds it out
        told : called with (seconds heard, seconds there are)
        stop : called before each batch; raises to stop

        Raises
        ------
        Invalid
            When Whisper does not know the language.
        Permanent
            When its weights cannot be had.
        """
        if language is not None and language not in self._model.supported_languages:
            raise Invalid(f"Whisper does not know the language {language!r}.", "language")
        spans = self._speech(samples)
        if not spans:
            return Transcript(None, 1.0, (), 0)
        passages = packed(spans)
        stop()
        known = (language, 1.0) if language else None
        spoken, certainty = known or self._detect(samples, passages[:BATCH])
        hearing = _Hearing(self._model, samples, spoken)
        words: list[Word] = []
        for first in range(0, len(passages), BATCH):
            stop()
            part = passages[first : first + BATCH]
            words += hearing.words(part, spans, stop)
            told(part[-1].end, len(samples) / RATE)
        return Transcript(spoken, certainty, tuple(words), hearing.repeated)

    @cached_property
    def _model(self) -> Any:
        if not whisper.is_here(self._weights_dir):
            whisper.fetch(self._weights_dir)
        return _remembering()(
            str(whisper.folder(self._weights_dir)),
            device=self._device,
            compute_type="int8" if self._device == "cpu" else "float16",
            cpu_threads=self._threads,
            local_files_only=True,
        )

    def _speech(self, samples: Samples) -> list[Span]:
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        options = VadOptions(max_speech_duration_s=WINDOW, min_silence_duration_ms=_SILENCE_MS)
        found = get_speech_timestamps(samples, options)
        return [Span(part["start"] / RATE, part["end"] / RATE) for part in found]

    def _detect(self, samples: Samples, passages: Sequence[Span]) -> tuple[str, float]:
        """The language that most of the passages seem to be in, and how sure that is."""
        from faster_whisper.audio import pad_or_trim

        # As the batch will be: the network then remembers what it heard.
        extract = self._model.feature_extractor
        features = [pad_or_trim(extract(_cut(samples, part))[..., :-1]) for part in passages]
        votes: Counter[str] = Counter()
        for guesses in self._model.model.detect_language(self._model.encode(np.stack(features))):
            votes.update({token.strip("<|>"): chance for token, chance in guesses})
        ((found, sure),) = votes.most_common(1)
        return found, sure / len(passages)


def _remembering() -> type[Any]:
    """Whisper's model, remembering what it heard last: once for the language, once for words."""
    from faster_whisper import WhisperModel

    class Remembering(WhisperModel):  # type: ignore[misc]
        _heard: tuple[Samples, Any] | None = None

        def encode(self, features: Samples) -> Any:
            shaped = features.reshape(-1, *features.shape[-2:])
            if self._heard is None or not np.array_equal(self._heard[0], shaped):
                self._heard = shaped, super().encode(features)
            return self._heard[1]

    return Remembering


@dataclass
class _Hearing:
    """One recording being written down, in one language."""

    model: Any
    samples: Samples
    language: str
    repeated: int = 0

    def words(self, passages: Sequence[Span], spans: Sequence[Span], stop: Stop) -> list[Word]:
        """What is said in these passages."""
        words: list[Word] = []
        heard = self._batched(passages)
        for passage, segments in zip(passages, heard, strict=True):
            found = _words(segments)
            if _is_suspect(segments) or unheard(found, spans, passage):
                stop()
                found = self._better(passage, found)
            words += found
        return words

    def _batched(self, passages: Sequence[Span]) -> list[list["Segment"]]:
        """The segments of each passage."""
        from faster_whisper import BatchedInferencePipeline

        clips = [{"start": passage.start, "end": passage.end} for passage in passages]
        segments, _ = BatchedInferencePipeline(self.model).transcribe(
            self.samples, language=self.language, clip_timestamps=clips, batch_size=BATCH,
            beam_size=BEAMS, word_timestamps=True,
        )  # fmt: skip
        heard: list[list[Segment]] = [[] for _ in passages]
        ends = [passage.end for passage in passages[:-1]]
        for segment in segments:
            middle = (segment.start + segment.end) / 2
            heard[int(np.searchsorted(ends, middle))].append(segment)
        return heard

    def _better(self, passage: Span, found: list[Word]) -> list[Word]:
        """The passage heard alone; what was found before where that hears no more."""
        self.repeated += 1
        segments, _ = self.model.transcribe(
            _cut(self.samples, passage), language=self.language, word_timestamps=True,
            condition_on_previous_text=False,
        )  # fmt: skip
        kept = [segment for segment in segments if not _is_suspect([segment])]
        again = [
            Word(word.text, word.start + passage.start, word.end + passage.start, word.probability)
            for word in _words(kept)
        ]
        return again or found


def packed(spans: Sequence[Span]) -> list[Span]:
    """Passages of at most a window, each from the beginning of one span to the end of another."""
    passages: list[Span] = []
    for span in spans:
        if passages and span.end - passages[-1].start <= WINDOW:
            passages[-1] = Span(passages[-1].start, span.end)
        else:
            passages.append(span)
    return passages


def unheard(words: Sequence[Word], spans: Sequence[Span], passage: Span) -> bool:
    """Whether somebody speaks in the passage for a second or more and no word was heard there."""
    inside = [span for span in spans if passage.start <= span.start and span.end <= passage.end]
    return any(
        span.end - span.start >= _UNHEARD
        and not any(word.start < span.end and word.end > span.start for word in words)
        for span in inside
    )


def _is_suspect(segments: Sequence["Segment"]) -> bool:
    """Whether nothing was heard, or what may be babble."""
    return not segments or any(
        segment.compression_ratio > _BABBLE or segment.avg_logprob < _UNSURE for segment in segments
    )


def _words(segments: Iterable["Segment"]) -> list[Word]:
    return list(_each_word(segments))


def _each_word(segments: Iterable["Segment"]) -> Iterator[Word]:
    for segment in segments:
        for word in segment.words or ():
            yield Word(word.word, float(word.start), float(word.end), float(word.probability))


def _cut(samples: Samples, span: Span) -> Samples:
    return samples[int(span.start * RATE) : int(span.end * RATE)]
