"""Styles by name: one function each, from pixels to pixels."""

from collections.abc import Callable

import cv2
import numpy as np

from darkroom.sandbox.pictures import light, scenes
from darkroom.sandbox.pictures.pixels import Pixels, clipped


def styled(pixels: Pixels, name: str, rng: np.random.Generator) -> Pixels:
    """The picture in a style; a style that is not known changes nothing."""
    style = STYLES.get(name)
    return pixels if style is None else style(pixels, rng)


def _watercolour(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    painted = cv2.stylization(cv2.medianBlur(pixels, 5), sigma_s=45, sigma_r=0.5)
    height, width = pixels.shape[:2]
    paper = 0.9 + 0.1 * scenes.noise(width, height, rng, cells=90, octaves=2)
    washed = light.saturated(np.asarray(painted, np.uint8), 1.25).astype(np.float32)
    return clipped((washed * 0.88 + 34) * paper[..., None])


def _sketch(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    soft = cv2.GaussianBlur(255 - grey, (0, 0), max(3.0, grey.shape[0] / 90))
    lines = np.asarray(cv2.divide(grey, 255 - soft, scale=244), np.float32)
    height, width = grey.shape[:2]
    paper = 238 + 14 * scenes.noise(width, height, rng, cells=120, octaves=2)
    drawn = np.clip(lines / 255, 0, 1) ** 1.6 * paper
    return np.repeat(drawn[..., None], 3, axis=2).astype(np.uint8)


def _cartoon(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    flat = pixels
    for _ in range(3):
        flat = np.asarray(cv2.bilateralFilter(flat, 9, 40, 7), np.uint8)
    grey = cv2.medianBlur(cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY), 5)
    adaptive, binary = cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY
    edges = cv2.adaptiveThreshold(grey, 255, adaptive, binary, 15, 5)
    levels = light.saturated(clipped(flat // 28 * 28.0 + 14), 1.4)
    return np.asarray(cv2.bitwise_and(levels, levels, mask=edges), np.uint8)


def _oil(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    strokes = cv2.edgePreservingFilter(cv2.medianBlur(pixels, 7), flags=1, sigma_s=40, sigma_r=0.4)
    grey = cv2.cvtColor(np.asarray(strokes, np.uint8), cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    bristles = scenes.noise(width, height, rng, cells=70, octaves=3) - 0.5
    relief = cv2.filter2D(bristles, -1, np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]], np.float32))
    lit = np.asarray(strokes, np.float32) * (1 + 0.22 * np.asarray(relief)[..., None])
    return light.saturated(clipped(lit), 1.2)


def _monochrome(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return light.contrasted(light.saturated(pixels, 0), 1.12)


def _sepia(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    faded = light.contrasted(light.saturated(pixels, 0.22), 0.9)
    return light.vignetted(light.toned(faded, 1.12, 1.0, 0.8), 0.35)


def _vivid(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return light.contrasted(light.saturated(pixels, 1.5), 1.08)


def _cinematic(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32) / 255
    shadows, lights = np.array((-10, 4, 18)), np.array((20, 4, -16))
    graded = pixels + shadows * (1 - grey) + lights * grey
    toned = clipped(graded)
    return light.vignetted(light.contrasted(toned, 1.12), 0.4)


def _pop(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    grey = np.asarray(cv2.medianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), 7))
    hues = (rng.uniform(0, 1) + np.array((0.0, 0.12, 0.5, 0.62))) % 1 * 179
    values = np.array((70, 150, 225, 255))
    hsv = np.stack([hues, np.array((200, 210, 190, 90)), values], 1).astype(np.uint8)
    palette = np.asarray(cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB))[0]
    levels = np.searchsorted(np.percentile(grey, (22, 50, 76)), grey)
    return np.asarray(palette[levels], np.uint8)


def _warm(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return light.toned(pixels, 1.08, 1.01, 0.88)


def _cool(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return light.toned(pixels, 0.9, 1.0, 1.1)


STYLES: dict[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
    "watercolour": _watercolour,
    "sketch": _sketch,
    "cartoon": _cartoon,
    "oil": _oil,
    "monochrome": _monochrome,
    "sepia": _sepia,
    "vivid": _vivid,
    "cinematic": _cinematic,
    "pop": _pop,
    "warm": _warm,
    "cool": _cool,
}
