"""Which part of a picture is its subject: what differs from the picture's rim.

The rim's colours are what the ground looks like. What is like them and joined to the rim is ground;
GrabCut draws the line between the rest, and a guided filter (He et al. 2013, "Guided Image
Filtering") carries the mask to the full size along the picture's own edges.
"""

import cv2
import numpy as np
import numpy.typing as npt

from darkroom.sandbox.pictures.pixels import Mask, Pixels

SIDE = 320
RIM = 0.035
ROUNDS = 4
SPECK = 0.04
"""Pieces smaller than that share of the largest are no subject."""
LEAST, MOST = 0.015, 0.93

Labels = npt.NDArray[np.uint8]


def subject(pixels: Pixels) -> Mask:
    """How much each pixel is subject, 0 to 1, with soft edges. Deterministic."""
    small = _small(pixels)
    mask = _whole(_cut(small))
    return _carried(mask, pixels)


def _small(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _cut(small: Pixels) -> Labels:
    """1 where the subject is."""
    far = _unlikeness(small)
    threshold = max(9.0, min(_otsu(far), 30.0))
    ground = _joined_to_rim(far < threshold * _doubt(far.shape))
    if _is_even(far):
        return (~ground).astype(np.uint8)
    labels = np.where(ground, cv2.GC_PR_BGD, cv2.GC_PR_FGD).astype(np.uint8)
    labels[_rim(small.shape[:2])] = cv2.GC_BGD
    if not (labels == cv2.GC_PR_FGD).any():
        return _middle(small.shape[:2])
    cv2.setRNGSeed(1)
    ground_model, subject_model, mode = np.zeros((1, 65)), np.zeros((1, 65)), cv2.GC_INIT_WITH_MASK
    cv2.grabCut(small, labels, (0, 0, 1, 1), ground_model, subject_model, ROUNDS, mode)
    found = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    return found if LEAST < found.mean() < MOST else _middle(small.shape[:2])


def _unlikeness(small: Pixels) -> npt.NDArray[np.float32]:
    """How far each colour is from the nearest of the rim's, in Lab."""
    smooth = cv2.GaussianBlur(small, (0, 0), 1.2)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB).astype(np.float32)
    # Light falls unevenly on one and the same ground.
    lab[..., 0] *= 0.6
    rim = lab[_rim(small.shape[:2])]
    cv2.setRNGSeed(1)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    count = min(4, len(rim))
    best = np.zeros((len(rim), 1), np.int32)
    _, _, centres = cv2.kmeans(rim, count, best, criteria, 2, cv2.KMEANS_PP_CENTERS)
    distances = [np.linalg.norm(lab - centre, axis=2) for centre in np.asarray(centres)]
    return np.asarray(np.min(distances, axis=0), np.float32)


def _doubt(shape: tuple[int, ...]) -> Mask:
    """How unlike the rim a subject must be: less so in the middle, where subjects are."""
    rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape[:2])
    away = np.hypot(rows[:, None], columns[None, :]) / np.sqrt(2)
    return np.asarray(0.45 + 1.1 * away, np.float32)


def _is_even(far: npt.NDArray[np.float32]) -> bool:
    """Whether the rim is of so few colours that no more than a flood is needed."""
    return bool(np.percentile(far[_rim(far.shape)], 97) < 5.0)


def _rim(shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    height, width = shape[:2]
    wide = max(2, round(RIM * min(height, width)))
    rim = np.ones((height, width), bool)
    rim[wide:-wide, wide:-wide] = False
    return rim


def _otsu(far: npt.NDArray[np.float32]) -> float:
    clipped = np.clip(far, 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(clipped, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(threshold)


def _joined_to_rim(ground: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    _, labels = cv2.connectedComponents(ground.astype(np.uint8), connectivity=4)
    labels = np.asarray(labels)
    reached = np.unique(labels[_rim(ground.shape) & ground])
    return np.isin(labels, reached[reached > 0])


def _whole(found: Labels) -> Labels:
    """Without specks, and without holes that are no larger than such."""
    closed = cv2.morphologyEx(found, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    kept = _without_specks(np.asarray(closed, np.uint8))
    return (1 - _without_specks(1 - kept, against=int(kept.sum()))).astype(np.uint8)


def _without_specks(found: Labels, against: int = 0) -> Labels:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
    areas = np.asarray(stats)[:, cv2.CC_STAT_AREA]
    if count < 2:
        return found
    least = SPECK * (against or areas[1:].max())
    kept = [label for label in range(1, count) if areas[label] >= least]
    return np.isin(np.asarray(labels), kept).astype(np.uint8)


def _middle(shape: tuple[int, ...]) -> Labels:
    """Where subjects are when nothing tells: an ellipse in the middle."""
    height, width = shape[:2]
    mask = np.zeros((height, width), np.uint8)
    centre, axes = (width // 2, height // 2), (round(width * 0.36), round(height * 0.4))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 1, -1)
    return mask


def _carried(mask: Labels, pixels: Pixels) -> Mask:
    """The mask at the size of the picture, along its edges."""
    height, width = pixels.shape[:2]
    rough = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    guide = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    radius = max(2, round(max(height, width) / SIDE * 1.5))
    fine = _guided(guide, np.asarray(rough, np.float32), radius)
    # The filter leaves a veil behind; what is nearly ground is ground.
    steep = np.clip((fine - 0.2) / 0.6, 0, 1)
    near = cv2.dilate((rough > 0.5).astype(np.uint8), np.ones((2 * radius + 1,) * 2, np.uint8))
    return np.asarray(steep * steep * (3 - 2 * steep) * np.asarray(near), np.float32)


def _guided(guide: Mask, mask: Mask, radius: int, blur: float = 1e-3) -> Mask:
    def mean(values: Mask) -> Mask:
        return np.asarray(cv2.boxFilter(values, -1, (2 * radius + 1,) * 2), np.float32)

    mean_guide, mean_mask = mean(guide), mean(mask)
    variance = mean(guide * guide) - mean_guide * mean_guide
    covariance = mean(guide * mask) - mean_guide * mean_mask
    slope = covariance / (variance + blur)
    offset = mean_mask - slope * mean_guide
    return mean(slope) * guide + mean(offset)
