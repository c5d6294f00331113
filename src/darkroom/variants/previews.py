"""What is shown of a variant before it is unlocked: reduced, and marked all over."""

import cv2
import numpy as np

from darkroom.storage.images import Pixels

MARK = "DARKROOM PREVIEW"
FONT = cv2.FONT_HERSHEY_DUPLEX
LETTERS = 1 / 22
"""The height of the mark's letters, in parts of the picture's shorter side."""
STRENGTH = 0.28
TILT = 30.0


def preview(pixels: Pixels, side: int) -> Pixels:
    """The picture with its longer side at most `side` pixels and the mark across all of it."""
    return marked(reduced(pixels, side))


def reduced(pixels: Pixels, side: int) -> Pixels:
    """The picture with its longer side at most `side` pixels."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels.copy()
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def marked(pixels: Pixels) -> Pixels:
    """The picture with the mark in tilted rows, light with a dark edge: seen on any ground."""
    height, width = pixels.shape[:2]
    light, dark = _rows(height, width)
    seen = pixels.astype(np.float32)
    for mask, tone in ((dark, 0.0), (light, 255.0)):
        weight = (STRENGTH * mask)[..., None]
        seen += (tone - seen) * weight
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def _rows(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the letters are and where their edges are: two masks (H, W), 0 to 1."""
    side = int(np.hypot(height, width)) + 2
    scale = cv2.getFontScaleFromHeight(FONT, max(8, round(min(height, width) * LETTERS)))
    (wide, high), _ = cv2.getTextSize(MARK, FONT, scale, 1)
    masks = []
    for thickness in (max(1, round(scale)), max(3, round(3 * scale))):
        canvas = np.zeros((side, side), np.uint8)
        for row, y in enumerate(range(high, side + high, 4 * high)):
            for x in range(-(row % 2) * wide * 3 // 4, side, wide * 3 // 2):
                cv2.putText(canvas, MARK, (x, y), FONT, scale, (255,), thickness, cv2.LINE_AA)
        masks.append(_tilted(canvas, height, width))
    light, wider = (mask.astype(np.float32) / 255 for mask in masks)
    return light, np.clip(wider - light, 0, 1)


def _tilted(canvas: np.ndarray, height: int, width: int) -> np.ndarray:
    side = canvas.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), TILT, 1.0)
    turned = cv2.warpAffine(canvas, turn, (side, side), borderMode=cv2.BORDER_WRAP)
    top, left = (side - height) // 2, (side - width) // 2
    return np.asarray(turned[top : top + height, left : left + width])
