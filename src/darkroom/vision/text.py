"""Text in pictures, read by RapidOCR with the PP-OCR models that its package carries.

Nothing is fetched. The models know Latin script with its accents, beside Chinese and Japanese.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rapidocr import RapidOCR

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

LONGEST_SIDE = 1536
"""Text is looked for in the picture at no more than this, which bounds time and memory (0.7 GB)."""
_UPRIGHT = 1.5
"""A region this much higher than wide is read from the side."""
_MODELS = {
    "Det": "PP-OCRv6_det_small.onnx",
    "Cls": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec": "PP-OCRv6_rec_small.onnx",
}


@dataclass(frozen=True, eq=False)
class TextRegion:
    """A line of text in a picture.

    Attributes
    ----------
    polygon : (4, 2) corners in pixels: top left, top right, bottom right, bottom left
    text : as read; may be empty where nothing could be made of it
    score : 0 to 1, how sure the reading is
    """

    polygon: Floats
    text: str
    score: float

    @property
    def height(self) -> float:
        """Of the line, in pixels."""
        left, right = self.polygon[3] - self.polygon[0], self.polygon[2] - self.polygon[1]
        return float(np.linalg.norm(left) + np.linalg.norm(right)) / 2


class TextReader:
    """Reads text. Thread-safe: one reading at a time. The models are loaded by the first one."""

    def __init__(self) -> None:
        self._engine: RapidOCR | None = None
        self._reading = threading.Lock()

    def read(self, pixels: Pixels) -> list[TextRegion]:
        """The lines of text in RGB pixels (H, W, 3), from top to bottom.

        Lines are looked for in the picture at most `LONGEST_SIDE` pixels long, and read at full
        size: in a picture of 8K letters must be some 40 pixels high to be found. What cannot be
        read for sure is in the answer, too: mind the score.
        """
        with self._reading:
            return [self._region(pixels, polygon) for polygon in self._lines(pixels)]

    def _lines(self, pixels: Pixels) -> list[Floats]:
        small = _bounded(pixels)
        found = self._loaded()(_bgr(small), use_det=True, use_cls=False, use_rec=False)
        if found.boxes is None:
            return []
        height, width = pixels.shape[:2]
        scale = np.array((width / small.shape[1], height / small.shape[0]), np.float32)
        return [np.asarray(box, np.float32) * scale for box in found.boxes]

    def _region(self, pixels: Pixels, polygon: Floats) -> TextRegion:
        line = _straightened(pixels, polygon)
        read = self._loaded()(_bgr(line), use_det=False, use_cls=True, use_rec=True)
        text, score = (read.txts[0], read.scores[0]) if read.txts else ("", 0.0)
        return TextRegion(polygon, str(text).strip(), float(score))

    def _loaded(self) -> Any:
        if self._engine is None:
            self._engine = _engine()
        return self._engine


def _engine() -> "RapidOCR":
    import rapidocr

    folder = Path(rapidocr.__file__).with_name("models")
    # Without a path it would fetch a model that it misses.
    paths = {f"{part}.model_path": str(folder / name) for part, name in _MODELS.items()}
    engines = {f"{part}.engine_type": rapidocr.EngineType.OPENVINO for part in _MODELS}
    return rapidocr.RapidOCR(params={"Global.log_level": "critical", **paths, **engines})


def _bounded(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = LONGEST_SIDE / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _straightened(pixels: Pixels, polygon: Floats) -> Pixels:
    """The line alone, cut out and laid level."""
    across = np.linalg.norm(polygon[[1, 2]] - polygon[[0, 3]], axis=1).max()
    down = np.linalg.norm(polygon[[3, 2]] - polygon[[0, 1]], axis=1).max()
    width, height = max(1, round(float(across))), max(1, round(float(down)))
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(polygon, corners)
    level = cv2.warpPerspective(
        pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(np.rot90(level) if height >= _UPRIGHT * width else level, np.uint8)


def _bgr(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., ::-1])
