"""Cues as files: SRT, WebVTT, ASS, JSON and plain text."""

import html
import json
from collections.abc import Sequence

from darkroom.media.subtitles.cues import Cue
from darkroom.media.subtitles.style import HEIGHT, POSITIONS, Style

_PARAGRAPH = 2000
"""Milliseconds of silence that begin a new paragraph of plain text."""
JOINER = "\u2060"
"""An unseen character: after a backslash, it keeps that from being an order to ASS."""
_ASS = """[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, Outline, Shadow, Alignment, \
MarginL, MarginR, MarginV, Encoding
Style: Default,{font},{size:g},{colour},{outline_colour},{outline:g},0,{position},\
{margin_x},{margin_x},{margin_y},1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def srt(cues: Sequence[Cue]) -> str:
    """SubRip."""
    blocks = [
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{_rows(cue)}\n"
        for number, cue in enumerate(cues, 1)
    ]
    return "\n".join(blocks)


def vtt(cues: Sequence[Cue]) -> str:
    """WebVTT."""
    blocks = [
        f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n"
        f"{html.escape(_rows(cue), quote=False)}\n"
        for cue in cues
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def ass(cues: Sequence[Cue], style: Style, font: str, size: tuple[int, int] = (1920, 1080)) -> str:
    """Advanced SubStation Alpha, for a picture of that width and height.

    Parameters
    ----------
    font : the family's name, as the font file says it
    """
    head = _ASS.format(
        width=round(size[0] * HEIGHT / min(size)), height=round(size[1] * HEIGHT / min(size)),
        font=font.replace(",", " "), size=style.size, outline=style.outline,
        colour=_colour(style.colour), outline_colour=_colour(style.outline_colour),
        position=POSITIONS[style.position], margin_x=style.margin_x, margin_y=style.margin_y,
    )  # fmt: skip
    lines = [
        f"Dialogue: 0,{_ass_time(cue.start)},{_ass_time(cue.end)},Default,,0,0,0,,"
        + r"\N".join(map(_plain, cue.lines))
        for cue in cues
    ]
    return head + "".join(f"{line}\n" for line in lines)


def as_json(cues: Sequence[Cue], language: str) -> str:
    """JSON, with seconds."""
    told = [
        {"start": cue.start / 1000, "end": cue.end / 1000, "lines": list(cue.lines)} for cue in cues
    ]
    return json.dumps({"language": language, "cues": told}, ensure_ascii=False, indent=1)


def text(cues: Sequence[Cue]) -> str:
    """Plain text: a paragraph ends where nobody speaks for two seconds."""
    paragraphs: list[list[str]] = []
    ended = -_PARAGRAPH
    for cue in cues:
        if cue.start - ended >= _PARAGRAPH:
            paragraphs.append([])
        paragraphs[-1].append(cue.text)
        ended = cue.end
    return "\n\n".join(" ".join(part) for part in paragraphs) + "\n"


def _rows(cue: Cue) -> str:
    # An arrow would be a time to a reader, and an empty row the cue's end.
    return "\n".join(line.replace("-->", "→") for line in cue.lines if line.strip())


def _time(at: int, point: str) -> str:
    seconds, milliseconds = divmod(at, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{milliseconds:03}"


def _ass_time(at: int) -> str:
    """Hundredths of a second."""
    return _time(at, ".")[1:-1]


def _plain(line: str) -> str:
    """Text that ASS shows as it is."""
    return line.replace("\\", f"\\{JOINER}").replace("{", r"\{").replace("}", r"\}")


def _colour(value: str) -> str:
    """ "#rrggbb" in the order of ASS, opaque."""
    red, green, blue = value[1:3], value[3:5], value[5:7]
    return f"&H00{blue}{green}{red}".upper()
