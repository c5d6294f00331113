"""The mark of what a machine made: in the file, for programs, and to the eye where that is wished.

In the file it is XMP with the IPTC's "digital source type" [1]_, which search engines, social
networks and picture editors read. It is put into the finished file; pixels stay as they are.

.. [1] https://cv.iptc.org/newscodes/digitalsourcetype/
"""

import zlib
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from darkroom.media import fonts

Pixels = NDArray[np.uint8]

COMPOSED = "compositeCapture"
"""Put together of what was captured."""
GENERATED_IN_PART = "compositeWithTrainedAlgorithmicMedia"
"""Captured, with parts that a trained model made."""
GENERATED = "trainedAlgorithmicMedia"
"""Made by a trained model."""

JPEG, PNG, MP4 = "image/jpeg", "image/png", "video/mp4"
WORDS = "AI"
_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_BOX = UUID("be7acfcb-97a9-42e8-9c71-999491e3afac")
_PNG_HEAD = 33
"""Bytes of a PNG's signature and its first chunk."""
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
<xmp:CreatorTool>{tool}</xmp:CreatorTool>
<Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""
_LABEL_SHARE, _LEAST_LABEL = 0.03, 12
"""Height of the visible mark, of the picture's shorter side; in pixels at least."""


@dataclass(frozen=True)
class Mark:
    """How something came to be: one of the kinds above, and the engine that did it."""

    kind: str
    engine: str

    @property
    def xmp(self) -> bytes:
        """The mark as XMP."""
        tool = escape(f"Darkroom ({self.engine})")
        return _XMP.format(tool=tool, source=_TYPES + self.kind).encode()


def embed(path: Path, mime: str, mark: Mark) -> None:
    """Put the mark into a JPEG, PNG or MP4 file that has none."""
    if mime == MP4:
        with path.open("ab") as file:
            file.write(_box(_XMP_BOX.bytes + mark.xmp))
        return
    data = path.read_bytes()
    head, part = _PNG_HEAD, _chunk(mark.xmp)
    if mime == JPEG:
        head, part = _jpeg_head(data), _segment(mark.xmp)
    path.write_bytes(data[:head] + part + data[head:])


def drawn(pixels: Pixels) -> Pixels:
    """The picture (H, W, 3) with the visible mark in its lower right corner."""
    image = Image.fromarray(pixels)
    label = label_for(image.size)
    gap = label.height // 3
    image.paste(label, (image.width - label.width - gap, image.height - label.height - gap), label)
    return np.asarray(image)


def label_for(size: tuple[int, int]) -> Image.Image:
    """The visible mark of a picture of (width, height) pixels.

    White letters on a dark ground that lets some of the picture through.
    """
    height = max(_LEAST_LABEL, round(_LABEL_SHARE * min(size)))
    font = ImageFont.truetype(str(fonts.default().path), height)
    left, top, right, bottom = font.getbbox(WORDS)
    room = height // 3
    ground = int(right - left) + 2 * room, int(bottom - top) + 2 * room
    label = Image.new("RGBA", ground, (0, 0, 0, 150))
    ImageDraw.Draw(label).text((room - left, room - top), WORDS, (255, 255, 255, 255), font)
    return label


def _jpeg_head(data: bytes) -> int:
    """Where the first segment may begin: JFIF's own comes before all others."""
    if data[2:4] != b"\xff\xe0":
        return 2
    return 4 + int.from_bytes(data[4:6], "big")


def _segment(xmp: bytes) -> bytes:
    content = _XMP_NAME + xmp
    return b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content


def _chunk(xmp: bytes) -> bytes:
    # Not packed, and in no language.
    content = b"iTXt" + b"XML:com.adobe.xmp\0" + b"\0\0" + b"\0\0" + xmp
    length = (len(content) - 4).to_bytes(4, "big")
    return length + content + zlib.crc32(content).to_bytes(4, "big")


def _box(content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + b"uuid" + content
