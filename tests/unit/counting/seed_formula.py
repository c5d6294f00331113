"""The formula that the band estimate replaces, as it was written down; for comparison only."""

import cv2
import numpy as np
from numpy.typing import NDArray

DEFAULT_AREA = {"plug": 50, "box": 200, "segment": 500}
ALPHA = 0.9


def estimate(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], boxes: NDArray[np.float64], kind: str
) -> int:
    """Plants that the formula adds to the detections of a container."""
    discs = np.zeros_like(mask)
    for x1, y1, x2, y2 in boxes:
        middle = (int((x1 + x2) / 2), int((y1 + y2) / 2))
        cv2.circle(discs, middle, int(max(x2 - x1, y2 - y1) / 2), 255, -1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    residual = cv2.morphologyEx(cv2.subtract(mask, discs), cv2.MORPH_OPEN, kernel)
    green = cv2.inRange(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), (35, 40, 40), (85, 255, 255))
    processed = cv2.bitwise_and(residual, green)
    height = len(mask) // 4
    return sum(
        _band(processed[start : start + height], boxes, start, start + height, kind)
        for start in range(0, 4 * height, height)
    )


def _band(
    processed: NDArray[np.uint8], boxes: NDArray[np.float64], start: int, stop: int, kind: str
) -> int:
    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    own = boxes[(middles >= start) & (middles <= stop)]
    sizes = (own[:, 2] - own[:, 0]) * (own[:, 3] - own[:, 1])
    area = float(np.mean(sizes)) if len(own) else DEFAULT_AREA[kind]
    return int(np.ceil(cv2.countNonZero(processed) / (area * ALPHA)))
