"""Plain faster-whisper against Darkroom's subtitles: same weights, same clips, same machine.

    python scripts/bench_subtitles.py [--clips FOLDER …]

A clip is a sound file with its transcript beside it (`.txt`); Debian's `pocketsphinx-testdata` is
taken as well where it is installed. Plain is `WhisperModel.transcribe` with word times and 8-bit
weights, as ours, and its segments as cues; ours is the whole of `Transcriber.transcribe`. Neither
is told the language. All clips of a language are also given joined, as one longer recording.

WER: words that differ in per cent of those in the transcripts, without case, accents and
punctuation, numbers as digits. Processor seconds are what counts: the clock's depend on what else
the machine does. RTF: processor seconds a second of sound. Violations are those of the rules in
`darkroom.media.subtitles.rules`.
"""

import argparse
import os
import re
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.audio import decode_audio
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from darkroom.media.subtitles.building import build
from darkroom.media.subtitles.checking import Report, check
from darkroom.media.subtitles.cues import Cue
from darkroom.settings import Settings
from darkroom.vision import whisper
from darkroom.vision.transcribe import RATE, Transcriber

ROOT = Path(__file__).resolve().parents[1]
SPEECH = ROOT.parent / "shared" / "speech"
SPHINX = Path("/usr/share/pocketsphinx/test/data/librivox")
PAUSE = np.zeros(RATE, np.float32)
"""Between joined clips."""
NUMBERS = {
    word: str(number)
    for words in (
        "zero one two three four five six seven eight nine ten",
        "cero uno dos tres cuatro cinco seis siete ocho nueve diez",
    )
    for number, word in enumerate(words.split())
}


@dataclass(frozen=True)
class Clip:
    """Speech, and what is said."""

    name: str
    language: str
    samples: NDArray[np.float32]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """A clip written down, timed."""

    errors: int
    processor: float
    seconds: float
    report: Report


@dataclass(frozen=True)
class Trial:
    """A clip written down both ways."""

    clip: Clip
    plain: Run
    ours: Run


def clips(folders: Iterable[Path]) -> list[Clip]:
    """All clips of the folders; files are named for their language (`es_…`, `…_en`)."""
    found = []
    for path in sorted(path for folder in folders for path in folder.iterdir()):
        text = path.with_suffix(".txt")
        if path.suffix != ".txt" and text.is_file():
            language = "es" if "es" in path.stem.split("_") else "en"
            said = normalised(text.read_text(encoding="utf-8"))
            found.append(Clip(path.stem, language, decode_audio(str(path)), said))
    return found


def sphinx() -> list[Clip]:
    """The LibriVox clips of Debian's package, where they are."""
    if not SPHINX.is_dir():
        return []
    found = []
    for line in (SPHINX / "transcription").read_text().splitlines():
        if told := re.fullmatch(r"<s>(.*)</s>\s*\((.*)\)", line.strip()):
            samples = decode_audio(str(SPHINX / f"{told[2]}.wav"))
            found.append(Clip(told[2][-20:], "en", samples, normalised(told[1])))
    return found


def joined(found: Sequence[Clip], language: str) -> Clip:
    """All clips of a language, one after the other."""
    ours = [clip for clip in found if clip.language == language]
    samples = np.concatenate([part for clip in ours for part in (clip.samples, PAUSE)])
    words = tuple(word for clip in ours for word in clip.words)
    return Clip(f"all {language}, joined", language, samples, words)


def normalised(text: str) -> tuple[str, ...]:
    """Words without case, accents and punctuation."""
    apart = unicodedata.normalize("NFKD", text.casefold().replace("'", "").replace("’", ""))
    words = re.findall(r"[a-z]+|\d+", "".join(c for c in apart if not unicodedata.combining(c)))
    return tuple(NUMBERS.get(word, word) for word in words)


def distance(wanted: Sequence[str], heard: Sequence[str]) -> int:
    """Words to replace, leave out or put in (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(wanted, 1):
        before, row[0] = row[0], count
        for at, other in enumerate(heard, 1):
            least = min(row[at] + 1, row[at - 1] + 1, before + (word != other))
            before, row[at] = row[at], least
    return row[-1]


def timed(clip: Clip, write: Callable[[NDArray[np.float32]], tuple[str, list[Cue]]]) -> Run:
    """One run over a clip."""
    started, processor = time.perf_counter(), time.process_time()
    text, cues = write(clip.samples)
    processor, seconds = time.process_time() - processor, time.perf_counter() - started
    errors = distance(clip.words, normalised(text))
    return Run(errors, processor, seconds, check(cues, clip.language))


def plain(model: Any) -> Callable[[NDArray[np.float32]], tuple[str, list[Cue]]]:
    """Faster-whisper as it comes; a segment is a cue."""

    def write(samples: NDArray[np.float32]) -> tuple[str, list[Cue]]:
        segments = list(model.transcribe(samples, word_timestamps=True)[0])
        cues = [
            Cue(round(part.start * 1000), round(part.end * 1000), (part.text.strip(),))
            for part in segments
        ]
        return "".join(part.text for part in segments), cues

    return write


def ours(transcriber: Transcriber) -> Callable[[NDArray[np.float32]], tuple[str, list[Cue]]]:
    """Darkroom's words and cues."""

    def write(samples: NDArray[np.float32]) -> tuple[str, list[Cue]]:
        heard = transcriber.transcribe(samples)
        cues = build(heard.words, heard.language or "")
        return "".join(word.text for word in heard.words), cues

    return write


def main() -> None:
    """Run both over all clips and print a table; the last line is `speedup N wer N`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, nargs="*", default=[SPEECH])
    found = clips(folder for folder in parser.parse_args().clips if folder.is_dir()) + sphinx()
    if not found:
        raise SystemExit("There are no clips here: name a folder with --clips.")
    weights_dir = Settings.from_env(os.environ).weights_dir
    ways = (plain(_model(weights_dir)), ours(Transcriber(weights_dir)))
    for way in ways:
        way(found[0].samples[: 5 * RATE])
    languages = sorted({clip.language for clip in found})
    long = [joined(found, language) for language in languages]
    runs = [Trial(clip, *(timed(clip, way) for way in ways)) for clip in [*found, *long]]
    show(runs)


def _model(weights_dir: Path) -> Any:
    if not whisper.is_here(weights_dir):
        whisper.fetch(weights_dir, shows_progress=True)
    return WhisperModel(str(whisper.folder(weights_dir)), device="cpu", compute_type="int8")


def show(trials: Sequence[Trial]) -> None:
    """The table, the sums of each language, and the last line."""
    heads = ("clip", "s", "WER plain", "WER ours", "RTF plain", "RTF ours", "times", "missed rules")
    table = Table(*heads, box=None)
    for trial in trials:
        table.add_row(*_row(trial.clip.name, [trial]))
    singly = [trial for trial in trials if not trial.clip.name.startswith("all ")]
    for language in sorted({trial.clip.language for trial in singly}):
        part = [trial for trial in singly if trial.clip.language == language]
        table.add_row(*_row(f"{language}, singly", part))
    Console(width=130).print(table)
    speedup, wer = _speedup(trials), _wer(trials, [trial.ours for trial in trials])
    print(f"speedup {speedup:.2f} wer {wer:.1f}")


def _row(name: str, trials: Sequence[Trial]) -> tuple[str, ...]:
    length = sum(len(trial.clip.samples) / RATE for trial in trials)
    plainly, ours = [trial.plain for trial in trials], [trial.ours for trial in trials]
    missed = [sum(len(run.report.violations) for run in runs) for runs in (plainly, ours)]
    avoidable = sum(len(run.report.avoidable) for run in ours)
    return (
        name, f"{length:.0f}", f"{_wer(trials, plainly):.1f}", f"{_wer(trials, ours):.1f}",
        f"{_processor(plainly) / length:.3f}", f"{_processor(ours) / length:.3f}",
        f"{_speedup(trials):.2f}", f"{missed[0]} → {missed[1]} ({avoidable} avoidable)",
    )  # fmt: skip


def _wer(trials: Sequence[Trial], runs: Sequence[Run]) -> float:
    """Per cent."""
    words = sum(len(trial.clip.words) for trial in trials)
    return 100 * sum(run.errors for run in runs) / words


def _speedup(trials: Sequence[Trial]) -> float:
    plainly = _processor([trial.plain for trial in trials])
    return plainly / _processor([trial.ours for trial in trials])


def _processor(runs: Sequence[Run]) -> float:
    """Seconds."""
    return sum(run.processor for run in runs)


if __name__ == "__main__":
    main()
