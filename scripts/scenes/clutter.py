"""What else lies about in a nursery: labels, hoses, hands; and the light over it all."""

import cv2
import numpy as np

from .soil import noise
from .truth import Floats, Image

_HOSES = (
    (40, 120, 60),
    (30, 30, 32),
    (220, 190, 40),
    (40, 80, 150),
    (190, 60, 40),
    (110, 112, 110),
)
_SKINS = (
    (236, 198, 172),
    (206, 158, 124),
    (156, 108, 78),
    (96, 64, 48),
    (60, 90, 160),
    (235, 235, 230),
)
_STICKS = ((245, 245, 242), (240, 220, 90), (230, 120, 110), (120, 180, 220), (190, 160, 120))


def lay_clutter(rng: np.random.Generator, image: Image) -> Image:
    """Draw labels, a hose or a hand onto the image; returns where they lie, (H, W) 0 or 255."""
    cover = np.zeros(image.shape[:2], np.uint8)
    for _ in range(int(rng.choice([0, 0, 1, 2, 6]))):
        _stick(rng, image, cover)
    if rng.random() < 0.2:
        _hose(rng, image, cover)
    if rng.random() < 0.15:
        _hand(rng, image, cover)
    return cover


def _shape(image: Image, cover: Image, points: Floats, colour: tuple[int, int, int]) -> None:
    outline = np.round(points).astype(np.int32)
    cv2.fillPoly(image, [outline], colour, cv2.LINE_AA)
    cv2.fillPoly(cover, [outline], 255)


def _stick(rng: np.random.Generator, image: Image, cover: Image) -> None:
    """A plant label with lines of writing."""
    height, width = image.shape[:2]
    long = max(width, height) * rng.uniform(0.02, 0.09)
    wide, angle = long * rng.uniform(0.15, 0.35), rng.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    aside = np.array([-along[1], along[0]])
    at = rng.uniform((0, 0), (width, height))
    edges = [at, at + along * long, at + along * long + aside * wide, at + aside * wide]
    _shape(image, cover, np.array(edges, np.float32), _STICKS[rng.integers(len(_STICKS))])
    for line in (0.3, 0.55, 0.8):
        start = at + along * long * 0.15 + aside * wide * line
        end = start + along * long * rng.uniform(0.2, 0.7)
        cv2.line(
            image,
            start.astype(int).tolist(),
            end.astype(int).tolist(),
            (70, 70, 80),
            1,
            cv2.LINE_AA,
        )


def _hose(rng: np.random.Generator, image: Image, cover: Image) -> None:
    """A bent hose across the frame with a light line along it."""
    height, width = image.shape[:2]
    t = np.linspace(-0.1, 1.1, 40)
    wave = 0.12 * np.sin(t * rng.uniform(2, 7) + rng.uniform(0, 6))
    across = np.stack(
        [t * width, (rng.uniform(0, 1) + rng.uniform(-0.4, 0.4) * t + wave) * height], 1
    )
    points = across if rng.random() < 0.5 else across[:, ::-1] * (width / height, height / width)
    thick = max(3, round(max(width, height) * rng.uniform(0.006, 0.025)))
    colour = _HOSES[rng.integers(len(_HOSES))]
    path = [np.round(points).astype(np.int32)]
    cv2.polylines(image, path, False, colour, thick, cv2.LINE_AA)
    light = tuple(min(255, part + 60) for part in colour)
    cv2.polylines(image, path, False, light, max(1, thick // 5), cv2.LINE_AA)
    cv2.polylines(cover, path, False, 255, thick)


def _hand(rng: np.random.Generator, image: Image, cover: Image) -> None:
    """A forearm reaching in from an edge, with a palm and fingers; bare or gloved."""
    height, width = image.shape[:2]
    unit = max(width, height) * rng.uniform(0.025, 0.06)
    palm = rng.uniform((0.1, 0.1), (0.9, 0.9)) * (width, height)
    way = palm - np.array([width, height]) / 2
    angle = np.arctan2(way[1], way[0]) if np.abs(way).sum() > 1 else 0.0
    colour = _SKINS[rng.integers(len(_SKINS))]
    darker = tuple(int(part * 0.8) for part in colour)
    out = palm + np.array([np.cos(angle), np.sin(angle)]) * max(width, height)
    limbs = [(out, palm, 1.5)]
    for spread in (-0.6, -0.25, 0.05, 0.35, 1.1):
        tip = palm - np.array([np.cos(angle + spread), np.sin(angle + spread)]) * unit * 2.2
        limbs.append((palm, tip, 0.55))
    for start, end, thick in limbs:
        line = (start.astype(int).tolist(), end.astype(int).tolist())
        cv2.line(image, *line, darker, round(unit * thick * 1.1), cv2.LINE_AA)
        cv2.line(image, *line, colour, round(unit * thick), cv2.LINE_AA)
        cv2.line(cover, *line, 255, round(unit * thick * 1.1))


def light_up(rng: np.random.Generator, image: Image) -> Image:
    """The same scene under other light: slope, shadow bands, colour cast, contrast, blur, grain."""
    height, width = image.shape[:2]
    gain = _light_field(rng, (width, height))
    cast = rng.uniform(0.8, 1.18, 3) if rng.random() < 0.2 else rng.uniform(0.95, 1.05, 3)
    lit = image.astype(np.float32) * (gain[..., None] * cast.astype(np.float32))
    contrast, lift = rng.uniform(0.85, 1.15), rng.uniform(-8, 18)
    lit = (lit - 110) * np.float32(contrast) + np.float32(110 + lift)
    if rng.random() < 0.3:
        lit = cv2.GaussianBlur(lit, (0, 0), float(rng.uniform(0.4, 1.3)))
    if rng.random() < 0.5:
        lit += noise(rng, (width, height), 1.0)[..., None] * np.float32(rng.uniform(1, 6))
    return np.clip(lit, 0, 255).astype(np.uint8)


def _light_field(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """How bright each pixel is lit, (H, W) around 1, made small and enlarged."""
    small = (max(8, size[0] // 16), max(8, size[1] // 16))
    ys, xs = np.mgrid[0 : 1 : small[1] * 1j, 0 : 1 : small[0] * 1j].astype(np.float32)
    field = 1 + rng.uniform(-0.2, 0.2) * (xs - 0.5) + rng.uniform(-0.2, 0.2) * (ys - 0.5)
    if rng.random() < 0.2:
        stripe = np.sin((xs * rng.uniform(-9, 9) + ys * rng.uniform(-9, 9)) + rng.uniform(0, 6))
        field *= 1 - rng.uniform(0.1, 0.35) * (stripe > rng.uniform(-0.2, 0.8))
    if rng.random() < 0.25:
        spot = (xs - rng.uniform(0, 1)) ** 2 + (ys - rng.uniform(0, 1)) ** 2
        field += rng.uniform(0.1, 0.4) * np.exp(-spot / rng.uniform(0.005, 0.06))
    bright = rng.uniform(0.82, 1.15)
    return cv2.resize((field * bright).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
