"""Light and noise: pictures made clearer."""

import cv2
import numpy as np

from darkroom.sandbox.pictures import scenes
from darkroom.sandbox.pictures.pixels import Pixels, clipped

GOAL = 0.56
"""How bright a well lit picture is in the mean."""


def denoised(pixels: Pixels) -> Pixels:
    """Without specks and grain, edges kept."""
    calm = cv2.medianBlur(pixels, 3)
    return np.asarray(cv2.bilateralFilter(calm, 7, 32, 5), np.uint8)


def relit(pixels: Pixels, side: str = "even") -> Pixels:
    """Brighter where it was too dark, with more local contrast and without a colour cast."""
    balanced = _balanced(pixels)
    lab = cv2.cvtColor(balanced, cv2.COLOR_RGB2LAB)
    even = cv2.createCLAHE(clipLimit=1.6, tileGridSize=(4, 4)).apply(lab[..., 0])
    lab[..., 0] = _towards(np.asarray(even), GOAL)
    return _from_side(np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8), side)


def sharpened(pixels: Pixels, amount: float = 0.5) -> Pixels:
    """With clearer edges (unsharp mask)."""
    soft = cv2.GaussianBlur(pixels, (0, 0), 1.6)
    return np.asarray(cv2.addWeighted(pixels, 1 + amount, soft, -amount, 0), np.uint8)


def toned(pixels: Pixels, red: float, green: float, blue: float) -> Pixels:
    """With each channel that much stronger."""
    gains = np.array((red, green, blue), np.float32)
    return clipped(pixels * gains)


def saturated(pixels: Pixels, by: float) -> Pixels:
    """With colours that much stronger; 0 leaves grey."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    return clipped(grey + (pixels - grey) * by)


def contrasted(pixels: Pixels, by: float) -> Pixels:
    """With that much more contrast around the middle."""
    return clipped((pixels.astype(np.float32) - 128) * by + 128)


def vignetted(pixels: Pixels, strength: float) -> Pixels:
    """Darker towards the corners."""
    height, width = pixels.shape[:2]
    light = 1 - strength * (1 - scenes.glow(width, height, 0.5, 0.5, 0.62))
    return clipped(pixels * light[..., None])


def _balanced(pixels: Pixels) -> Pixels:
    """Half the way to grey in the mean: all of it would take the colour from a plant's photo."""
    means = pixels.reshape(-1, 3).mean(axis=0) + 1e-3
    gains = np.clip(means.mean() / means, 0.8, 1.25) ** 0.5
    return toned(pixels, *(float(gain) for gain in gains))


def _towards(lightness: Pixels, goal: float) -> Pixels:
    mean = float(np.clip(lightness.mean() / 255, 0.02, 0.98))
    power = float(np.clip(np.log(goal) / np.log(mean), 0.55, 1.25))
    table = (np.linspace(0, 1, 256) ** power * 255).astype(np.uint8)
    return table[lightness]


def _from_side(pixels: Pixels, side: str) -> Pixels:
    if side not in {"left", "right"}:
        return pixels
    height, width = pixels.shape[:2]
    light = scenes.glow(width, height, 0.05 if side == "left" else 0.95, 0.2, 0.75)
    return clipped(pixels * (0.72 + 0.5 * light[..., None]))
