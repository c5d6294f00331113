"""The band estimation that ours replaces, as it was written down, faults and all.

Only for comparison. What it is given in its own pipeline it cannot work on: a mask of the whole
photo beside a crop, and detections that have been moved to the photo's pixels. Here all three are
the crop's; the rest is as it was.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

DEFAULT_AREA = {"plug": 50, "box": 200, "segment": 500}


@dataclass(frozen=True)
class Band:
    """What was estimated in rows `y_start` to `y_end`, and the mask (H, W) that was counted."""

    y_start: int
    y_end: int
    estimated_count: int
    processed: NDArray[np.uint8]


def bands(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], boxes: NDArray[np.float64], kind: str
) -> list[Band]:
    """The plants that the formula adds to the detections (N, 4) of a container, band by band."""
    detection_mask = np.zeros_like(mask, dtype=np.uint8)
    for x1, y1, x2, y2 in boxes:
        r = int(max(x2 - x1, y2 - y1) / 2)
        cv2.circle(detection_mask, (int((x1 + x2) / 2), int((y1 + y2) / 2)), r, 255, -1)
    residual = cv2.subtract(mask, detection_mask)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    residual = cv2.morphologyEx(residual, cv2.MORPH_OPEN, kernel)
    h = image.shape[0]
    starts = [i * (h // 4) for i in range(4)]
    ends = [*starts[1:], h]
    return [
        _band(image, np.asarray(residual, np.uint8), boxes, kind, rows)
        for rows in zip(starts, ends, strict=True)
    ]


def estimate(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], boxes: NDArray[np.float64], kind: str
) -> int:
    """The plants that the formula adds to the detections of a container."""
    return sum(band.estimated_count for band in bands(image, mask, boxes, kind))


def _band(
    image: NDArray[np.uint8],
    residual: NDArray[np.uint8],
    boxes: NDArray[np.float64],
    kind: str,
    rows: tuple[int, int],
) -> Band:
    y_start, y_end = rows
    hsv = cv2.cvtColor(image[y_start:y_end], cv2.COLOR_RGB2HSV)
    vegetation = cv2.inRange(hsv, (35, 40, 40), (85, 255, 255))
    _, floor = cv2.threshold(vegetation, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    processed = np.asarray(cv2.bitwise_and(residual[y_start:y_end], floor), np.uint8)
    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    own = boxes[(y_start <= middles) & (middles <= y_end)]
    sizes = (own[:, 2] - own[:, 0]) * (own[:, 3] - own[:, 1])
    area = float(np.mean(sizes)) if len(own) else DEFAULT_AREA.get(kind, 200)
    alpha = 0.9
    count = int(np.ceil(cv2.countNonZero(processed) / (area * alpha)))
    return Band(y_start, y_end, max(0, count), processed)
